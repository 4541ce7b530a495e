/** The three panes, for the keys that go to them. A pane says which it is with `data-pane`. */
export type Pane = "sidebar" | "list" | "content";

/** What gets the focus of a pane: what is chosen in it, else its list or its text field, else the first control. */
const FIRST: Record<Pane, readonly string[]> = {
  sidebar: ["[aria-current=page]", "button"],
  list: ["[role=listbox]", "[data-row][aria-current]", "[data-row]", "[aria-current=page]", "button, input"],
  content: ["[data-testid=composer]", "[data-focus]", ":is(input,textarea,select,button):not(:disabled)"],
};

/** Answers whether there was one. */
export function focusPane(pane: Pane): boolean {
  const root = document.querySelector<HTMLElement>(`[data-pane=${pane}]`);
  if (root === null) return false;
  for (const selector of FIRST[pane]) {
    const target = root.querySelector<HTMLElement>(selector);
    if (target !== null) {
      target.focus();
      return document.activeElement === target;
    }
  }
  root.tabIndex = -1;
  root.focus();
  return document.activeElement === root;
}
