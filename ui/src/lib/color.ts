/** Colours as the label and status files name them: a word, a word with an opacity, or a pair for light and dark. */
const WORDS: Record<string, string> = {
  accent: "var(--c-accent)",
  info: "var(--c-info)",
  success: "var(--c-dot-good)",
  destructive: "var(--c-dot-bad)",
  warning: "var(--c-dot-warn)",
  foreground: "var(--c-ink)",
};

const HEX = /^#[0-9a-f]{3,8}$/i;

export function cssColor(color: unknown, dark: boolean): string {
  if (typeof color === "object" && color !== null) {
    const pair = color as { light?: unknown; dark?: unknown };
    return cssColor(dark ? (pair.dark ?? pair.light) : pair.light, dark);
  }
  if (typeof color !== "string") return "var(--c-dot-idle)";
  if (HEX.test(color)) return color;
  const [word = "", opacity] = color.split("/", 2);
  const base = WORDS[word];
  if (base === undefined) return "var(--c-dot-idle)";
  return opacity === undefined || !/^\d{1,3}$/.test(opacity) ? base : `color-mix(in srgb, ${base} ${opacity}%, transparent)`;
}
