import { screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { openWindow } from "@/test/app";

describe("the list of plugins", () => {
  it("is grouped by where they come from, each with its state and how far it is trusted", async () => {
    openWindow("#/plugins");
    const yours = within(await screen.findByRole("region", { name: "Yours" }));
    expect(within(yours.getByTestId("plugin-row-calendar")).getByTestId("trust")).toHaveAttribute("data-trust", "untrusted");
    expect(within(yours.getByTestId("plugin-row-digest")).getByTestId("trust")).toHaveTextContent("changed");
    expect(within(yours.getByTestId("plugin-row-standup")).getByTestId("trust")).toHaveTextContent("development");
    expect(yours.getByTestId("plugin-status-indexer")).toHaveTextContent(/Held back/);
    expect(within(screen.getByRole("region", { name: "Shipped with the app" })).getByTestId("plugin-row-echo")).toHaveTextContent("1 capability");
    expect(within(screen.getByRole("region", { name: "From a workspace" })).getByTestId("plugin-row-redact")).toBeVisible();
  });

  it("has programs over the gateway with their connection and token, and nothing that only a folder has", async () => {
    const { user } = openWindow("#/plugins/thermometer");
    const group = within(await screen.findByRole("region", { name: "Over the gateway" }));
    expect(within(group.getByTestId("plugin-row-thermometer")).getByTestId("trust")).toHaveTextContent("by token");
    await screen.findByRole("heading", { name: /Thermometer/ });
    expect(screen.queryByTestId("reload")).toBeNull();
    expect(screen.queryByTestId("plugin-more")).toBeNull();
    expect(screen.queryByRole("region", { name: "Use" })).toBeNull();
    await user.click(screen.getByRole("tab", { name: /Trust/ }));
    const from = within(await screen.findByRole("region", { name: "Where it comes from" }));
    expect(from.getByText("thermometer.py")).toBeVisible();
    expect(from.getByText(/hall, scope “plugin”/)).toBeVisible();
    expect(screen.queryByText("Signature")).toBeNull();
  });

  it("counts in the sidebar those that wait for a person", async () => {
    const { user } = openWindow("#/plugins/calendar");
    await waitFor(() => expect(screen.getByTestId("nav-plugins")).toHaveTextContent("Plugins3"));
    await user.click(await screen.findByTestId("trust-only"));
    await waitFor(() => expect(screen.getByTestId("nav-plugins")).toHaveTextContent("Plugins2"));
  });

  it("has no switch for a plugin that nobody has looked at", async () => {
    openWindow("#/plugins");
    expect(within(await screen.findByTestId("plugin-row-calendar")).queryByRole("switch")).toBeNull();
    expect(within(screen.getByTestId("plugin-row-echo")).getByRole("switch")).toBeChecked();
  });

  it("says which folders were passed over, why, and what to do", async () => {
    const { user } = openWindow("#/plugins");
    const link = await screen.findByTestId("passed-over");
    expect(link).toHaveTextContent("3 folders were passed over");
    await user.click(link);
    const [first] = await screen.findAllByTestId("dropped");
    expect(first).toHaveTextContent(/extensions\/jira.*line 7.*names no host.*Name the host/s);
    expect(screen.getByRole("region", { name: "Where it was looked" })).toHaveTextContent("/usr/lib/kata-agents/plugins");
  });

  it("says where to put a plugin when there is none", async () => {
    openWindow("#/plugins", { empty: true });
    expect(await screen.findByText("No plugins")).toBeVisible();
    expect(screen.getByText("~/.kata-agents/extensions")).toBeVisible();
  });

  it("keeps what it knows while the engine is away, and says so where something is missing", async () => {
    const { platform } = openWindow("", { latencyMs: 0 });
    await screen.findByTestId("health-line");
    platform.hold();
    platform.move({ kind: "offline", reason: "The engine cannot be reached.", retryAt: Date.now() + 5_000 });
    window.location.hash = "#/plugins/echo";
    expect(await screen.findByText("The engine is away")).toBeVisible();
    expect(screen.getByTestId("plugin-row-echo")).toBeVisible();
    await waitFor(() => expect(screen.getByTestId("try-now")).toBeVisible());
  });
});

describe("a new plugin", () => {
  it("starts from a template and is shown at once, in development mode", async () => {
    const { user } = openWindow("#/plugins");
    await user.click(await screen.findByTestId("add-plugin"));
    await user.click(await screen.findByRole("menuitem", { name: /New plugin/ }));
    await user.click(await screen.findByRole("radio", { name: /Channel/ }));
    await user.type(screen.getByTestId("new-plugin-id"), "pager");
    await user.click(screen.getByTestId("new-plugin-create"));
    expect(await screen.findByRole("heading", { level: 1, name: /pager/ })).toHaveTextContent("development");
    expect(screen.getByText("A new channel.")).toBeVisible();
  });

  it("is not written under an id that cannot be one, or that is taken", async () => {
    const { user, platform } = openWindow("#/plugins");
    await user.click(await screen.findByTestId("add-plugin"));
    await user.click(await screen.findByRole("menuitem", { name: /New plugin/ }));
    const id = await screen.findByTestId("new-plugin-id");
    await user.type(id, "My Plugin");
    expect(id).toHaveAccessibleDescription("Small letters, digits and hyphens only.");
    expect(screen.getByTestId("new-plugin-create")).toBeDisabled();
    await user.clear(id);
    await user.type(id, "echo{Enter}");
    await waitFor(() => expect(id).toHaveAccessibleDescription(/is there already/));
    expect(platform.world.plugins.find((row) => row.id === "echo")?.name).toBe("Echo");
  });

  it("that is installed waits for trust, and replaces another only when asked to", async () => {
    const { user, platform } = openWindow("#/plugins");
    await user.click(await screen.findByTestId("add-plugin"));
    await user.click(await screen.findByRole("menuitem", { name: /Install/ }));
    await user.type(await screen.findByTestId("install-path"), "/tmp/standup-1.0.0.tgz{Enter}");
    expect(await screen.findByText(/installed already/)).toBeVisible();
    expect(platform.world.plugins.find((row) => row.id === "standup")?.trust).toBe("development");
    await user.click(screen.getByTestId("install-replace"));
    expect(await screen.findByTestId("trust-prompt")).toBeVisible();
    expect(platform.world.plugins.find((row) => row.id === "standup")?.trust).toBe("untrusted");
  });

  it("can be removed, after a question", async () => {
    const { user, platform } = openWindow("#/plugins/redact");
    await user.click(await screen.findByTestId("plugin-more"));
    await user.click(await screen.findByRole("menuitem", { name: /Remove/ }));
    const question = within(await screen.findByRole("alertdialog", { name: "Remove Redact?" }));
    await user.click(question.getByRole("button", { name: "Cancel" }));
    expect(platform.world.plugins.some((row) => row.id === "redact")).toBe(true);
    await user.click(screen.getByTestId("plugin-more"));
    await user.click(await screen.findByRole("menuitem", { name: /Remove/ }));
    await user.click(await screen.findByTestId("confirm"));
    await waitFor(() => expect(screen.queryByTestId("plugin-row-redact")).toBeNull());
  });
});
