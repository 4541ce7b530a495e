import { screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import type { OperationName } from "@/generated/protocol";
import { OperationError } from "@/platform";
import { OPERATIONS } from "@/platform/fake/operations";
import { openWindow } from "@/test/app";

describe("notifications", () => {
  it("are switched off one by one, and what was switched stays", async () => {
    const { user, platform } = openWindow("#/settings/general");
    await user.click(await screen.findByRole("switch", { name: "A chat is done" }));
    await waitFor(() => expect([...platform.world.settingsFile].filter(([path]) => path.startsWith("notifications"))).toEqual([["notifications.turns", false]]));
    await waitFor(() => expect(screen.getByRole("switch", { name: "A chat is done" })).not.toBeChecked());
    expect(screen.getByRole("switch", { name: "Something needs you" })).toBeChecked();
    expect(screen.getByRole("switch", { name: "A channel does not come back" })).toBeChecked();
  });

  it("say nothing of what was written unless it is switched on, beside a plain warning", async () => {
    const { user, platform } = openWindow("#/settings/general");
    const text = await screen.findByRole("switch", { name: "Show what was written" });
    expect(text).not.toBeChecked();
    expect(screen.getByTestId("notifications-warning")).toHaveTextContent("Whoever sees the screen can read it.");
    await user.click(text);
    await waitFor(() => expect(platform.world.settingsFile.get("notifications.text")).toBe(true));
  });

  it("say at the switch why it could not be changed, and it stays as it was", async () => {
    const set = OPERATIONS["settings.set"];
    OPERATIONS["settings.set"] = () => {
      throw new OperationError({ code: "internal", message: "settings.json cannot be written: no space left on the disk" });
    };
    const { user } = openWindow("#/settings/general");
    await user.click(await screen.findByRole("switch", { name: "A chat is done" }));
    expect(await screen.findByRole("alert")).toHaveTextContent("no space left on the disk");
    expect(screen.getByRole("switch", { name: "A chat is done" })).toBeChecked();
    OPERATIONS["settings.set"] = set;
  });

  it("cannot be switched by a device that may only look", async () => {
    const { platform } = openWindow("#/settings/general");
    platform.allow(["settings.list", "system.background"] satisfies OperationName[]);
    await waitFor(() => expect(screen.getByRole("switch", { name: "A chat is done" })).toBeDisabled());
  });
});

const row = async (path: string) => within(await screen.findByTestId(`setting-row-${path}`));

describe("the configuration", () => {
  it("takes a number in place, says when it counts and where it comes from, and puts it back", async () => {
    const { user, platform } = openWindow("#/settings/config");
    const port = await row("gateway.port");
    expect(port.getByText("counts from the next start")).toBeVisible();
    expect(port.getByText("default")).toBeVisible();
    const field = port.getByLabelText("gateway.port");
    await user.clear(field);
    await user.type(field, "4711{Enter}");
    await waitFor(() => expect(platform.world.settingsFile.get("gateway.port")).toBe(4711));
    expect(await (await row("gateway.port")).findByText("from settings.json")).toBeVisible();
    await user.click((await row("gateway.port")).getByRole("button", { name: "Put gateway.port back to the default" }));
    await waitFor(() => expect(platform.world.settingsFile.has("gateway.port")).toBe(false));
    await waitFor(async () => expect((await row("gateway.port")).getByLabelText("gateway.port")).toHaveValue("18790"));
  });

  it("shows at the row what would fit, keeps what was typed, and forgets the fault with Escape", async () => {
    const { user, platform } = openWindow("#/settings/config");
    const port = await row("gateway.port");
    const field = port.getByLabelText("gateway.port");
    await user.clear(field);
    await user.type(field, "eighty{Enter}");
    expect(await port.findByRole("alert")).toHaveTextContent(/^Must be a whole number from 1 to 65535, not "eighty"\.$/);
    expect(field).toHaveAttribute("aria-invalid", "true");
    expect(field).toHaveValue("eighty");
    expect(platform.world.settingsFile.has("gateway.port")).toBe(false);
    await user.type(field, "{Escape}");
    expect(field).toHaveValue("18790");
    expect(port.queryByRole("alert")).toBeNull();
  });

  it("takes a list by lines and a text that the engine knows", async () => {
    const { user, platform } = openWindow("#/settings/config");
    const hosts = await row("gateway.hosts");
    await user.type(hosts.getByLabelText("gateway.hosts"), "\nkata.example");
    await user.click(hosts.getByRole("button", { name: "Save" }));
    await waitFor(() => expect(platform.world.settingsFile.get("gateway.hosts")).toEqual(["kata.tail1234.ts.net", "kata.example"]));
    const model = await row("models.default");
    await user.clear(model.getByLabelText("models.default"));
    await user.type(model.getByLabelText("models.default"), "nobody{Enter}");
    expect(await model.findByRole("alert")).toHaveTextContent("There is no model “nobody”");
    expect(platform.world.settingsFile.get("models.default")).toBe("anthropic");
  });

  it("says so when what was kept does not count, because the start gave another value", async () => {
    const { user, platform } = openWindow("#/settings/config", { portGiven: true });
    const port = await row("gateway.port");
    const field = port.getByLabelText("gateway.port");
    await user.clear(field);
    await user.type(field, "4711{Enter}");
    expect(await port.findByText(/another value counts, from: the start's option or KATA_PORT/)).toBeVisible();
    expect(platform.world.settingsFile.get("gateway.port")).toBe(4711);
  });

  it("shows the values of other views without a control, and finds a setting by what it is for", async () => {
    const { user } = openWindow("#/settings/config");
    const found = await screen.findByRole("row", { name: /routing\.workspace/ });
    expect(within(found).queryByRole("textbox")).toBeNull();
    await user.type(screen.getByLabelText("Search settings"), "tunnel");
    expect(screen.getAllByTestId(/^setting-row-/).map((each) => each.dataset.testid)).toEqual(["setting-row-gateway.hosts"]);
    await user.type(screen.getByLabelText("Search settings"), "x");
    expect(screen.getByText("No setting fits.")).toBeVisible();
  });
});
