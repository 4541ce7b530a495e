/** Arrow keys in a list of rows that are buttons: to the next one, which is chosen with it. Rows carry `data-row`. */
import type { KeyboardEvent } from "react";

/** Where an arrow key leads from row `at` of `n`; null for every other key. */
export function stepOf(key: string, at: number, n: number): number | null {
  switch (key) {
    case "ArrowDown":
      return Math.min(n - 1, at + 1);
    case "ArrowUp":
      return Math.max(0, at - 1);
    case "Home":
      return 0;
    case "End":
      return n - 1;
    default:
      return null;
  }
}

export function moveByArrows(event: KeyboardEvent<HTMLElement>): void {
  const rows = [...event.currentTarget.querySelectorAll<HTMLElement>("[data-row]")];
  const at = rows.findIndex((row) => row === event.target);
  const next = at === -1 ? null : stepOf(event.key, at, rows.length);
  if (next === null) return;
  event.preventDefault();
  rows[next]?.focus();
  rows[next]?.click();
}
