/** Light, dark, or what the system says; the colour theme, the size of text, the width of a conversation. */
import { useSyncExternalStore } from "react";
import { palette, THEME_SEEDS } from "./palette";

export type Theme = "light" | "dark" | "system";
const KEY = "kata.theme";
const COLORS_KEY = "kata.colors";
const SIZE_KEY = "kata.textSize";
const WIDTH_KEY = "kata.wide";
const listeners = new Set<() => void>();
const system = () => window.matchMedia?.("(prefers-color-scheme: dark)");

/** Sizes of text, in percent of the system's. */
export const TEXT_SIZES = [90, 100, 112, 125] as const;
export type TextSize = (typeof TEXT_SIZES)[number];
const DEFAULT_COLORS = "indigo";

export function storedTheme(): Theme {
  const value = localStorage.getItem(KEY);
  return value === "light" || value === "dark" ? value : "system";
}

const storedColors = (): string => THEME_SEEDS.find(({ id }) => id === localStorage.getItem(COLORS_KEY))?.id ?? DEFAULT_COLORS;
const storedSize = (): TextSize => TEXT_SIZES.find((size) => String(size) === localStorage.getItem(SIZE_KEY)) ?? 100;
const storedWide = (): boolean => localStorage.getItem(WIDTH_KEY) === "wide";

let painted: string[] = [];

function paint(): void {
  const root = document.documentElement;
  const theme = storedTheme();
  const dark = theme === "dark" || (theme === "system" && system()?.matches === true);
  root.dataset.theme = dark ? "dark" : "light";
  for (const name of painted) root.style.removeProperty(name);
  painted = [];
  const seed = THEME_SEEDS.find(({ id }) => id === storedColors());
  if (seed !== undefined && seed.id !== DEFAULT_COLORS) {
    for (const [name, color] of Object.entries(palette(seed, dark))) {
      root.style.setProperty(`--c-${name}`, color);
      painted.push(`--c-${name}`);
    }
  }
  root.style.fontSize = storedSize() === 100 ? "" : `${storedSize()}%`;
  root.style.setProperty("--chat", storedWide() ? "1040px" : "720px");
  for (const listener of listeners) listener();
}

function keep(key: string, value: string | null): void {
  if (value === null) localStorage.removeItem(key);
  else localStorage.setItem(key, value);
  paint();
}

export const setTheme = (theme: Theme): void => keep(KEY, theme === "system" ? null : theme);
export const setColors = (id: string): void => keep(COLORS_KEY, id === DEFAULT_COLORS ? null : id);
export const setTextSize = (size: TextSize): void => keep(SIZE_KEY, size === 100 ? null : String(size));
export const setWide = (wide: boolean): void => keep(WIDTH_KEY, wide ? "wide" : null);

/** Paints the theme and follows the system from now on. */
export function startTheme(): void {
  system()?.addEventListener("change", paint);
  paint();
}

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

export const useTheme = (): Theme => useSyncExternalStore(subscribe, storedTheme);
export const useColors = (): string => useSyncExternalStore(subscribe, storedColors);
export const useTextSize = (): TextSize => useSyncExternalStore(subscribe, storedSize);
export const useWide = (): boolean => useSyncExternalStore(subscribe, storedWide);
export const useDark = (): boolean => useSyncExternalStore(subscribe, () => document.documentElement.dataset.theme === "dark");
