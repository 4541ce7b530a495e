/** Every plugin that was found. */
import { Plug } from "lucide-react";
import { Badge, Switch } from "@/components/controls";
import { ContentPane, ListPane, Scroll } from "@/components/layout";
import { StatusBadge } from "@/components/StatusBadge";
import { Empty, Failure, SkeletonRows } from "@/components/states";
import { useAct, useRead } from "@/data/operations";
import type { PluginOrigin, PluginSummary } from "@/generated/protocol";
import { cn } from "@/lib/cn";
import { go } from "@/lib/route";
import { PluginDetail } from "./PluginDetail";

export const ORIGINS: Record<PluginOrigin, string> = { bundled: "Shipped with the app", global: "Yours", workspace: "Of this workspace" };

export function PluginsView({ plugin }: { plugin: string | null }) {
  const list = useRead("plugin.list", {});
  const chosen = list.data?.find((row) => row.id === plugin);
  return (
    <>
      <ListPane label="Plugins" title="Plugins">
        {list.isPending ? (
          <SkeletonRows />
        ) : list.isError ? (
          <Failure error={list.error} onRetry={() => void list.refetch()} />
        ) : list.data.length === 0 ? (
          <Empty icon={Plug} title="No plugins">
            Put a folder into <code className="font-mono text-sm">~/.kata-agents/extensions</code> and it appears here.
          </Empty>
        ) : (
          <Scroll className="pb-3">
            {(Object.keys(ORIGINS) as PluginOrigin[]).map((origin) => (
              <Group key={origin} title={ORIGINS[origin]} rows={list.data.filter((row) => row.origin === origin)} selected={plugin} />
            ))}
          </Scroll>
        )}
      </ListPane>
      <ContentPane label="Plugin">
        {chosen === undefined ? (
          <Empty icon={Plug} title={plugin === null ? "No plugin chosen" : "This plugin is not here"}>
            Choose one to see what it declares, what it may reach, and what it uses.
          </Empty>
        ) : (
          <PluginDetail key={chosen.id} plugin={chosen} />
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
          <Row key={row.id} row={row} selected={row.id === selected} />
        ))}
      </ul>
    </section>
  );
}

function Row({ row, selected }: { row: PluginSummary; selected: boolean }) {
  const enable = useAct("plugin.enable");
  return (
    <li data-testid={`plugin-row-${row.id}`} className={cn("flex h-[50px] items-center gap-2.5 rounded-lg pr-2.5", selected ? "bg-selected" : "hover:bg-hover")}>
      <button type="button" aria-current={selected ? "true" : undefined} onClick={() => go({ view: "plugins", plugin: row.id })} className="flex h-full min-w-0 flex-1 flex-col justify-center rounded-lg pl-2.5 text-left">
        <span className="flex max-w-full items-center gap-1.5">
          <span className="truncate font-medium">{row.name}</span>
          <span className="text-xs text-faint">{row.version}</span>
          {row.faults.length > 0 && <Badge tone="bad">{row.faults.length}</Badge>}
        </span>
        <StatusBadge status={row.status} testId={`plugin-status-${row.id}`} className="max-w-full text-sm" />
      </button>
      <Switch label={`${row.name} on`} checked={row.enabled} disabled={enable.isPending} onChange={(enabled) => enable.mutate({ id: row.id, enabled })} />
    </li>
  );
}
