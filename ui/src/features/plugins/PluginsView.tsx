/** Every plugin that was found, and the folders that were passed over. */
import { FolderX, Plug } from "lucide-react";
import { useDeferredValue, useState } from "react";
import { SearchField } from "@/components/controls";
import { ContentPane, ListPane, Scroll } from "@/components/layout";
import { Empty, Failure, SkeletonRows } from "@/components/states";
import { useRead } from "@/data/operations";
import type { PluginOrigin, PluginSummary } from "@/generated/protocol";
import { cn } from "@/lib/cn";
import { plural } from "@/lib/format";
import { go } from "@/lib/route";
import { AddPlugin } from "./AddPlugin";
import { PassedOver } from "./PassedOver";
import { PluginDetail } from "./PluginDetail";
import { PluginRow } from "./PluginRow";
import { ORIGINS } from "./words";

/** Where the passed-over folders are shown. No plugin has this id: a plus is not allowed in one. */
export const PASSED_OVER = "+passed-over";

export function PluginsView({ plugin }: { plugin: string | null }) {
  const list = useRead("plugin.list", {});
  const discovery = useRead("plugin.discovery", {});
  const [search, setSearch] = useState("");
  const words = useDeferredValue(search.trim().toLowerCase());
  const found = (list.data ?? []).filter((row) => `${row.name} ${row.id} ${row.description}`.toLowerCase().includes(words));
  // A plugin that is loaded again keeps its place.
  const shown = found.toSorted((a, b) => a.id.localeCompare(b.id));
  const dropped = discovery.data?.dropped ?? [];
  const own = discovery.data?.roots.find((root) => root.origin === "global")?.path ?? "~/.kata-agents/extensions";
  return (
    <>
      <ListPane label="Plugins" title="Plugins" actions={<AddPlugin />} search={<SearchField label="Search plugins" value={search} onChange={setSearch} />}>
        {list.isPending ? (
          <SkeletonRows />
        ) : list.isError ? (
          <Failure error={list.error} onRetry={() => void list.refetch()} />
        ) : (
          <Scroll className="pb-3">
            {shown.length === 0 &&
              (words === "" ? (
                <Empty icon={Plug} title="No plugins" action={<AddPlugin inWords />}>
                  Make one, install one, or put a folder into <code className="font-mono text-sm [overflow-wrap:anywhere]">{own}</code>.
                </Empty>
              ) : (
                <Empty icon={Plug} title="Nothing found">
                  No plugin is called “{search}”.
                </Empty>
              ))}
            {(Object.keys(ORIGINS) as PluginOrigin[]).map((origin) => (
              <Group key={origin} title={ORIGINS[origin]} rows={shown.filter((row) => row.origin === origin)} selected={plugin} />
            ))}
            {dropped.length > 0 && (
              <button
                type="button"
                data-testid="passed-over"
                aria-current={plugin === PASSED_OVER ? "true" : undefined}
                onClick={() => go({ view: "plugins", plugin: PASSED_OVER })}
                className={cn("mx-2 mt-3 flex h-8 w-[calc(100%-1rem)] items-center gap-2 rounded-lg px-2.5 text-left text-warn", plugin === PASSED_OVER ? "bg-selected" : "hover:bg-hover")}
              >
                <FolderX aria-hidden className="size-4 shrink-0" strokeWidth={1.75} />
                <span className="truncate">{plural(dropped.length, "folder was", "folders were")} passed over</span>
              </button>
            )}
          </Scroll>
        )}
      </ListPane>
      <ContentPane label="Plugin">
        {plugin === PASSED_OVER ? (
          <PassedOver />
        ) : plugin === null ? (
          <Empty icon={Plug} title="No plugin chosen">
            Choose one to see what it may do, what it uses, and what it did wrong.
          </Empty>
        ) : (
          <PluginDetail key={plugin} id={plugin} />
        )}
      </ContentPane>
    </>
  );
}

function Group({ title, rows, selected }: { title: string; rows: readonly PluginSummary[]; selected: string | null }) {
  if (rows.length === 0) return null;
  return (
    <section aria-label={title}>
      <h2 className="px-4.5 pt-3 pb-1 text-xs font-medium text-faint">{title}</h2>
      <ul className="flex flex-col gap-px px-2">
        {rows.map((row) => (
          <PluginRow key={row.id} row={row} selected={row.id === selected} />
        ))}
      </ul>
    </section>
  );
}
