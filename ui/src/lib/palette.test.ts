import { describe, expect, it } from "vitest";
import { contrast, oklch, palette, THEME_SEEDS } from "./palette";

const GROUNDS = ["ground", "list", "sidebar", "raised", "sunken"] as const;

describe("the colour themes", () => {
  it("are fifteen, each with its own name", () => {
    expect(THEME_SEEDS).toHaveLength(15);
    expect(new Set(THEME_SEEDS.map(({ name }) => name)).size).toBe(15);
  });

  it("hold 4.5:1 between every text and every ground, by day and by night", () => {
    for (const seed of THEME_SEEDS) {
      for (const dark of [false, true]) {
        const colors = palette(seed, dark);
        for (const ground of GROUNDS) {
          for (const text of ["ink", "muted", "faint", "accent"]) {
            expect(contrast(colors[text] ?? "", colors[ground] ?? ""), `${seed.name} ${dark ? "dark" : "light"}: ${text} on ${ground}`).toBeGreaterThanOrEqual(4.5);
          }
        }
        expect(contrast(colors["accent-ink"] ?? "", colors.accent ?? ""), `${seed.name}: the button`).toBeGreaterThanOrEqual(4.5);
        expect(contrast(colors["accent-ink"] ?? "", colors["accent-strong"] ?? ""), `${seed.name}: the button under the pointer`).toBeGreaterThanOrEqual(4.5);
        expect(contrast(colors.accent ?? "", colors["accent-soft"] ?? ""), `${seed.name}: a badge`).toBeGreaterThanOrEqual(4.5);
      }
    }
  });

  it("are as far apart as black and white where a test says so, and never ask for what no screen shows", () => {
    expect(contrast("#000000", "#ffffff")).toBeCloseTo(21, 5);
    expect(oklch(1, 0, 0)).toBe("#ffffff");
    expect(oklch(0.6, 0.4, 150)).toMatch(/^#[0-9a-f]{6}$/);
  });
});
