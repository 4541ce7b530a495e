/** The views that `cargo xtask views` visits, opened on the fake engine. */
import { screen, waitFor } from "@testing-library/react";
import type userEvent from "@testing-library/user-event";
import { expect } from "vitest";
import ROUTES from "../../views/routes.json";
import { openWindow } from "./app";

export interface ViewRoute {
  name: string;
  hash: string;
  query?: string;
  keys?: string;
  /** What is pressed then: test ids, or `text=…`. */
  clicks?: string[];
  /** Only as wide as a phone, or only wider. */
  at?: string;
  /** A variant: the same controls as another view. */
  brief?: boolean;
}

const all: readonly ViewRoute[] = ROUTES;
export const WIDE: readonly ViewRoute[] = all.filter(({ at }) => at !== "phone");

export async function openRoute({ hash, query, keys, clicks = [] }: ViewRoute): Promise<{ user: ReturnType<typeof userEvent.setup> }> {
  const { user } = openWindow(hash, query === undefined ? {} : { [query]: true });
  await waitFor(() => expect(document.querySelector("main, [role=alert]")).not.toBeNull());
  await waitFor(() => expect(screen.queryByRole("status", { name: "Loading" })).toBeNull());
  for (const click of clicks) {
    const found = click.startsWith("text=") ? await screen.findAllByText(click.slice(5)) : await screen.findAllByTestId(click);
    const [first] = found;
    if (first === undefined) throw new Error(`nothing is called ${click}`);
    // One after the other, as a person does it.
    // oxlint-disable-next-line no-await-in-loop
    await user.click(first);
  }
  if (keys !== undefined) {
    // From the content, to which the focus comes back.
    await user.keyboard("{Control>}3{/Control}");
    await user.keyboard(`{Control>}${keys.split("+")[1] ?? ""}{/Control}`);
    await screen.findByRole("dialog");
  }
  return { user };
}
