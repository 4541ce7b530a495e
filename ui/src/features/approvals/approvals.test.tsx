import { screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { answerElsewhere } from "@/platform/fake/approvals";
import { openWindow } from "@/test/app";

const SESSION = "#/sessions/all/261121-kind-ibis";
const TOUCH = '/tool bash {{"command":"touch made-by-agent","timeoutMs":5000}{Enter}';

describe("a call that waits", () => {
  it("shows the command as it would run, why it is asked, and exactly what always would allow", async () => {
    const { user } = openWindow(SESSION);
    await user.type(await screen.findByTestId("composer"), TOUCH);
    const card = await screen.findByRole("group", { name: "Allow bash?" });
    expect(within(card).getByTestId("call-arguments")).toHaveTextContent("touch made-by-agent");
    expect(within(card).getByText("5000")).toBeVisible();
    expect(card).toHaveTextContent("session asks first");
    expect(card).toHaveTextContent(/counts as denied in 24 h/);
    expect(within(card).getByTestId("approve-always")).toHaveAccessibleDescription(/^Always: every command that begins with touch ?, in this workspace from now on\.$/);
  });

  it("has the file on a line of its own, and what would change in it as a diff", async () => {
    const { platform } = openWindow("#/waiting");
    const first = platform.world.approvals[0];
    if (first === undefined) throw new Error("nothing waits");
    platform.world.approvals = [{ ...first, call: { ...first.call, name: "edit", input: { path: "src/login.ts", old: "retries: 0", new: "retries: 3" } } }];
    const shown = within(within(await screen.findByTestId("approval-T4W8KE")).getByTestId("call-arguments"));
    expect(shown.getByText("src/login.ts").tagName).toBe("PRE");
    const diff = within(shown.getByRole("region", { name: "Changes in src/login.ts" }));
    expect(diff.getByText("retries: 0").closest("tr")).toHaveAttribute("data-kind", "removed");
    expect(diff.getByText("retries: 3").closest("tr")).toHaveAttribute("data-kind", "added");
    expect(shown.queryByText(/[{}"]/)).toBeNull();
  });

  it("is not asked again after always, and the rule can be taken back", async () => {
    const { user, platform } = openWindow(SESSION);
    await user.type(await screen.findByTestId("composer"), TOUCH);
    await user.click(await screen.findByTestId("approve-always"));
    await waitFor(() => expect(platform.world.session("261121-kind-ibis").state).toBe("idle"));
    await user.type(screen.getByTestId("composer"), TOUCH);
    await waitFor(() => expect(screen.getAllByTestId("tool-card").filter((card) => card.dataset.status === "completed")).toHaveLength(2));
    expect(screen.queryByTestId("approve-once")).toBeNull();
    window.location.hash = "#/settings/permissions";
    await user.click(await screen.findByRole("button", { name: "Take back: every command that begins with touch" }));
    await waitFor(() => expect(screen.queryByRole("button", { name: /begins with touch/ })).toBeNull());
    expect(platform.world.always.some(({ prefix }) => prefix?.[0] === "touch")).toBe(false);
  });

  it("does not offer always where it cannot be said exactly", async () => {
    openWindow("#/waiting");
    expect(within(await screen.findByTestId("approval-Q7M2RD")).queryByTestId("approve-always")).toBeNull();
    expect(within(screen.getByTestId("approval-T4W8KE")).getByTestId("approve-always")).toBeVisible();
  });

  it("tells the one who comes second whose answer counted", async () => {
    const { user, platform } = openWindow("#/waiting");
    const card = await screen.findByTestId("approval-T4W8KE");
    answerElsewhere(platform.world, "T4W8KE", "deny");
    await user.click(within(card).getByTestId("approve-once"));
    expect(await screen.findByText(/Somebody answered before you: denied/)).toBeVisible();
    await waitFor(() => expect(screen.queryByTestId("approval-T4W8KE")).toBeNull());
  });
});

describe("the list of what waits", () => {
  it("is counted in the sidebar over all sessions, and follows the facts", async () => {
    const { user, platform } = openWindow();
    const nav = await screen.findByTestId("nav-waiting");
    const before = platform.world.health().waiting;
    await waitFor(() => expect(nav).toHaveTextContent(String(before)));
    await user.click(nav);
    await user.click(within(await screen.findByTestId("approval-Q7M2RD")).getByRole("button", { name: "Deny" }));
    await waitFor(() => expect(nav).toHaveTextContent(String(before - 1)));
    expect(platform.world.outcomes.get("Q7M2RD")?.decision).toBe("deny");
  });

  it("leads to the session that asks", async () => {
    const { user } = openWindow("#/waiting");
    await user.click(await screen.findByTestId("jump-261120-swift-crane"));
    expect(window.location.hash).toBe("#/sessions/all/261120-swift-crane");
    expect(await screen.findByTestId("approval-T4W8KE")).toBeVisible();
  });

  it("has sources, plugins and letters too, with their answers and the way to them", async () => {
    const { user, platform } = openWindow("#/waiting");
    await user.click(await screen.findByTestId("retry-out-37"));
    await waitFor(() => expect(screen.queryByTestId("letter-out-37")).toBeNull());
    expect(platform.world.letters.map(({ id }) => id)).not.toContain("out-37");
    expect(screen.getByTestId("needs-plugin:digest")).toHaveTextContent("The files of the plugin Daily digest have changed");
    await user.click(screen.getByTestId("needs-source:channel:gmail"));
    expect(window.location.hash).toBe("#/sources/channel%3Agmail");
  });

  it("says so when nothing waits", async () => {
    const { platform } = openWindow("#/waiting", { empty: true });
    platform.world.pairing = [];
    expect(await screen.findByText("Nothing needs you")).toBeVisible();
  });
});
