/** What a plugin uses against what it may use, each as a number and a short line. */
import { Meter } from "@/components/Meter";
import { useSeries } from "@/data/series";
import type { PluginCeilings, PluginUsage } from "@/generated/protocol";
import { mebibytes, plural } from "@/lib/format";

interface Chart {
  name: string;
  of: (usage: PluginUsage) => number;
  /** Null where there is no ceiling. */
  ceiling: number | null;
  words: (value: number) => string;
}

const plain = (value: number): string => value.toLocaleString();
const millis = (value: number): string => `${plain(value)} ms`;

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
  const series = useSeries(usage, at);
  return (
    <div className="flex flex-col gap-2">
      <dl className="grid grid-cols-2 gap-2 @lg:grid-cols-4">
        {chartsOf(limits).map((chart) => (
          // A plugin that does not run has no ceilings yet.
          <Meter key={chart.name} testId={`usage-${chart.name}`} name={chart.name} ceiling={chart.ceiling} words={chart.words} values={series.map(chart.of)} />
        ))}
      </dl>
      <p className="text-sm text-faint">
        {usage.restarts === 0 ? "Not restarted since the app started." : `${plural(usage.restarts, "restart")} after a fault since the app started.`} It may write {plain(limits.logLinesPerMinute)} log lines a minute.
      </p>
    </div>
  );
}
