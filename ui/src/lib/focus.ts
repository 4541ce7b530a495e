/** A ref that focuses once, when the element appears. Stable, so that a new render does not take the focus back. */
export const focusOnMount = (element: HTMLElement | null): void => element?.focus();
