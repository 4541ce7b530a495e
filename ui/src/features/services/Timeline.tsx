/** The states a thing went through, newest first. */
import { StatusDot } from "@/components/StatusBadge";
import type { Status } from "@/generated/protocol";
import { statusWords } from "@/lib/status";
import { ago, dateTime, duration, useNow } from "@/lib/time";

export function Timeline({ states }: { states: readonly Status[] }) {
  const now = useNow();
  if (states.length === 0) return <p className="text-faint">No change of state yet.</p>;
  return (
    <ol className="flex flex-col">
      {states.map((status, i) => {
        const words = statusWords(status, now);
        const ended = i === 0 ? now : (states[i - 1]?.since ?? now);
        return (
          <li key={`${status.since}-${i}`} className="relative flex gap-3 pb-2.5 last:pb-0">
            <span aria-hidden className="relative flex w-2 shrink-0 justify-center pt-1.5">
              <StatusDot tone={words.tone} />
              {i < states.length - 1 && <span className="absolute top-4 bottom-[-8px] w-px bg-line-strong" />}
            </span>
            <div className="min-w-0 flex-1">
              <p className="flex gap-2">
                <span className="selectable min-w-0 flex-1 [overflow-wrap:anywhere]">
                  <span className="font-medium">{words.label}</span>
                  {words.sentence !== "" && <span className="text-muted"> — {words.sentence}</span>}
                </span>
                <time dateTime={new Date(status.since).toISOString()} title={dateTime(status.since)} className="shrink-0 text-sm text-faint">
                  {ago(status.since, now)}
                </time>
              </p>
              <p className="text-sm text-faint">
                {status.code !== "" && <code className="mr-2 font-mono">{status.code}</code>}
                for {duration(Math.max(0, ended - status.since))}
              </p>
            </div>
          </li>
        );
      })}
    </ol>
  );
}
