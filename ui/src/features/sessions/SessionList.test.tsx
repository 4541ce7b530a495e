import { screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { withRow } from "@/data/sessionList";
import { SESSIONS } from "@/platform/fake/sessions";
import { openWindow } from "@/test/app";
import { listRows } from "./rows";

const NOW = Date.now();

describe("the session list", () => {
  it("keeps channel conversations out of the desktop's list and gives them their own", async () => {
    const { user } = openWindow();
    expect(await screen.findByTestId("session-row-261122-brave-otter")).toBeVisible();
    expect(screen.queryByTestId("session-row-261122-channel-mara")).toBeNull();
    await user.click(screen.getByTestId("nav-channels"));
    expect(await screen.findByTestId("session-row-261122-channel-mara")).toHaveTextContent("Telegram");
  });

  it("moves through the rows by arrow keys", async () => {
    const { user } = openWindow();
    const list = await screen.findByRole("listbox", { name: "Sessions" });
    list.focus();
    await user.keyboard("{ArrowDown}{ArrowDown}");
    const second = within(list).getAllByRole("option")[1];
    await waitFor(() => expect(second).toHaveAttribute("aria-selected", "true"));
    expect(list).toHaveAttribute("aria-activedescendant", second?.id);
  });

  it("finds by words in title or preview, and says so when there is nothing", async () => {
    const { user } = openWindow();
    const search = await screen.findByLabelText("Search sessions");
    await user.type(search, "flaky");
    await waitFor(() => expect(screen.getAllByRole("option")).toHaveLength(1));
    await user.type(search, " nothing like it");
    expect(await screen.findByText("Nothing found")).toBeVisible();
  });

  it("draws what is in sight of 5,000 sessions, not all of them", async () => {
    openWindow("", { big: true });
    await waitFor(() => expect(screen.getByTestId("nav-sessions")).toHaveTextContent(/5,01\d/));
    expect(screen.getAllByRole("option").length).toBeLessThan(60);
  });

  it("puts a row that was written to on top, once", () => {
    const [first, second, ...rest] = SESSIONS;
    if (first === undefined || second === undefined) throw new Error("the fake has sessions");
    const moved = withRow([first, second, ...rest], { ...second, lastMessageAt: NOW + 1 });
    expect(moved[0]?.id).toBe(second.id);
    expect(moved.filter(({ id }) => id === second.id)).toHaveLength(1);
  });

  it("stands a heading over each day, and none over a day without a match", () => {
    const rows = listRows(SESSIONS.filter((session) => session.channel === null), { by: "flagged" }, NOW);
    const headings = rows.filter((row) => row.kind === "heading");
    expect(new Set(headings.map(({ key }) => key)).size).toBe(headings.length);
    expect(rows.filter((row) => row.kind === "session").every((row) => row.session.flagged)).toBe(true);
    expect(rows[0]?.kind).toBe("heading");
  });
});

describe("the menu of a session", () => {
  it("opens on the chosen row by keyboard and flags it", async () => {
    const { user, platform } = openWindow("#/sessions/all/261122-amber-finch");
    const list = await screen.findByRole("listbox", { name: "Sessions" });
    await screen.findByTestId("session-row-261122-amber-finch");
    list.focus();
    await user.keyboard("{Shift>}{F10}{/Shift}");
    await user.click(await screen.findByRole("menuitem", { name: "Flag" }));
    await waitFor(() => expect(platform.world.session("261122-amber-finch").flagged).toBe(true));
    expect(await within(screen.getByTestId("session-row-261122-amber-finch")).findByLabelText("Flagged")).toBeVisible();
  });
});
