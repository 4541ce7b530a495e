/** axe-core over every view of the window, in both themes. What only a layout shows (contrast, overlap) is `cargo xtask views`. */
import axe from "axe-core";
import { screen, waitFor } from "@testing-library/react";
import { afterEach, describe, expect, it } from "vitest";
import { SECTIONS } from "@/lib/route";
import { setTheme } from "@/lib/theme";
import { PLACES } from "@/shell/places";
import ROUTES from "../../views/routes.json";
import { openWindow } from "./app";

interface Listed {
  name: string;
  hash: string;
  query?: string;
  keys?: string;
}
const routes: readonly Listed[] = ROUTES;

async function faults(): Promise<string[]> {
  const { violations } = await axe.run(document.body, { rules: { "color-contrast": { enabled: false } }, resultTypes: ["violations"] });
  return violations.filter(({ impact }) => impact === "serious" || impact === "critical").map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 160)).join(" | ")}`);
}

describe("no view has a serious fault that axe-core finds", () => {
  afterEach(() => setTheme("system"));

  for (const { name, hash, query, keys } of routes.filter((route) => route.keys === undefined || route.keys.startsWith("Control"))) {
    it(name, async () => {
      const options = query === undefined ? {} : { [query]: true };
      const { user } = openWindow(hash, options);
      await waitFor(() => expect(document.querySelector("main")).not.toBeNull());
      await waitFor(() => expect(screen.queryByRole("status", { name: "Loading" })).toBeNull());
      if (keys !== undefined) {
        await user.keyboard(`{Control>}${keys.split("+")[1] ?? ""}{/Control}`);
        await screen.findByRole("dialog");
      }
      for (const theme of ["light", "dark"] as const) {
        setTheme(theme);
        expect(await faults()).toEqual([]);
      }
    });
  }

  it("and no view is left out", () => {
    const hashes = routes.map(({ hash }) => hash);
    for (const { view } of PLACES) expect(hashes.some((hash) => hash.startsWith(`#/${view}`)), view).toBe(true);
    for (const section of SECTIONS) expect(hashes, `settings/${section}`).toContain(`#/settings/${section}`);
  });
});
