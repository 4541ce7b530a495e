/** Which sources of the list are shown. */
import type { SourceSummary } from "@/generated/protocol";
import { isAsleep, toneOf } from "@/lib/status";

export type Show = "all" | "needs" | "running" | "failing" | "off";

export const SHOWS: Record<Show, string> = { all: "All", needs: "Needs you", running: "Running", failing: "Not working", off: "Off" };

/** Where a source belongs, besides "all". */
export function partOf({ enabled, status }: SourceSummary): Exclude<Show, "all"> {
  if (enabled && isAsleep(status)) return "running";
  if (!enabled || status.state.kind === "stopped") return "off";
  // As in the list of what needs the person: one that has stopped does not come back by itself.
  if (status.state.kind === "needs_user" || status.state.kind === "failed") return "needs";
  if (status.state.kind === "backoff" || toneOf(status.state) === "bad") return "failing";
  return "running";
}

export function countShows(sources: readonly SourceSummary[]): Record<Show, number> {
  const counts: Record<Show, number> = { all: sources.length, needs: 0, running: 0, failing: 0, off: 0 };
  for (const source of sources) counts[partOf(source)] += 1;
  return counts;
}

export function matches(source: SourceSummary, show: Show, words: string): boolean {
  if (show !== "all" && partOf(source) !== show) return false;
  return `${source.name} ${source.tagline ?? ""} ${source.plugin ?? ""} ${source.id}`.toLowerCase().includes(words);
}
