/** Reports about unexpected ends, and about parts that stopped: to be copied into a report, and put away. */
import { Bug } from "lucide-react";
import { useState } from "react";
import { Button } from "@/components/Button";
import { CopyButton } from "@/components/Code";
import { Badge } from "@/components/controls";
import { CodeBlock, Section } from "@/components/layout";
import { Failure } from "@/components/states";
import { useAct, useRead } from "@/data/operations";
import type { CrashReport } from "@/generated/protocol";
import { dateTime } from "@/lib/time";

/** Older ones are in the folder that `kata crashes` names. */
const SHOWN = 10;

const WHAT: Record<string, string> = {
  panic: "A part of it stopped; the rest went on",
  crash: "It ended unexpectedly and came back",
  killed: "It was ended from outside and came back",
};

export function Crashes() {
  const reports = useRead("crash.list", {}, { fresh: true });
  return (
    <Section title="Unexpected ends">
      {reports.isError && <Failure error={reports.error} onRetry={() => void reports.refetch()} />}
      {reports.data?.length === 0 && <p className="text-muted">None. Whenever it has ended, it was in order.</p>}
      {reports.data !== undefined && reports.data.length > 0 && (
        <>
          <ul className="divide-y divide-line rounded-lg border border-line">
            {reports.data.slice(0, SHOWN).map((report) => (
              <Report key={report.id} report={report} />
            ))}
          </ul>
          <p className="text-sm text-faint">A report has versions, the place and the last lines of the log; no message text and no secrets.</p>
        </>
      )}
    </Section>
  );
}

function Report({ report }: { report: CrashReport }) {
  const [open, setOpen] = useState(false);
  const dismiss = useAct("crash.dismiss");
  const { id, at, version, kind, place, text, seen } = report;
  return (
    <li data-testid={`crash-${id}`} className="flex flex-col gap-2 px-3.5 py-2.5">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-2">
        <Bug aria-hidden className="size-4 shrink-0 text-muted" strokeWidth={1.75} />
        <div className="min-w-52 flex-1">
          <p className="flex items-center gap-2">
            {WHAT[kind] ?? kind}
            {!seen && <Badge tone="warn">new</Badge>}
          </p>
          <p className="selectable text-sm text-faint [overflow-wrap:anywhere]">
            {dateTime(at)} · version {version}
            {place !== null && ` · ${place}`}
          </p>
        </div>
        <span className="ml-auto flex items-center gap-1.5">
          <CopyButton text={text} label="Copy the report" />
          <Button aria-expanded={open} onClick={() => setOpen(!open)}>
            {open ? "Hide" : "Show"}
          </Button>
          {!seen && (
            <Button data-testid={`crash-dismiss-${id}`} disabled={dismiss.isPending} onClick={() => dismiss.mutate({ id })}>
              Put away
            </Button>
          )}
        </span>
      </div>
      {open && <CodeBlock text={text} />}
    </li>
  );
}
