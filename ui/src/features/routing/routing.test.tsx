import { screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { openWindow } from "@/test/app";
import { TABLE } from "@/platform/fake/routing";
import { faultOf, fullTable } from "./table";

const wire = (message: string, field?: string) => ({ code: "invalid" as const, message, ...(field === undefined ? {} : { details: { field } }) });

describe("the routing table", () => {
  it("lists the bindings in the order they are asked, with what each does", async () => {
    openWindow("#/routing");
    const list = within(await screen.findByRole("list", { name: "Bindings" }));
    expect(list.getAllByRole("listitem").map((row) => row.dataset.testid)).toEqual(["binding-releases", "binding-mara", "binding-support-mail", "binding-slack"]);
    expect(screen.getByTestId("binding-releases")).toHaveTextContent("telegram · conversation -100442 · thread 7");
    expect(screen.getByTestId("binding-slack")).toHaveTextContent("interrupt");
    expect(screen.getByText(/thread › conversation › sender/)).toBeVisible();
  });

  it("shows a refusal at the binding and the field it is about, and changes nothing", async () => {
    const { user, platform } = openWindow("#/routing");
    await user.click(await screen.findByRole("button", { name: "New binding" }));
    const entry = within(screen.getByTestId("binding-binding"));
    await user.type(entry.getByLabelText("Conversation"), "C77");
    await user.click(screen.getByTestId("route-save"));
    expect(await entry.findByRole("alert")).toHaveTextContent(/An id means nothing without its channel.*Nothing was changed/);
    expect(entry.getByLabelText("From channel")).toHaveAttribute("aria-invalid", "true");
    expect(platform.world.table.bindings).toHaveLength(4);
    await user.selectOptions(entry.getByLabelText("From channel"), "slack");
    await user.click(screen.getByTestId("route-save"));
    await waitFor(() => expect(platform.world.table.bindings).toHaveLength(5));
    expect(screen.queryByTestId("route-save")).toBeNull();
  });

  it("puts a binding into its place when it is done", async () => {
    const { user } = openWindow("#/routing");
    const slack = within(await screen.findByTestId("binding-slack"));
    await user.click(slack.getByRole("button"));
    await user.type(slack.getByLabelText("Thread"), "9");
    await user.click(slack.getByRole("button", { name: "Done" }));
    const rows = within(screen.getByRole("list", { name: "Bindings" })).getAllByRole("listitem");
    expect(rows.map((row) => row.dataset.testid).indexOf("binding-slack")).toBe(1);
  });

  it("keeps profiles and people, and what was changed until it is put in force or discarded", async () => {
    const { user, platform } = openWindow("#/routing/profiles");
    const support = within(await screen.findByTestId("profile-support"));
    await user.click(support.getByRole("button"));
    await user.type(support.getByLabelText("Tools"), " deploys_latest");
    await user.selectOptions(support.getByLabelText("Permission"), "ask");
    await user.click(screen.getByTestId("tab-people"));
    await user.click(await screen.findByRole("button", { name: "New person" }));
    const person = within(screen.getByTestId("person-person"));
    await user.selectOptions(person.getByLabelText("Channel"), "telegram");
    await user.type(person.getByLabelText("Sender"), "42");
    await user.click(screen.getByTestId("route-save"));
    await waitFor(() => expect(platform.world.table.people).toHaveLength(2));
    expect(platform.world.table.profiles?.[0]).toMatchObject({ mode: "ask", tools: ["crm_*", "issue_list", "handbook_search", "deploys_latest"] });
  });

  it("finds the place of an error by its path, or by the names it quotes", () => {
    const table = fullTable(TABLE);
    expect(faultOf(wire("no", "routing/bindings/2/match/channel"), table)).toMatchObject({ list: "bindings", index: 2, field: "match/channel" });
    expect(faultOf(wire("no", "people[0].addresses[1]"), table)).toMatchObject({ list: "people", index: 0, field: "addresses/1" });
    expect(faultOf(wire("binding “slack”, field “match.channel”: an id means nothing without its channel"), table)).toEqual({ list: "bindings", index: 3, field: "match/channel", words: "An id means nothing without its channel." });
    expect(faultOf(wire("bindings “mara” and “slack” take the same messages"), table)).toMatchObject({ list: "bindings", index: 3 });
    expect(faultOf(wire("the disk is full"), table)).toMatchObject({ list: null });
  });
});

describe("a message to try", () => {
  it("is explained step by step with the table as it stands here, and the deciding step marked", async () => {
    const { user, platform } = openWindow("#/routing");
    const box = within(await screen.findByRole("region", { name: "Try a message" }));
    await user.type(box.getByLabelText("Sender"), "88120399");
    await user.click(box.getByTestId("route-explain"));
    const steps = within(await box.findByRole("list", { name: "Steps" }));
    const decided = steps.getAllByRole("listitem").filter((row) => row.getAttribute("aria-current") === "step");
    expect(decided).toHaveLength(1);
    expect(decided[0]).toHaveTextContent("binding mara");
    expect(box.getByText("Taken by “mara”")).toBeVisible();
    // Without that binding, which is still in force.
    const mara = within(screen.getByTestId("binding-mara"));
    await user.click(mara.getByRole("button"));
    await user.click(mara.getByRole("button", { name: "Take out" }));
    await user.click(box.getByTestId("route-explain"));
    expect(await box.findByText("Taken by the usual rule")).toBeVisible();
    expect(platform.world.table.bindings?.some(({ id }) => id === "mara")).toBe(true);
  });

  it("says why it would be refused", async () => {
    const { user } = openWindow("#/routing");
    const box = within(await screen.findByRole("region", { name: "Try a message" }));
    await user.selectOptions(box.getByLabelText("Kind"), "group");
    await user.click(box.getByRole("switch", { name: "Addresses the bot" }));
    await user.click(box.getByTestId("route-explain"));
    expect(await box.findByText("Refused at the door: did not address the bot")).toBeVisible();
  });
});

describe("conversations", () => {
  it("go on in another session from their next message on", async () => {
    const { user, platform } = openWindow("#/routing/conversations");
    const row = within(await screen.findByTestId("key-slack:T024ACME:C0OPS"));
    await user.click(row.getByRole("button", { name: "Join…" }));
    await user.type(await screen.findByRole("textbox", { name: "Search sessions" }), "retry");
    await user.click(await screen.findByRole("button", { name: /Review the retry policy/ }));
    await waitFor(() => expect(platform.world.keys.find(({ key }) => key === "slack:T024ACME:C0OPS")?.session).toBe("261121-kind-ibis"));
    await waitFor(() => expect(screen.getByTestId("key-slack:T024ACME:C0OPS")).toHaveTextContent("Review the retry policy"));
  });

  it("that were refused are counted by reason", async () => {
    openWindow("#/routing/refused");
    expect(await screen.findByRole("row", { name: /Slack Did not address the bot 412/ })).toBeVisible();
  });
});

describe("the policy of a channel", () => {
  const TELEGRAM = "#/sources/channel%3Atelegram";

  it("has limits, quiet hours and approvers", async () => {
    const { user, platform } = openWindow(TELEGRAM);
    const limits = within(await screen.findByRole("form", { name: "Limits" }));
    const perMinute = limits.getByLabelText("Messages a minute from one person");
    await user.clear(perMinute);
    expect(limits.getByRole("button", { name: "Save the limits" })).toBeDisabled();
    await user.type(perMinute, "5");
    await user.click(limits.getByRole("switch", { name: "Quiet hours" }));
    await user.click(limits.getByRole("button", { name: "Save the limits" }));
    await waitFor(() => expect(platform.world.policies.get("channel:telegram")).toMatchObject({ perMinuteSender: 5, maxText: 65_536, quietHours: { from: "22:00", until: "07:00" } }));
    const approvers = within(screen.getByRole("group", { name: "May approve tool calls" }));
    await user.type(approvers.getByRole("textbox"), "777{Enter}");
    await waitFor(() => expect(platform.world.policies.get("channel:telegram")?.approvers).toEqual(["88120399", "777"]));
    await user.click(screen.getByRole("switch", { name: "Quiet hours" }));
    await user.click(screen.getByRole("button", { name: "Save the limits" }));
    await waitFor(() => expect(platform.world.policies.get("channel:telegram")?.quietHours).toBeNull());
  });
});
