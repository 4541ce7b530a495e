import { screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { openWindow } from "@/test/app";

describe("workspaces", () => {
  it("are made from the switcher, and the window goes there", async () => {
    const { user } = openWindow();
    await user.click(await screen.findByTestId("workspace-switcher"));
    await user.click(await screen.findByTestId("workspace-new"));
    await user.type(await screen.findByTestId("new-workspace-name"), "Night shift");
    await user.click(screen.getByTestId("new-workspace-create"));
    await waitFor(() => expect(screen.getByTestId("workspace-switcher")).toHaveTextContent("Night shift"));
  });

  it("are renamed, and the sidebar says it at once", async () => {
    const { user } = openWindow("#/settings/workspace");
    const name = await screen.findByTestId("workspace-name");
    await user.clear(name);
    await user.type(name, "Acme Ltd");
    await user.click(screen.getByTestId("workspace-save"));
    await waitFor(() => expect(screen.getByTestId("workspace-switcher")).toHaveTextContent("Acme Ltd"));
  });

  it("say at the field what does not fit", async () => {
    const { user } = openWindow("#/settings/workspace");
    const folder = await screen.findByTestId("workspace-folder");
    await user.clear(folder);
    await user.type(folder, "not/absolute");
    await user.click(screen.getByTestId("workspace-save"));
    await waitFor(() => expect(folder).toHaveAccessibleDescription(/is not absolute/));
  });

  it("take new conversations when a person says so", async () => {
    const { user } = openWindow("#/settings/workspace");
    await user.click(await screen.findByTestId("workspace-switcher"));
    await user.click(await screen.findByRole("menuitem", { name: /Home/ }));
    await user.click(await screen.findByTestId("workspace-activate"));
    expect(await screen.findByText("new conversations come here")).toBeVisible();
  });
});

describe("statuses and labels", () => {
  it("are edited whole: a new one, its name, its place", async () => {
    const { user } = openWindow("#/settings/workspace");
    const part = within(await screen.findByRole("region", { name: "Statuses" }));
    await user.click(part.getByTestId("add-statuses"));
    const name = part.getByLabelText("Name of New");
    await user.clear(name);
    await user.type(name, "Blocked");
    await user.click(part.getByRole("button", { name: "Blocked up" }));
    await user.click(part.getByTestId("save-statuses"));
    const sidebar = within(screen.getByRole("region", { name: "Sidebar: Status" }));
    await waitFor(() => expect(sidebar.getByText("Blocked")).toBeVisible());
    const names = sidebar.getAllByRole("listitem").map((row) => row.textContent?.replace(/[\d,]+$/, ""));
    expect(names.indexOf("Blocked")).toBe(names.indexOf("Cancelled") - 1);
  });

  it("keep the ones that have to stay, and one that sessions carry is refused in words", async () => {
    const { user } = openWindow("#/settings/workspace");
    const part = within(await screen.findByRole("region", { name: "Statuses" }));
    expect(part.getByRole("button", { name: "Done has to stay" })).toBeDisabled();
    await user.click(part.getByRole("button", { name: "Remove Needs review" }));
    await user.click(part.getByTestId("save-statuses"));
    expect(await part.findByRole("alert")).toHaveTextContent(/carries “needs-review”/);
  });

  it("are a tree that is moved in and out", async () => {
    const { user, platform } = openWindow("#/settings/workspace");
    const part = within(await screen.findByRole("region", { name: "Labels" }));
    await user.click(part.getByRole("button", { name: "Bug in" }));
    await user.click(part.getByTestId("save-labels"));
    await waitFor(async () => {
      const [acme] = await platform.request("workspace.list", {});
      expect(acme?.labels.map(({ id, depth }) => `${id} ${depth}`)).toEqual(["release 0", "customer 0", "northwind 1", "bug 1", "priority 0"]);
    });
  });
});

describe("what agents know of the person", () => {
  it("is saved field by field, and an emptied field is taken away", async () => {
    const { user, platform } = openWindow("#/settings/preferences");
    await user.clear(await screen.findByTestId("preference-city"));
    await user.type(screen.getByTestId("preference-language"), " and Swedish");
    await user.click(screen.getByTestId("preferences-save"));
    await waitFor(async () => expect(await platform.request("preference.get", {})).toMatchObject({ city: null, language: "English and Swedish", name: "Mara Lindqvist" }));
  });
});

describe("tokens", () => {
  it("are shown by day and by model, and nothing is said of a price", async () => {
    const { user } = openWindow("#/settings/usage");
    expect(await screen.findByRole("rowheader", { name: "Claude Sonnet 4.5" })).toBeVisible();
    expect(screen.getAllByRole("listitem", { name: "" }).length).toBeGreaterThan(29);
    await user.click(screen.getByLabelText("7 days"));
    await waitFor(() => expect(screen.getByRole("figure")).toHaveTextContent(/tokens in 7 days/));
  });
});
