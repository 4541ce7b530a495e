/** Every source of every kind in one list, and the chosen one beside it. */
import { ListFilter, Unplug, X } from "lucide-react";
import { useDeferredValue, useState } from "react";
import { IconButton } from "@/components/Button";
import { SearchField } from "@/components/controls";
import { ContentPane, ListPane } from "@/components/layout";
import { Menu, MenuItem } from "@/components/Menu";
import { Empty, Failure, SkeletonRows } from "@/components/states";
import { useRead } from "@/data/operations";
import { useWorkspace } from "@/data/workspace";
import type { SourceSummary } from "@/generated/protocol";
import { AddSource } from "./AddSource";
import { countShows, matches, SHOWS, type Show } from "./filter";
import { SourceDetail } from "./SourceDetail";
import { SourceList } from "./SourceList";

export function SourcesView({ source }: { source: string | null }) {
  const list = useRead("source.list", {});
  const { workspace } = useWorkspace();
  const [search, setSearch] = useState("");
  const [show, setShow] = useState<Show>("all");
  const words = useDeferredValue(search.trim().toLowerCase());
  const here = (list.data ?? []).filter((row) => row.workspace === null || workspace === null || row.workspace === workspace.id);
  const shown = here.filter((row) => matches(row, show, words));
  return (
    <>
      <ListPane
        label="Sources"
        title="Sources"
        actions={
          <>
            <FilterMenu sources={here} show={show} onShow={setShow} />
            <AddSource />
          </>
        }
        search={
          <div className="flex flex-col gap-1.5">
            <SearchField label="Search sources" value={search} onChange={setSearch} />
            {show !== "all" && (
              <button type="button" data-testid="filter-clear" onClick={() => setShow("all")} className="flex h-6 items-center gap-1 self-start rounded-md bg-accent-soft pr-1 pl-2 text-sm font-medium text-accent">
                {SHOWS[show]}
                <X aria-label="Show all" className="size-3.5" />
              </button>
            )}
          </div>
        }
      >
        {list.isPending ? (
          <SkeletonRows />
        ) : list.isError ? (
          <Failure error={list.error} onRetry={() => void list.refetch()} />
        ) : shown.length === 0 ? (
          <Nothing search={search} show={show} />
        ) : (
          <SourceList rows={shown} chosen={source} />
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

function FilterMenu({ sources, show, onShow }: { sources: readonly SourceSummary[]; show: Show; onShow: (show: Show) => void }) {
  const counts = countShows(sources);
  return (
    <Menu
      label="Which sources"
      align="end"
      trigger={
        <IconButton label="Filter" data-testid="filter" className={show === "all" ? "" : "text-accent"}>
          <ListFilter className="size-4" />
        </IconButton>
      }
    >
      {(Object.keys(SHOWS) as Show[]).map((each) => (
        <MenuItem key={each} testId={`filter-${each}`} checked={each === show} keys={String(counts[each])} onSelect={() => onShow(each)}>
          {SHOWS[each]}
        </MenuItem>
      ))}
    </Menu>
  );
}

function Nothing({ search, show }: { search: string; show: Show }) {
  if (search.trim() !== "") {
    return (
      <Empty icon={Unplug} title="Nothing found">
        No source {show === "all" ? "" : "of these "}is called “{search}”.
      </Empty>
    );
  }
  if (show !== "all") {
    return (
      <Empty icon={Unplug} title="None">
        No source is “{SHOWS[show].toLowerCase()}” now.
      </Empty>
    );
  }
  return (
    <Empty icon={Unplug} title="No sources yet" action={<AddSource inWords />}>
      An MCP server, an API or a folder. Channels and services come with plugins.
    </Empty>
  );
}
