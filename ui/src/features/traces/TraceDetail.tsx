/** One trace as a waterfall. A step opens to its note and its diff. */
import { ArrowRight, ChevronRight, ClipboardCopy } from "lucide-react";
import { Fragment, useState } from "react";
import { Button } from "@/components/Button";
import { Badge } from "@/components/controls";
import { ContentPane, Scroll } from "@/components/layout";
import { Failure, SkeletonRows } from "@/components/states";
import { notify } from "@/data/notify";
import { useAct, useRead } from "@/data/operations";
import { useOriginName } from "@/features/sources/useOriginName";
import type { Trace } from "@/generated/protocol";
import { cn } from "@/lib/cn";
import { go } from "@/lib/route";
import { dateTime, micros } from "@/lib/time";
import { Patch } from "./Patch";
import { type Bar, bars, GATES, OUTCOMES, patchLines } from "./waterfall";

export function TraceDetail({ id }: { id: string }) {
  const trace = useRead("trace.get", { id });
  return (
    <ContentPane label="Trace">
      {trace.isPending ? <SkeletonRows className="p-8" /> : trace.isError ? <Failure error={trace.error} onRetry={() => void trace.refetch()} /> : <Body trace={trace.data} />}
    </ContentPane>
  );
}

function Body({ trace }: { trace: Trace }) {
  const nameOf = useOriginName();
  const { totalUs, bars: all } = bars(trace);
  const { session } = trace;
  return (
    <Scroll>
      <div className="mx-auto flex max-w-[880px] flex-col gap-5 px-5 pt-6 pb-12 @xl:px-8">
        <header className="flex flex-wrap items-start gap-3">
          <div className="min-w-52 flex-1">
            <h1 className="text-xl font-semibold">
              From {nameOf(trace.origin)} <span className="text-base font-normal text-faint tabular-nums">{micros(totalUs)}</span>
            </h1>
            <p className="selectable text-muted">
              {dateTime(trace.startedAt)} · <code className="font-mono text-sm">{trace.id}</code>
            </p>
          </div>
          <CopyReport id={trace.id} />
          {session !== null && (
            <Button icon={<ArrowRight className="size-3.5" />} onClick={() => go({ view: "sessions", filter: { by: "all" }, session })}>
              Open the session
            </Button>
          )}
        </header>
        <ol aria-label="Steps" className="overflow-hidden rounded-lg border border-line">
          <li aria-hidden className="grid grid-cols-[minmax(0,1fr)_64px] @lg:grid-cols-[minmax(310px,5fr)_4fr_64px] gap-3 bg-list px-3 py-1 text-xs text-faint">
            <span className="pl-5">Gate</span>
            <span className="hidden justify-between @lg:flex">
              <span>0</span>
              <span>{micros(Math.round(totalUs / 2))}</span>
              <span>{micros(totalUs)}</span>
            </span>
            <span className="text-right">Took</span>
          </li>
          {all.map((bar, i) => (
            <Step key={i} bar={bar} />
          ))}
        </ol>
      </div>
    </Scroll>
  );
}

/** Gates, times and outcomes as text: what a bug report needs, without what was written. */
function CopyReport({ id }: { id: string }) {
  const report = useAct("trace.report", {
    onSuccess: async ({ text }) => {
      await navigator.clipboard.writeText(text);
      notify({ tone: "info", message: "The report was copied.", hint: "It has no message text and no secrets." });
    },
  });
  return (
    <Button icon={<ClipboardCopy className="size-3.5" />} data-testid="trace-report" disabled={report.isPending} onClick={() => report.mutate({ id })}>
      Copy as report
    </Button>
  );
}

/** A name that may go on in the next line behind an underscore. */
function Breakable({ name }: { name: string }) {
  const parts = name.split("_");
  return parts.map((part, i) => (
    <Fragment key={i}>
      {i < parts.length - 1 ? `${part}_` : part}
      {i < parts.length - 1 && <wbr />}
    </Fragment>
  ));
}

function Step({ bar }: { bar: Bar }) {
  const { step } = bar;
  const lines = patchLines(step.diff);
  const more = step.note !== null || lines.length > 0;
  const [open, setOpen] = useState(step.outcome !== "ok" && more);
  const outcome = OUTCOMES[step.outcome];
  return (
    <li className="border-line not-first:border-t">
      <button
        type="button"
        disabled={!more}
        aria-expanded={more ? open : undefined}
        onClick={() => setOpen(!open)}
        className="grid min-h-8 w-full py-1 grid-cols-[minmax(0,1fr)_64px] @lg:grid-cols-[minmax(310px,5fr)_4fr_64px] items-center gap-3 px-3 text-left enabled:hover:bg-hover"
      >
        <span className="flex min-w-0 items-center gap-1.5">
          <ChevronRight aria-hidden className={cn("size-3.5 shrink-0 text-faint transition-transform", open && "rotate-90", !more && "invisible")} />
          <span className="w-14 shrink-0 text-faint">{GATES[step.gate]}</span>
          <span className="min-w-0 flex-1 [overflow-wrap:anywhere] @lg:truncate" title={step.label}>
            <Breakable name={step.label} />
            {step.plugin !== null && <span className="text-faint"> · {step.plugin}</span>}
          </span>
          {step.outcome !== "ok" && <Badge tone={outcome.tone}>{outcome.words}</Badge>}
        </span>
        <span aria-hidden className="relative hidden h-2 rounded-sm bg-hover @lg:block">
          <span className={cn("absolute inset-y-0 rounded-sm", outcome.bar)} style={{ left: `${bar.left}%`, width: `${bar.width}%` }} />
        </span>
        <span className="text-right text-sm text-muted tabular-nums">{micros(step.durationUs)}</span>
      </button>
      {open && more && (
        <div className="flex flex-col gap-1.5 border-t border-line bg-sunken py-2 pr-3 pl-8">
          {step.note !== null && <p className="selectable text-muted">{step.note}</p>}
          <Patch lines={lines} />
        </div>
      )}
    </li>
  );
}
