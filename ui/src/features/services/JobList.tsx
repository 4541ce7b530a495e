/** What a service has planned: when each piece of work runs next, and how it went last. */
import { CalendarClock } from "lucide-react";
import { Badge } from "@/components/controls";
import type { SourceJob } from "@/generated/protocol";
import { sentence } from "@/lib/sentence";
import { agoWords, dateTime, until, useNow } from "@/lib/time";

export function JobList({ jobs }: { jobs: readonly SourceJob[] }) {
  const now = useNow();
  return (
    <ul className="overflow-hidden rounded-lg border border-line">
      {jobs.map((job) => (
        <li key={job.id} data-testid={`job-${job.id}`} className="flex items-start gap-2.5 border-line px-3 py-2 not-first:border-t">
          <CalendarClock aria-hidden className="mt-0.5 size-4 shrink-0 text-faint" strokeWidth={1.75} />
          <div className="min-w-0 flex-1">
            <p className="flex flex-wrap items-center gap-x-2">
              <span className="font-medium">{job.id}</span>
              <span className="selectable text-muted">{job.when}</span>
              {job.stretched && (
                <Badge tone="plain" title="Nobody needs it at the moment, or the machine saves power; it runs less often until then.">
                  slowed down
                </Badge>
              )}
            </p>
            {job.error !== null && <p className="selectable text-sm text-bad">{sentence(job.error)}</p>}
          </div>
          <p className="shrink-0 text-right text-sm text-faint">
            <span className="block" title={job.next === null ? undefined : dateTime(job.next)}>
              {job.next === null ? "over" : job.next <= now ? "runs now" : `next ${until(job.next, now)}`}
            </span>
            <span className="block" title={job.last === null ? undefined : dateTime(job.last)}>
              {job.last === null ? "not yet run" : `ran ${agoWords(job.last, now)}`}
            </span>
          </p>
        </li>
      ))}
    </ul>
  );
}
