/** A figure against what it may be at most, with a short line of how it went; red where it comes close. */
import type { ReactNode } from "react";
import { SERIES_MAX } from "@/data/series";
import { cn } from "@/lib/cn";
import { Sparkline } from "./Sparkline";

interface MeterProps {
  name: string;
  /** Oldest first. */
  values: readonly number[];
  /** Null or 0 where there is no limit. */
  ceiling: number | null;
  words: (value: number) => string;
  testId: string;
  className?: string;
  /** Instead of the line. */
  children?: ReactNode;
}

/** From here on a number is shown as one to look at. */
const CLOSE = 0.85;

export function Meter({ name, values, ceiling, words, testId, className, children }: MeterProps) {
  const limit = ceiling === 0 ? null : ceiling;
  const value = values.at(-1) ?? 0;
  const close = limit !== null && value >= limit * CLOSE;
  return (
    <div data-testid={testId} className={cn("flex flex-col rounded-lg border px-3 pt-2 pb-1.5", close ? "border-bad/50" : "border-line", className)}>
      <dt className="truncate text-sm text-faint">{name}</dt>
      <dd className="flex items-baseline gap-1.5 truncate">
        <span className={cn("text-lg font-semibold", close && "text-bad")}>{words(value)}</span>
        {limit !== null && <span className="truncate text-xs text-faint">of {words(limit)}</span>}
      </dd>
      <dd className="mt-1">{children ?? <Sparkline values={values} slots={SERIES_MAX} ceiling={limit} />}</dd>
    </div>
  );
}

/** How much of a whole is used, for what counts up over a day. */
export function Bar({ value, of }: { value: number; of: number }) {
  const part = of === 0 ? 0 : Math.min(1, value / of);
  return (
    <span aria-hidden className="flex h-7 items-end pb-1">
      <span className="h-1.5 w-full overflow-hidden rounded-full bg-line">
        <span className={cn("block h-full rounded-full", part >= CLOSE ? "bg-bad" : "bg-accent")} style={{ width: `${Math.max(part * 100, value > 0 ? 1.5 : 0)}%` }} />
      </span>
    </span>
  );
}
