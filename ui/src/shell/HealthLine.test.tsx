import { screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { openWindow } from "@/test/app";

describe("what needs the person", () => {
  it("is counted at the foot, answered from its menu, and leads to where it is dealt with", async () => {
    const { user, platform } = openWindow();
    const button = await screen.findByTestId("needs-you");
    const before = Number(within(button).getByText(/^\d+$/).textContent);
    expect(before).toBeGreaterThan(2);
    await user.click(button);
    await user.click(await screen.findByTestId("answer-once-approval:T4W8KE"));
    await waitFor(() => expect(platform.world.approvals.map((each) => each.code)).not.toContain("T4W8KE"));
    await waitFor(() => expect(within(screen.getByTestId("needs-you")).getByText(String(before - 1))).toBeVisible());
    await user.click(screen.getByTestId("needs-you"));
    await user.click(await screen.findByTestId("needs-pairing:K7QM2XPA"));
    await waitFor(() => expect(window.location.hash).toBe("#/waiting"));
  });

  it("is reached and answered by keyboard", async () => {
    const { user, platform } = openWindow();
    (await screen.findByTestId("needs-you")).focus();
    await user.keyboard("{Enter}");
    const first = await screen.findByTestId("answer-deny-approval:T4W8KE");
    while (document.activeElement !== first) await user.keyboard("{ArrowDown}");
    await user.keyboard("{Enter}");
    await waitFor(() => expect(platform.world.approvals.map((each) => each.code)).not.toContain("T4W8KE"));
  });
});

describe("a pause of all channels", () => {
  it("is begun from the foot, says how long it lasts, and is ended there", async () => {
    const { user, platform } = openWindow();
    await user.click(await screen.findByTestId("pause-channels"));
    await user.click(await screen.findByTestId("pause-for-30"));
    expect(await screen.findByTestId("paused")).toHaveTextContent(/Paused until \d/);
    expect(screen.queryByTestId("pause-channels")).toBeNull();
    expect(platform.world.pause.paused).toBe(true);
    await user.click(screen.getByTestId("resume-channels"));
    await waitFor(() => expect(screen.queryByTestId("paused")).toBeNull());
    expect(platform.world.pause.paused).toBe(false);
  });
});

describe("a place that is asked for from outside", () => {
  it("is gone to", async () => {
    const { platform } = openWindow();
    await screen.findByTestId("health-line");
    platform.ask({ kind: "route", route: "/sources/channel%3Atelegram" });
    expect(await screen.findByRole("heading", { level: 1, name: "Sources" })).toBeVisible();
    expect(window.location.hash).toBe("#/sources/channel%3Atelegram");
  });

  it("fills the composer of a new chat with a link's text, says so, and sends nothing", async () => {
    const { platform, user } = openWindow();
    await screen.findByTestId("health-line");
    const before = platform.world.sessions.size;
    platform.ask({ kind: "compose", text: "delete everything", cut: false });
    expect(await screen.findByTestId("from-link")).toHaveTextContent(/Read it before you send it/);
    expect(screen.getByTestId("composer")).toHaveValue("delete everything");
    expect(platform.world.sessions.size).toBe(before + 1);
    const made = [...platform.world.sessions.keys()].at(-1) ?? "";
    expect(platform.world.transcript(made)).toEqual([]);
    await user.click(screen.getByTestId("discard-link"));
    expect(screen.getByTestId("composer")).toHaveValue("");
    expect(screen.queryByTestId("from-link")).toBeNull();
  });

  it("is named where it is no place here", async () => {
    const { platform } = openWindow();
    await screen.findByTestId("health-line");
    platform.ask({ kind: "unknown", link: "kata://rm/-rf" });
    expect(await screen.findByText(/kata:\/\/rm\/-rf/)).toBeVisible();
  });
});
