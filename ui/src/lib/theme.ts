/** Light, dark, or what the system says. */
import { useSyncExternalStore } from "react";

export type Theme = "light" | "dark" | "system";
const KEY = "kata.theme";
const listeners = new Set<() => void>();
const system = () => window.matchMedia?.("(prefers-color-scheme: dark)");

export function storedTheme(): Theme {
  const value = localStorage.getItem(KEY);
  return value === "light" || value === "dark" ? value : "system";
}

function paint(): void {
  const theme = storedTheme();
  const dark = theme === "dark" || (theme === "system" && system()?.matches === true);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  for (const listener of listeners) listener();
}

export function setTheme(theme: Theme): void {
  if (theme === "system") localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, theme);
  paint();
}

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
export const useDark = (): boolean => useSyncExternalStore(subscribe, () => document.documentElement.dataset.theme === "dark");
