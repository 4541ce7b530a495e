import { screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { openWindow } from "@/test/app";

/** In the heading, the sidebar, at the foot and in the line of health. */
const everywhere = (n: number) => [`${n}`, `Needs you${n}`, `Needs you${n}`, `${n}`];

describe("what needs the person", () => {
  it("is one list: every place has the same count and the same name, and what is answered is gone from all of them", async () => {
    const { user, platform } = openWindow("#/waiting");
    const heading = await screen.findByRole("heading", { level: 1, name: "Needs you" });
    const counts = () => [heading.nextSibling?.textContent, screen.getByTestId("nav-waiting").textContent, screen.getByTestId("needs-you").textContent, /(\d+) needs? you/.exec(screen.getByTestId("health-line").textContent)?.[1]];
    const content = screen.getByRole("region", { name: "Needs you" });
    const listed = () => content.querySelectorAll("[data-testid^=approval-], [data-testid^=elicitation-ask], [data-testid^=pairing-], [data-testid^=letter-], [data-testid^=needs-]").length;
    const all = platform.world.health().waiting;
    expect(all).toBeGreaterThan(12);
    await waitFor(() => expect(counts()).toEqual(everywhere(all)));
    await waitFor(() => expect(listed()).toBe(all));
    await user.click(screen.getByTestId("approve-K7QM2XPA"));
    await waitFor(() => expect(counts()).toEqual(everywhere(all - 1)));
    expect(listed()).toBe(all - 1);
    platform.world.sources = platform.world.sources.map((row) => (row.id === "channel:gmail" ? { ...row, enabled: false } : row));
    platform.world.publish({ topic: "source_changed", source: platform.world.source("channel:gmail") });
    await waitFor(() => expect(counts()).toEqual(everywhere(all - 2)));
    expect(listed()).toBe(all - 2);
  });

  it("shows a call as the chat does: the command on a line of its own, and no JSON", async () => {
    const { user } = openWindow();
    await user.click(await screen.findByTestId("needs-you"));
    const panel = within(await screen.findByRole("dialog", { name: "Needs you" }));
    const card = within(panel.getByTestId("approval-T4W8KE"));
    expect(card.getByText("npx vitest run src/login --repeats 40").tagName).toBe("PRE");
    expect(panel.queryByText(/[{}]|\\"|"command"/)).toBeNull();
  });

  it("is counted at the foot, answered from its panel, and leads to where it is dealt with", async () => {
    const { user, platform } = openWindow();
    const button = await screen.findByTestId("needs-you");
    const before = Number(within(button).getByText(/^\d+$/).textContent);
    expect(before).toBeGreaterThan(2);
    await user.click(button);
    await user.click(within(await screen.findByTestId("approval-T4W8KE")).getByTestId("approve-once"));
    await waitFor(() => expect(platform.world.approvals.map((each) => each.code)).not.toContain("T4W8KE"));
    await waitFor(() => expect(within(screen.getByTestId("needs-you")).getByText(String(before - 1))).toBeVisible());
    await user.click(await screen.findByTestId("needs-pairing:K7QM2XPA"));
    await waitFor(() => expect(window.location.hash).toBe("#/waiting"));
    await waitFor(() => expect(screen.queryByRole("dialog", { name: "Needs you" })).toBeNull());
  });

  it("is reached and answered by keyboard", async () => {
    const { user, platform } = openWindow();
    (await screen.findByTestId("needs-you")).focus();
    await user.keyboard("{Enter}");
    const first = within(await screen.findByTestId("approval-T4W8KE")).getByTestId("approve-deny");
    for (let i = 0; i < 100 && document.activeElement !== first; i += 1) await user.tab();
    expect(first).toHaveFocus();
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
