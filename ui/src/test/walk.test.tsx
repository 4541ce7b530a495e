/** Every view by the keyboard alone: Tab reaches each control, dialogs keep the focus and give it back, menus open and close by keys. */
import { screen, waitFor } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { openRoute, WIDE } from "./routes";

/** A view is walked key by key; a loaded machine gets its time. */
const PATIENCE_MS = 90_000;
const CONTROLS = "button, a[href], input, select, textarea, summary, [role=switch], [tabindex='0']:not([role=tablist])";
/** Arrows move within these; Tab stops at one of them. */
const BY_ARROWS = "[role=listbox], [role=tablist], [role=radiogroup], [role=menu], [cmdk-root]";

const nameOf = (each: Element): string => each.getAttribute("aria-label") ?? (each.textContent.trim().slice(0, 40) || each.outerHTML.slice(0, 80));
const opened = (): Element | null => document.querySelector("[role=dialog], [role=alertdialog], [role=menu]");
const dialog = (): Element | null => document.querySelector("[role=dialog], [role=alertdialog]");

/** What Tab has to stop at. A control without a place in the order counts, unless arrows reach it. */
function stopsOf(home: Element): HTMLElement[] {
  return [...home.querySelectorAll<HTMLElement>(CONTROLS)].filter((each) => {
    if (each.matches(":disabled") || each.closest("[aria-hidden=true], [inert], [hidden], details:not([open]) > :not(summary)") !== null) return false;
    if (each instanceof HTMLInputElement && each.type === "radio" && !each.checked) return false;
    return each.tabIndex >= 0 || each.closest(BY_ARROWS) === null;
  });
}

/** Sets the focus right before an element, as if Tab had come there. */
function before(home: Element): HTMLElement {
  const start = document.createElement("span");
  start.tabIndex = 0;
  home.before(start);
  start.focus();
  return start;
}

describe("Tab reaches every control", () => {
  for (const route of WIDE.filter(({ brief }) => brief !== true)) {
    it(`in ${route.name}`, async () => {
      const { user } = await openRoute(route);
      // A menu is walked by arrows.
      if (document.querySelector("[role=menu]") !== null) return;
      const inDialog = dialog();
      const home = inDialog ?? document.querySelector("main") ?? document.body;
      const start = inDialog === null ? before(home) : null;
      const missing = new Set(stopsOf(home));
      expect(stopsOf(document.body).length, "a window without a control is a dead end").toBeGreaterThan(0);
      if (document.activeElement instanceof HTMLElement) missing.delete(document.activeElement);
      for (let left = missing.size + 8; left > 0 && missing.size > 0; left -= 1) {
        // oxlint-disable-next-line no-await-in-loop -- one key after the other
        await user.tab();
        const at = document.activeElement;
        if (inDialog !== null) expect(inDialog.contains(at), `the focus left the dialog for ${at === null ? "nothing" : nameOf(at)}`).toBe(true);
        if (at instanceof HTMLElement) missing.delete(at);
      }
      start?.remove();
      expect([...missing].filter((each) => each.isConnected).map(nameOf)).toEqual([]);
    }, PATIENCE_MS);
  }
});

describe("Escape closes what is open and gives the focus back", () => {
  for (const route of WIDE.filter(({ brief, clicks, keys }) => brief !== true && (clicks !== undefined || keys !== undefined))) {
    it(`in ${route.name}`, async () => {
      const { user } = await openRoute(route);
      if (opened() === null) return;
      await user.keyboard("{Escape}");
      await waitFor(() => expect(opened()).toBeNull());
      await waitFor(() => expect(document.activeElement).not.toBe(document.body));
    }, PATIENCE_MS);
  }
});

describe("a menu opens by the keyboard, with the focus in it, and gives it back", () => {
  const tried = new Set<string>();
  for (const route of WIDE.filter(({ brief, clicks, keys, query }) => brief !== true && clicks === undefined && keys === undefined && query === undefined)) {
    it(`in ${route.name}`, async () => {
      const { user } = await openRoute(route);
      const triggers = [...document.querySelectorAll<HTMLElement>("[aria-haspopup=menu]")].filter((each) => !tried.has(nameOf(each)));
      for (const trigger of triggers) {
        tried.add(nameOf(trigger));
        trigger.focus();
        // oxlint-disable-next-line no-await-in-loop -- one menu after the other
        await user.keyboard("{Enter}");
        // oxlint-disable-next-line no-await-in-loop
        await waitFor(() => expect(screen.getByRole("menu").contains(document.activeElement), nameOf(trigger)).toBe(true));
        // oxlint-disable-next-line no-await-in-loop
        await user.keyboard("{ArrowDown}");
        expect(document.activeElement?.getAttribute("role"), nameOf(trigger)).toMatch(/^menuitem/);
        // oxlint-disable-next-line no-await-in-loop
        await user.keyboard("{Escape}");
        // oxlint-disable-next-line no-await-in-loop
        await waitFor(() => expect(screen.queryByRole("menu")).toBeNull());
        expect(trigger, "the focus is back").toHaveFocus();
      }
    }, PATIENCE_MS);
  }

  it("and there are such menus", () => expect(tried.size).toBeGreaterThan(8));
});
