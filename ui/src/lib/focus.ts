import { focusPane } from "./panes";

/** A ref that focuses once, when the element appears. Stable, so that a new render does not take the focus back. */
export const focusOnMount = (element: HTMLElement | null): void => element?.focus();

/**
 * Where the focus was before a dialog opened, for when it closes: Radix knows it only of dialogs with a trigger of their own. What
 * is gone by then (an item of a menu) is followed by the content.
 */
export function returner(): { remember: () => void; giveBack: (event: Event) => void } {
  let before: Element | null = null;
  return {
    remember: () => {
      before = document.activeElement;
    },
    giveBack: (event) => {
      event.preventDefault();
      if (before instanceof HTMLElement && before.isConnected && before !== document.body) before.focus();
      else focusPane("content");
    },
  };
}
