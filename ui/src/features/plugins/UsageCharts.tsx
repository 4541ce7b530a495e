/** What a plugin uses against what it may use, each as a number and a short line. */
import { Sparkline } from "@/components/Sparkline";
import type { PluginCeilings, PluginUsage } from "@/generated/protocol";
import { cn } from "@/lib/cn";
import { mebibytes, plural } from "@/lib/format";
import { SERIES_MAX, useUsageSeries } from "./usageSeries";

interface Chart {
  name: string;
  of: (usage: PluginUsage) => number;
  /** Null where there is no ceiling. */
  ceiling: number | null;
  words: (value: number) => string;
}

const plain = (value: number): string => value.toLocaleString();
const millis = (value: number): string => `${plain(value)} ms`;
/** From here on a number is shown as one to look at. */
const CLOSE = 0.85;

function chartsOf(limits: PluginCeilings): Chart[] {
  return [
    { name: "Memory", of: (usage) => usage.memoryBytes, ceiling: limits.memoryBytes, words: mebibytes },
    { name: "CPU per minute", of: (usage) => usage.cpuMsLastMinute, ceiling: limits.cpuMsPerMinute, words: millis },
    { name: "Requests per minute", of: (usage) => usage.requestsLastMinute, ceiling: null, words: plain },
    { name: "Calls waiting", of: (usage) => usage.queueDepth, ceiling: limits.queue, words: plain },
    { name: "Calls in flight", of: (usage) => usage.callsInFlight, ceiling: limits.callsInFlight, words: plain },
    { name: "Sockets", of: (usage) => usage.sockets, ceiling: limits.sockets, words: plain },
    { name: "Timers", of: (usage) => usage.timers, ceiling: limits.timers, words: plain },
    { name: "Log lines dropped", of: (usage) => usage.logLinesDropped, ceiling: null, words: plain },
  ];
}

export function UsageCharts({ usage, limits, at }: { usage: PluginUsage; limits: PluginCeilings; at: number }) {
  const series = useUsageSeries(usage, at);
  return (
    <div className="flex flex-col gap-2">
      <dl className="grid grid-cols-2 gap-2 @lg:grid-cols-4">
        {chartsOf(limits).map((chart) => (
          <Tile key={chart.name} chart={chart} values={series.map(chart.of)} />
        ))}
      </dl>
      <p className="text-sm text-faint">
        {usage.restarts === 0 ? "Not restarted since the app started." : `${plural(usage.restarts, "restart")} after a fault since the app started.`} It may write {plain(limits.logLinesPerMinute)} log lines a minute.
      </p>
    </div>
  );
}

function Tile({ chart, values }: { chart: Chart; values: readonly number[] }) {
  const { name, words } = chart;
  // A plugin that does not run has no ceilings yet.
  const ceiling = chart.ceiling === 0 ? null : chart.ceiling;
  const value = values.at(-1) ?? 0;
  const close = ceiling !== null && value >= ceiling * CLOSE;
  return (
    <div data-testid={`usage-${name}`} className={cn("flex flex-col rounded-lg border px-3 pt-2 pb-1.5", close ? "border-bad/50" : "border-line")}>
      <dt className="truncate text-sm text-faint">{name}</dt>
      <dd className="flex items-baseline gap-1.5 truncate">
        <span className={cn("text-lg font-semibold", close && "text-bad")}>{words(value)}</span>
        {ceiling !== null && <span className="truncate text-xs text-faint">of {words(ceiling)}</span>}
      </dd>
      <dd className="mt-1">
        <Sparkline values={values} slots={SERIES_MAX} ceiling={ceiling} />
      </dd>
    </div>
  );
}
