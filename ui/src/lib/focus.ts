import { focusPane } from "./panes";

/** A ref that focuses once, when the element appears. Stable, so that a new render does not take the focus back. */
export const focusOnMount = (element: HTMLElement | null): void => element?.focus();

/** A ref for what is chosen in a list: it scrolls into sight when it becomes that. Stable, as the one above. */
export const intoSight = (element: HTMLElement | null): void => void element?.scrollIntoView({ block: "nearest" });

/** For what takes the place of something longer: it is read from its top. */
export const fromItsTop = (element: HTMLElement | null): void => void element?.scrollIntoView({ block: "start" });

/** The same along a row that scrolls sideways; what is around it stays where it is. */
export const alongIntoSight = (element: HTMLElement | null): void => {
  const row = element?.parentElement;
  if (element === null || row == null) return;
  const [at, seen] = [element.getBoundingClientRect(), row.getBoundingClientRect()];
  if (at.right > seen.right) row.scrollLeft += at.right - seen.right;
  else if (at.left < seen.left) row.scrollLeft -= seen.left - at.left;
};

/**
 * What had the focus last in the window and in each dialog, newest last. For what stands in a menu that is the menu's button: the menu is
 * gone when what it opens is there.
 */
let late: Element[] = [];
const homeOf = (element: Element): Element | null => element.closest("[role=dialog], [role=alertdialog]");
document.addEventListener("focusin", ({ target }) => {
  if (!(target instanceof Element)) return;
  const button = target.closest("[role=menu]")?.getAttribute("aria-labelledby");
  const at = (button == null ? null : document.getElementById(button)) ?? target;
  late = [...late.filter((each) => each.isConnected && homeOf(each) !== homeOf(at)), at];
});

/**
 * For the end of a dialog: the focus goes where it was before, which Radix knows only of dialogs with a trigger of their own. What is
 * gone by then is followed by the content, or by the list where a phone shows that.
 */
export function giveFocusBack(event: Event): void {
  event.preventDefault();
  const dialog = event.currentTarget instanceof Element ? event.currentTarget : null;
  const before = late.findLast((each) => each.isConnected && dialog?.contains(each) !== true);
  if (before instanceof HTMLElement) before.focus();
  if (before !== undefined && document.activeElement === before) return;
  if (!focusPane("content")) focusPane("list");
}
