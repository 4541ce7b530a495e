/** The rows of the sources panel, grouped by kind. Arrow keys move through them. */
import { useEffect, useRef } from "react";
import { Switch } from "@/components/controls";
import { Scroll } from "@/components/layout";
import { StatusBadge } from "@/components/StatusBadge";
import { useAct } from "@/data/operations";
import type { SourceSummary } from "@/generated/protocol";
import { cn } from "@/lib/cn";
import { moveByArrows } from "@/lib/roving";
import { go } from "@/lib/route";
import { ago, useNow } from "@/lib/time";
import { groupSources, KINDS, SourceIcon } from "./kinds";

export function SourceList({ rows, chosen }: { rows: readonly SourceSummary[]; chosen: string | null }) {
  return (
    <Scroll className="pb-3">
      {/* oxlint-disable-next-line jsx-a11y/no-static-element-interactions -- the keys belong to the rows in it */}
      <div onKeyDown={moveByArrows}>
        {groupSources(rows).map((group) => (
          <section key={group.kind} aria-label={KINDS[group.kind].title}>
            <h2 className="px-4.5 pt-3 pb-1 text-xs font-medium text-faint">{KINDS[group.kind].title}</h2>
            <ul className="flex flex-col gap-px px-2">
              {group.rows.map((row) => (
                <SourceRow key={row.id} row={row} selected={row.id === chosen} />
              ))}
            </ul>
          </section>
        ))}
      </div>
    </Scroll>
  );
}

function SourceRow({ row, selected }: { row: SourceSummary; selected: boolean }) {
  const enable = useAct("source.enable");
  const now = useNow();
  const button = useRef<HTMLButtonElement>(null);
  // Whoever comes by a link or the palette sees which row it is.
  useEffect(() => {
    if (selected) button.current?.scrollIntoView({ block: "nearest" });
  }, [selected]);
  return (
    <li data-testid={`source-row-${row.id}`} className={cn("flex h-[50px] items-center gap-2.5 rounded-lg pr-2.5", selected ? "bg-selected" : "hover:bg-hover")}>
      <button ref={button} type="button" data-row aria-current={selected ? "true" : undefined} onClick={() => go({ view: "sources", source: row.id })} className="flex h-full min-w-0 flex-1 items-center gap-2.5 rounded-lg pl-2 text-left">
        <SourceIcon source={row} />
        <span className="min-w-0 flex-1">
          <span className="flex items-baseline gap-2">
            <span className={cn("min-w-0 flex-1 truncate font-medium", !row.enabled && "text-muted")}>{row.name}</span>
            {row.lastActivity !== null && <span className="shrink-0 text-xs text-faint max-[960px]:hidden">{ago(row.lastActivity, now)}</span>}
          </span>
          <StatusBadge status={row.status} testId={`source-status-${row.id}`} className="max-w-full text-sm" />
        </span>
      </button>
      <Switch label={`${row.name} on`} checked={row.enabled} disabled={enable.isPending} onChange={(enabled) => enable.mutate({ id: row.id, enabled })} />
    </li>
  );
}
