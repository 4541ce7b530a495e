/** Every source of every kind in one list. */
import { Unplug } from "lucide-react";
import { useDeferredValue, useState } from "react";
import { SearchField, Switch } from "@/components/controls";
import { ContentPane, ListPane, Scroll } from "@/components/layout";
import { StatusBadge } from "@/components/StatusBadge";
import { Empty, Failure, SkeletonRows } from "@/components/states";
import { useAct, useRead } from "@/data/operations";
import { useWorkspace } from "@/data/workspace";
import type { SourceSummary } from "@/generated/protocol";
import { cn } from "@/lib/cn";
import { go } from "@/lib/route";
import { ago, useNow } from "@/lib/time";
import { groupSources, KINDS, SourceIcon } from "./kinds";
import { SourceDetail } from "./SourceDetail";

export function SourcesView({ source }: { source: string | null }) {
  const list = useRead("source.list", {});
  const { workspace } = useWorkspace();
  const [search, setSearch] = useState("");
  const words = useDeferredValue(search.trim().toLowerCase());
  const here = (list.data ?? []).filter((row) => row.workspace === null || workspace === null || row.workspace === workspace.id);
  const shown = here.filter((row) => `${row.name} ${row.tagline ?? ""}`.toLowerCase().includes(words));
  return (
    <>
      <ListPane label="Sources" title="Sources" search={<SearchField label="Search sources" value={search} onChange={setSearch} />}>
        {list.isPending ? (
          <SkeletonRows />
        ) : list.isError ? (
          <Failure error={list.error} onRetry={() => void list.refetch()} />
        ) : shown.length === 0 ? (
          <Empty icon={Unplug} title={words === "" ? "No sources yet" : "Nothing found"}>
            {words === "" ? "Channels and services come with plugins; MCP servers, APIs and folders are configured in the workspace." : `No source is called “${search}”.`}
          </Empty>
        ) : (
          <Scroll className="pb-3">
            {groupSources(shown).map(({ kind, rows }) => (
              <section key={kind} aria-label={KINDS[kind].title}>
                <h2 className="px-4.5 pt-3 pb-1 text-xs font-medium text-faint">{KINDS[kind].title}</h2>
                <ul className="flex flex-col gap-px px-2">
                  {rows.map((row) => (
                    <SourceRow key={row.id} row={row} selected={row.id === source} />
                  ))}
                </ul>
              </section>
            ))}
          </Scroll>
        )}
      </ListPane>
      {source === null ? (
        <ContentPane label="Source">
          <Empty icon={Unplug} title="No source chosen">
            Choose one to see what it brings, how it stands, and what it needs.
          </Empty>
        </ContentPane>
      ) : (
        <SourceDetail key={source} id={source} />
      )}
    </>
  );
}

function SourceRow({ row, selected }: { row: SourceSummary; selected: boolean }) {
  const enable = useAct("source.enable");
  const now = useNow();
  return (
    <li data-testid={`source-row-${row.id}`} className={cn("flex h-[50px] items-center gap-2.5 rounded-lg pr-2.5", selected ? "bg-selected" : "hover:bg-hover")}>
      <button type="button" aria-current={selected ? "true" : undefined} onClick={() => go({ view: "sources", source: row.id })} className="flex h-full min-w-0 flex-1 items-center gap-2.5 rounded-lg pl-2 text-left">
        <SourceIcon source={row} />
        <span className="min-w-0 flex-1">
          <span className="flex items-baseline gap-2">
            <span className="min-w-0 flex-1 truncate font-medium">{row.name}</span>
            {row.lastActivity !== null && <span className="shrink-0 text-xs text-faint">{ago(row.lastActivity, now)}</span>}
          </span>
          <StatusBadge status={row.status} testId={`source-status-${row.id}`} className="max-w-full text-sm" />
        </span>
      </button>
      <Switch label={`${row.name} on`} checked={row.enabled} disabled={enable.isPending} onChange={(enabled) => enable.mutate({ id: row.id, enabled })} />
    </li>
  );
}
