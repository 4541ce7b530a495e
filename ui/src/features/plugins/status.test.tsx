import { act, screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { NO_USAGE } from "@/platform/fake/plugins";
import { openWindow } from "@/test/app";
import { SERIES_MAX, withNewest } from "@/data/series";

describe("a plugin's status page", () => {
  it("shows each fault with its place in the author's source", async () => {
    openWindow("#/plugins/indexer");
    const [first, , , last] = await screen.findAllByTestId("fault");
    expect(first).toHaveTextContent(/timeout.*start did not return.*at index\.ts:88:14/);
    expect(within(first ?? document.body).getByRole("button", { name: /Copy index\.ts:88:14/ })).toBeVisible();
    expect(last).not.toHaveTextContent(/ at /);
  });

  it("says until when it is held back, and ends that with one click", async () => {
    const { user } = openWindow("#/plugins/indexer");
    expect(await screen.findByTestId("plugin-state")).toHaveTextContent(/Held back for \d+ min — Five faults in ten minutes/);
    await user.click(screen.getByTestId("mend"));
    await waitFor(() => expect(screen.getByTestId("plugin-state")).toHaveAttribute("data-state", "running"));
    expect(screen.queryByTestId("mend")).toBeNull();
  });

  it("shows use against what it may use, and renews it", async () => {
    const { platform } = openWindow("#/plugins/slack");
    expect(await screen.findByTestId("usage-Sockets")).toHaveTextContent("1of 8");
    act(() => {
      platform.world.plugins = platform.world.plugins.map((row) => (row.id === "slack" ? { ...row, usage: { ...row.usage, sockets: 7 } } : row));
      platform.world.publish({ topic: "plugin_changed", id: "slack" });
    });
    await waitFor(() => expect(screen.getByTestId("usage-Sockets")).toHaveTextContent("7of 8"));
  });

  it("says what it registered, and where each hook stands in the order", async () => {
    openWindow("#/plugins/redact");
    const registered = within(await screen.findByRole("region", { name: "What it registered" }));
    expect(registered.getByText("message_sending").closest("div")).toHaveTextContent(/may change it.*1\. of 3, priority 10/);
    expect(registered.getByText("before_tool_call").closest("div")).toHaveTextContent(/may stop it/);
  });

  it("leads from a channel to its source", async () => {
    const { user } = openWindow("#/plugins/telegram");
    await user.click(await screen.findByTestId("part-channel:telegram"));
    expect(window.location.hash).toBe("#/sources/channel%3Atelegram");
  });

  it("keeps two minutes of figures and no more", () => {
    let series: readonly (typeof NO_USAGE)[] = [];
    for (let i = 0; i < SERIES_MAX + 5; i += 1) series = withNewest(series, { ...NO_USAGE, timers: i });
    expect(series).toHaveLength(SERIES_MAX);
    expect(series.at(-1)?.timers).toBe(SERIES_MAX + 4);
  });
});

describe("a plugin's settings", () => {
  it("say at the field what the engine found wrong with it", async () => {
    const { user, platform } = openWindow("#/plugins/digest");
    await user.click(await screen.findByTestId("tab-settings"));
    const to = await screen.findByLabelText("Send to");
    await user.clear(to);
    await user.type(to, "mara@nowhere.example{Enter}");
    await waitFor(() => expect(to).toHaveAccessibleDescription("Nobody answers at mara@nowhere.example."));
    expect(to).toBeInvalid();
    expect(platform.world.extra("digest").settings).toMatchObject({ to: "team@acme.example" });
  });

  it("are saved with lists and groups in their own form", async () => {
    const { user, platform } = openWindow("#/plugins/digest");
    await user.click(await screen.findByTestId("tab-settings"));
    await user.click(await screen.findByRole("button", { name: "Add to Leave out" }));
    await user.type(screen.getByLabelText("Leave out 2"), "draft");
    await user.type(screen.getByLabelText("From"), "22");
    await user.click(screen.getByRole("button", { name: "Save" }));
    await waitFor(() => expect(platform.world.extra("digest").settings).toEqual({ sendAt: "08:00", to: "team@acme.example", style: "short", maxItems: 20, weekends: false, skip: ["private", "draft"], quiet: { from: 22 } }));
    await waitFor(() => expect(screen.getAllByTestId("status-line").some((line) => line.textContent?.includes("Settings saved."))).toBe(true));
  });

  it("keep a secret beside them and forget what was typed", async () => {
    const { user, platform } = openWindow("#/plugins/digest");
    await user.click(await screen.findByTestId("tab-settings"));
    await user.type(await screen.findByTestId("secret-webhookToken"), "s3cret{Enter}");
    await waitFor(() => expect(platform.world.extra("digest").secrets).toEqual([{ name: "webhookToken", set: true }]));
    await waitFor(() => expect(screen.getByTestId("secret-webhookToken")).toHaveValue(""));
  });
});
