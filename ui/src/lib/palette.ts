/**
 * Colour themes, made from a few numbers: the hue and strength of the greys, and those of the accent. Lightness is found by
 * contrast, so that text holds 4.5:1 on every ground of every theme by construction. Colours are worked out in OKLCH.
 */
export interface ThemeSeed {
  id: string;
  name: string;
  /** Hue of the greys in degrees, and how strong it is. */
  grey: readonly [hue: number, chroma: number];
  accent: readonly [hue: number, chroma: number];
  /** Lightness of the ground in the dark; 0.22 where it is not said. */
  night?: number;
}

/** Indigo is what the style sheet says. */
export const THEME_SEEDS: readonly ThemeSeed[] = [
  { id: "indigo", name: "Indigo", grey: [280, 0.008], accent: [275, 0.16] },
  { id: "paper", name: "Paper", grey: [85, 0.014], accent: [45, 0.13], night: 0.24 },
  { id: "graphite", name: "Graphite", grey: [0, 0], accent: [0, 0], night: 0.21 },
  { id: "slate", name: "Slate", grey: [250, 0.02], accent: [245, 0.13], night: 0.26 },
  { id: "midnight", name: "Midnight", grey: [265, 0.03], accent: [255, 0.15], night: 0.17 },
  { id: "ink", name: "Ink", grey: [0, 0], accent: [260, 0.17], night: 0.13 },
  { id: "ocean", name: "Ocean", grey: [225, 0.02], accent: [225, 0.13], night: 0.23 },
  { id: "lagoon", name: "Lagoon", grey: [195, 0.014], accent: [190, 0.1], night: 0.22 },
  { id: "fjord", name: "Fjord", grey: [255, 0.028], accent: [215, 0.1], night: 0.29 },
  { id: "forest", name: "Forest", grey: [150, 0.014], accent: [152, 0.13], night: 0.21 },
  { id: "moss", name: "Moss", grey: [120, 0.016], accent: [125, 0.12], night: 0.24 },
  { id: "honey", name: "Honey", grey: [90, 0.02], accent: [80, 0.13], night: 0.23 },
  { id: "ember", name: "Ember", grey: [40, 0.014], accent: [38, 0.16], night: 0.21 },
  { id: "rose", name: "Rose", grey: [5, 0.014], accent: [5, 0.16], night: 0.23 },
  { id: "plum", name: "Plum", grey: [315, 0.02], accent: [315, 0.15], night: 0.22 },
];

type Rgb = readonly [number, number, number];

