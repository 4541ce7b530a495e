/** The life of each message, newest first. */
import { Waypoints, X } from "lucide-react";
import { useMemo, useState } from "react";
import { Badge, SearchField } from "@/components/controls";
import { ContentPane, ListPane, Scroll } from "@/components/layout";
import { Empty, Failure, SkeletonRows } from "@/components/states";
import { useRead } from "@/data/operations";
import { useSessionList } from "@/data/sessionList";
import { useWorkspace } from "@/data/workspace";
import { titleOf } from "@/features/sessions/title";
import { useOriginName } from "@/features/sources/useOriginName";
import type { Trace } from "@/generated/protocol";
import { cn } from "@/lib/cn";
import { intoSight } from "@/lib/focus";
import { go } from "@/lib/route";
import { clockTime, dateTime, micros } from "@/lib/time";
import { TraceDetail } from "./TraceDetail";
import { NO_FILTER, type TraceFilter, TraceFilters } from "./TraceFilters";
import { bars, OUTCOMES, outcomeOf } from "./waterfall";

interface TracesProps {
  trace: string | null;
  session: string | null;
}

export function TracesView({ trace, session }: TracesProps) {
  const [search, setSearch] = useState("");
  const [filter, setFilter] = useState<TraceFilter>(NO_FILTER);
  const { plugin, outcome, origin } = filter;
  const list = useRead("trace.list", {
    limit: 200,
    ...(session === null ? {} : { session }),
    ...(plugin === "" ? {} : { plugin }),
    ...(outcome === "" ? {} : { outcome }),
    ...(origin === "" ? {} : { origin }),
  });
  const words = search.trim().toLowerCase();
  const titles = useTitles();
  const filtered = words !== "" || filter !== NO_FILTER;
  const shown = (list.data ?? []).filter((row) => mentions(row, words));
  return (
    <>
      <ListPane
        label="Traces"
        title={session === null ? "Traces" : "Traces of a session"}
        actions={
          session !== null && (
            <button type="button" className="flex h-6 items-center gap-1 rounded-md bg-accent-soft px-1.5 text-sm text-accent" onClick={() => go({ view: "traces", session: null, trace: null })}>
              one session <X aria-label="Show all" className="size-3" />
            </button>
          )
        }
        search={
          <div className="flex flex-col gap-1.5">
            <SearchField label="Search traces" value={search} onChange={setSearch} />
            <TraceFilters filter={filter} onChange={setFilter} />
          </div>
        }
      >
        {list.isPending ? (
          <SkeletonRows />
        ) : list.isError ? (
          <Failure error={list.error} onRetry={() => void list.refetch()} />
        ) : shown.length === 0 ? (
          <Empty icon={Waypoints} title={filtered ? "Nothing found" : "No traces yet"}>
            {filtered ? "No trace fits." : "The first message leaves the first trace."}
          </Empty>
        ) : (
          <Scroll className="pb-3">
            <ul className="flex flex-col gap-px px-2">
              {shown.map((row) => (
                <Row key={row.id} row={row} selected={row.id === trace} session={session} title={row.session === null ? null : (titles.get(row.session) ?? null)} />
              ))}
            </ul>
          </Scroll>
        )}
      </ListPane>
      {trace === null ? (
        <ContentPane label="Trace">
          <Empty icon={Waypoints} title="No trace chosen">
            A trace shows every gate a message passed, how long it took there, and what each hook changed.
          </Empty>
        </ContentPane>
      ) : (
        <TraceDetail key={trace} id={trace} />
      )}
    </>
  );
}

function mentions(trace: Trace, words: string): boolean {
  if (words === "") return true;
  return [trace.origin, trace.id, ...trace.steps.flatMap((step) => [step.label, step.plugin ?? ""])].some((text) => text.toLowerCase().includes(words));
}

/** What the sessions are called, as far as they are listed. */
function useTitles(): ReadonlyMap<string, string> {
  const { workspace } = useWorkspace();
  const scope = { workspace: workspace?.id ?? null, search: "", archived: false };
  const own = useSessionList({ ...scope, channel: false }).data;
  const channels = useSessionList({ ...scope, channel: true }).data;
  return useMemo(() => new Map([...(own ?? []), ...(channels ?? [])].map((session) => [session.id, titleOf(session)])), [own, channels]);
}

interface RowProps {
  row: Trace;
  selected: boolean;
  session: string | null;
  title: string | null;
}

function Row({ row, selected, session, title }: RowProps) {
  const nameOf = useOriginName();
  const outcome = OUTCOMES[outcomeOf(row)];
  const { totalUs } = bars(row);
  return (
    <li>
      {/* oxlint-disable-next-line jsx-a11y/control-has-associated-label -- its name is what stands in it */}
      <button
        ref={selected ? intoSight : undefined}
        type="button"
        data-testid={`trace-row-${row.id}`}
        aria-current={selected ? "true" : undefined}
        onClick={() => go({ view: "traces", session, trace: row.id })}
        className={cn("flex h-[50px] w-full flex-col justify-center gap-0.5 rounded-lg px-2.5 text-left", selected ? "bg-selected" : "hover:bg-hover")}
      >
        <span className="flex w-full items-center gap-1.5">
          <span className="min-w-0 flex-1 truncate font-medium">{title ?? nameOf(row.origin)}</span>
          <Badge tone={outcome.tone}>{row.done ? outcome.words : "on its way"}</Badge>
        </span>
        <span className="flex w-full gap-2 text-sm text-faint tabular-nums">
          <span title={dateTime(row.startedAt)}>{clockTime(row.startedAt)}</span>
          <span className="min-w-0 flex-1 truncate">from {nameOf(row.origin)}</span>
          <span>{micros(totalUs)}</span>
        </span>
      </button>
    </li>
  );
}
