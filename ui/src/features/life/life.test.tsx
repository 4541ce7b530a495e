import { screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import type { CrashReport } from "@/generated/protocol";
import { openWindow } from "@/test/app";

const REPORT: CrashReport = { id: "20260101T000000-crash", at: Date.now() - 150_000, version: "0.1.0", kind: "crash", place: "SIGSEGV", text: "Kata Agents 0.1.0\nended by SIGSEGV", seen: false };

describe("after a crash", () => {
  it("the window says so calmly, gives the report, and says it no more once it was seen", async () => {
    const { user, platform } = openWindow("#/sessions");
    platform.world.crashes = [REPORT];
    expect(await screen.findByText(/ended unexpectedly 2 min ago and came back; nothing was lost/)).toBeVisible();
    await user.click(screen.getByTestId("copy-report"));
    await waitFor(async () => expect(await navigator.clipboard.readText()).toContain("SIGSEGV"));
    await user.click(screen.getAllByRole("button", { name: "Dismiss" })[0] as HTMLElement);
    await waitFor(() => expect(screen.queryByText(/ended unexpectedly/)).toBeNull());
  });

  it("a panic that the program survived is no line at the foot", async () => {
    const { platform } = openWindow("#/sessions");
    platform.world.crashes = [{ ...REPORT, kind: "panic" }];
    await screen.findByTestId("health-line");
    expect(screen.queryByText(/ended unexpectedly/)).toBeNull();
  });

  it("safe mode says why, switches the suspect off and starts normally", async () => {
    const { user, platform } = openWindow("#/sessions");
    platform.world.safeMode = { reason: "it ended unexpectedly 3 times within 5 minutes", suspects: ["echo"], since: 0 };
    expect(await screen.findByText(/plugins are off, because it ended unexpectedly 3 times/)).toBeVisible();
    await user.click(screen.getByTestId("switch-off-suspect"));
    await waitFor(() => expect(platform.world.plugins.find(({ id }) => id === "echo")?.enabled).toBe(false));
    await user.click(screen.getByTestId("start-normally"));
    await waitFor(() => expect(screen.queryByText(/Safe mode/)).toBeNull());
  });
});

describe("reports about unexpected ends", () => {
  it("need the person until they are put away, from the list of what does", async () => {
    const { user, platform } = openWindow("#/sessions", { troubled: true });
    await user.click(await screen.findByTestId("needs-you"));
    await user.click(await screen.findByTestId(`answer-dismiss-crash:${platform.world.crashes[0]?.id}`));
    await waitFor(() => expect(platform.world.crashes.every(({ seen }) => seen)).toBe(true));
    const panel = within(screen.getByRole("dialog", { name: "Needs you" }));
    await waitFor(() => expect(panel.queryByText("Kata Agents ended unexpectedly and came back")).toBeNull());
    expect(panel.getByTestId("needs-notice:torn-session")).toBeVisible();
  });

  it("stand in the diagnostics, also those of a part that stopped, to be read and copied", async () => {
    const { user } = openWindow("#/settings/diagnostics", { troubled: true });
    const report = within(await screen.findByTestId("crash-20261126T193000-panic"));
    expect(report.getByText("A part of it stopped; the rest went on")).toBeVisible();
    await user.click(report.getByRole("button", { name: "Show" }));
    expect(report.getByText(/a task stopped at kata_sources::mcp/)).toBeVisible();
    await user.click(report.getByRole("button", { name: "Copy the report" }));
    await waitFor(async () => expect(await navigator.clipboard.readText()).toContain("kata_sources::mcp"));
    await user.click(screen.getByTestId("crash-dismiss-20261126T203000-crash"));
    await waitFor(() => expect(screen.queryByTestId("crash-dismiss-20261126T203000-crash")).toBeNull());
  });

  it("are said to be none where there are none", async () => {
    openWindow("#/settings/diagnostics");
    expect(await screen.findByText("None. Whenever it has ended, it was in order.")).toBeVisible();
  });
});

describe("start at login", () => {
  it("is switched on, and says who brings it back after a crash", async () => {
    const { user } = openWindow("#/settings/general");
    await user.click(await screen.findByRole("switch", { name: "Start when you log in" }));
    expect(await screen.findByText("It is started again")).toBeVisible();
    expect(screen.getByText(/kata-agents\.service/)).toBeVisible();
  });

  it("says where nobody does", async () => {
    const { platform } = openWindow("#/settings/general");
    platform.world.background = { ...platform.world.background, by: "autostart", atLogin: true };
    expect(await screen.findByText("Nobody starts it again on this machine")).toBeVisible();
  });
});

describe("the checks", () => {
  it("put what does not work first, with what mends it", async () => {
    openWindow("#/settings/diagnostics");
    expect(await screen.findByTestId("checks-summary")).toHaveTextContent("1 check passed, 2 did not.");
    expect(screen.getByTestId("check-model.default")).toHaveTextContent("kata models detect");
    expect(screen.getByTestId("check-disk.space")).toHaveAttribute("data-outcome", "warning");
  });
});