/** OKLCH to linear sRGB (Björn Ottosson's matrices, 2020). */
function linear(l: number, c: number, hue: number): Rgb {
  const a = c * Math.cos((hue * Math.PI) / 180);
  const b = c * Math.sin((hue * Math.PI) / 180);
  const L = (l + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const M = (l - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const S = (l - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [4.0767416621 * L - 3.3077115913 * M + 0.2309699292 * S, -1.2684380046 * L + 2.6097574011 * M - 0.3413193965 * S, -0.0041960863 * L - 0.7034186147 * M + 1.707614701 * S];
}

const inside = (rgb: Rgb) => rgb.every((part) => part >= -0.0001 && part <= 1.0001);
const encoded = (part: number) => (part <= 0.0031308 ? 12.92 * part : 1.055 * part ** (1 / 2.4) - 0.055);
const hexOf = (rgb: Rgb) => `#${rgb.map((part) => Math.round(Math.min(1, Math.max(0, encoded(Math.max(0, part)))) * 255).toString(16).padStart(2, "0")).join("")}`;

/** The colour; weaker where a screen cannot show it so strong. */
export function oklch(l: number, c: number, hue: number): string {
  let chroma = c;
  while (chroma > 0 && !inside(linear(l, chroma, hue))) chroma = Math.max(0, chroma - 0.004);
  return hexOf(linear(l, chroma, hue));
}

/** Relative luminance (WCAG 2.2). */
function luminance(hex: string): number {
  const light = (at: number) => {
    const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * light(1) + 0.7152 * light(3) + 0.0722 * light(5);
}

export function contrast(one: string, other: string): number {
  const [low = 0, high = 0] = [luminance(one), luminance(other)].toSorted((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

/** The first colour from lightness `from` on, by steps of `step`, that stands out enough on every ground. */
function reach(from: number, step: number, [hue, chroma]: readonly [number, number], grounds: readonly string[], ratio: number): string {
  let l = from;
  for (let i = 0; i < 200; i += 1) {
    const color = oklch(l, chroma, hue);
    if (grounds.every((ground) => contrast(color, ground) >= ratio)) return color;
    l = Math.min(1, Math.max(0, l + step));
  }
  return step < 0 ? "#000000" : "#ffffff";
}

const part = (of: string, at: number) => Number.parseInt(of.slice(at, at + 2), 16);

/** A translucent layer as what is seen of it on a ground. */
function over(hex: string, ground: string, share: number): string {
  return `#${[1, 3, 5].map((at) => Math.round(part(hex, at) * share + part(ground, at) * (1 - share)).toString(16).padStart(2, "0")).join("")}`;
}

const made = new Map<string, Record<string, string>>();

/** The style sheet's names for the colours of a theme; those it leaves out stay as they are. */
export function palette(seed: ThemeSeed, dark: boolean): Record<string, string> {
  const key = `${seed.id} ${String(dark)}`;
  const known = made.get(key) ?? make(seed, dark);
  made.set(key, known);
  return known;
}

function make(seed: ThemeSeed, dark: boolean): Record<string, string> {
  const [hue, chroma] = seed.grey;
  const grey = (l: number, strength = 1) => oklch(l, chroma * strength, hue);
  const night = seed.night ?? 0.22;
  const at = (light: number, away: number) => (dark ? grey(Math.max(0, night + away)) : grey(light));
  const grounds = { ground: dark ? grey(night) : grey(1, 0.2), list: at(0.984, -0.015), sidebar: at(0.966, -0.03), raised: dark ? grey(night + 0.04) : grey(1, 0.2), sunken: at(0.972, -0.028) };
  const accentSoft = dark ? oklch(night + 0.07, Math.min(0.05, seed.accent[1] * 0.4), seed.accent[0]) : oklch(0.955, Math.min(0.028, seed.accent[1] * 0.25), seed.accent[0]);
  const all = Object.values(grounds);
  const away = dark ? 0.01 : -0.01;
  const found = (from: number, tint: readonly [number, number], more: readonly string[] = []) => reach(from, away, tint, [...all, ...more], 4.6);
  const accent = found(dark ? 0.72 : 0.56, seed.accent, [accentSoft]);
  const chosen = Object.values(grounds).map((ground) => over(accent, ground, dark ? 0.17 : 0.11));
  const faint = reach(dark ? 0.66 : 0.53, away, [hue, chroma * 1.4], [...all, ...chosen], 4.6);
  const muted = reach(dark ? 0.74 : 0.47, away, [hue, chroma * 1.4], [...all, ...chosen, accentSoft], 5.6);
  const accentInk = dark ? grey(0.16, 1) : "#ffffff";
  return {
    ...grounds,
    hover: dark ? "rgb(255 255 255 / 0.05)" : "rgb(20 20 40 / 0.045)",
    selected: `color-mix(in srgb, ${accent} ${dark ? 17 : 11}%, transparent)`,
    line: dark ? grey(night + 0.075) : grey(0.93),
    "line-strong": dark ? grey(night + 0.15) : grey(0.87),
    ink: dark ? grey(0.945, 0.6) : grey(0.235),
    muted,
    faint,
    accent: reach(dark ? 0.72 : 0.56, away, seed.accent, [...all, ...chosen, accentSoft, accentInk], 4.6),
    "accent-strong": reach(dark ? 0.8 : 0.47, away, seed.accent, [...all, accentInk], 5.2),
    switch: oklch(dark ? 0.58 : 0.52, seed.accent[1], seed.accent[0]),
    "accent-ink": accentInk,
    "accent-soft": accentSoft,
  };
}
