import { screen, waitFor } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { openWindow } from "@/test/app";

describe("updates", () => {
  it("are told quietly at the foot, with what they bring and what they wait for", async () => {
    const { user } = openWindow();
    await user.click(await screen.findByTestId("update-line"));
    expect(await screen.findByTestId("update-stage")).toHaveTextContent("waits for the quiet hours from 02:00");
    expect(await screen.findByTestId("update-notes")).toHaveTextContent("Slack: threads keep their names.");
  });

  it("are put in on a word, and say whom they wait for", async () => {
    const { user } = openWindow("#/settings/updates");
    await user.click(await screen.findByTestId("update-install"));
    await waitFor(() => expect(screen.getByTestId("update-stage")).toHaveTextContent("Waits until 2 sessions have finished"));
    expect(screen.getByTestId("update-install")).toBeDisabled();
    expect(screen.getByTestId("update-line")).toHaveTextContent("Waits until 2 sessions have finished");
  });

  it("that were put off leave the foot and stay in the settings", async () => {
    const { user } = openWindow("#/settings/updates");
    await user.click(await screen.findByTestId("update-dismiss"));
    await waitFor(() => expect(screen.queryByTestId("update-line")).toBeNull());
    expect(screen.getByText(/Put off/)).toBeVisible();
  });

  it("show how the last one ended, in words", async () => {
    const { platform } = openWindow("#/settings/updates");
    await screen.findByTestId("update-last");
    platform.world.updates = { ...platform.world.updates, last: { version: "0.2.0", from: "0.1.0", at: Date.now(), ok: false, message: "Version 0.2.0 did not become ready within 60 seconds. Version 0.1.0 runs again." } };
    platform.world.publish({ topic: "update_changed" });
    await waitFor(() => expect(screen.getByTestId("update-last")).toHaveTextContent("Version 0.1.0 runs again."));
  });

  it("say why a program does not update itself, and offer nothing then", async () => {
    const { platform } = openWindow("#/settings/updates");
    await screen.findByTestId("update-stage");
    platform.world.updates = { ...platform.world.updates, unavailable: "This program was built from source." };
    platform.world.publish({ topic: "update_changed" });
    await waitFor(() => expect(screen.getByTestId("update-unavailable")).toHaveTextContent("built from source"));
    expect(screen.queryByTestId("update-install")).toBeNull();
    expect(screen.queryByTestId("update-line")).toBeNull();
  });

  it("take their rules at once, and name hours that are none", async () => {
    const { user, platform } = openWindow("#/settings/updates");
    await user.selectOptions(await screen.findByTestId("update-channel"), "beta");
    await waitFor(() => expect(platform.world.updates.rules.channel).toBe("beta"));
    const from = screen.getByLabelText("From");
    await user.clear(from);
    await user.type(from, "25:00");
    await user.click(screen.getByRole("button", { name: "Set" }));
    expect(await screen.findByRole("alert")).toHaveTextContent(/25:00/);
    expect(platform.world.updates.rules.quietHours?.from).toBe("02:00");
  });
});
