/** Figures over the last minutes, as long as somebody looks. The engine keeps no history; this is the window's own. */
import { useState } from "react";

/** How often figures are asked for while they are in sight, ms. */
export const FIGURES_EVERY_MS = 2_000;
/** Figures kept: two minutes. */
export const SERIES_MAX = 60;

/** Adds the newest figures and lets the oldest go. */
export function withNewest<T>(series: readonly T[], newest: T): readonly T[] {
  return [...series, newest].slice(-SERIES_MAX);
}

/** `at` is when the figures came. */
export function useSeries<T>(newest: T, at: number): readonly T[] {
  const [series, setSeries] = useState<{ at: number; rows: readonly T[] }>({ at, rows: [newest] });
  // A new answer came: the series grows in the same render, so that number and line never disagree.
  if (series.at !== at) setSeries({ at, rows: withNewest(series.rows, newest) });
  return series.rows;
}
