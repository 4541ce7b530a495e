/** A plugin's use over the last minutes, as long as somebody looks. The engine keeps no history; this is the window's own. */
import { useState } from "react";
import type { PluginUsage } from "@/generated/protocol";

/** How often the figures are asked for while they are in sight, ms. */
export const usageEvery = 2_000;
/** Figures kept: two minutes. */
export const SERIES_MAX = 60;

/** Adds the newest figures and lets the oldest go. */
export function withUsage(series: readonly PluginUsage[], usage: PluginUsage): readonly PluginUsage[] {
  return [...series, usage].slice(-SERIES_MAX);
}

export function useUsageSeries(usage: PluginUsage, at: number): readonly PluginUsage[] {
  const [series, setSeries] = useState<{ at: number; rows: readonly PluginUsage[] }>({ at, rows: [usage] });
  // A new answer came: the series grows in the same render, so that number and line never disagree.
  if (series.at !== at) setSeries({ at, rows: withUsage(series.rows, usage) });
  return series.rows;
}
