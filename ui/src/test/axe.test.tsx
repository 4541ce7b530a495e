/** axe-core over every view of the window. What needs a layout and colours (contrast in both themes, overlap) is `cargo xtask views`. */
import axe from "axe-core";
import { describe, expect, it } from "vitest";
import { SECTIONS } from "@/lib/route";
import { PLACES } from "@/shell/places";
import { openRoute, WIDE } from "./routes";

async function faults(): Promise<string[]> {
  const { violations } = await axe.run(document.body, { rules: { "color-contrast": { enabled: false } }, resultTypes: ["violations"] });
  return violations.filter(({ impact }) => impact === "serious" || impact === "critical").map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 160)).join(" | ")}`);
}

describe("no view has a serious fault that axe-core finds", () => {
  for (const route of WIDE) {
    it(route.name, async () => {
      await openRoute(route);
      expect(await faults()).toEqual([]);
      // axe-core looks at every element in turn; a loaded machine gets its time.
    }, 90_000);
  }

  it("and no view is left out", () => {
    const hashes = WIDE.map(({ hash }) => hash);
    for (const { view } of PLACES) expect(hashes.some((hash) => hash.startsWith(`#/${view}`)), view).toBe(true);
    for (const section of SECTIONS) expect(hashes, `settings/${section}`).toContain(`#/settings/${section}`);
  });
});
