/** One plugin in the list. */
import { TriangleAlert } from "lucide-react";
import { Badge, Switch } from "@/components/controls";
import { StatusBadge } from "@/components/StatusBadge";
import { useAct } from "@/data/operations";
import type { PluginSummary } from "@/generated/protocol";
import { cn } from "@/lib/cn";
import { intoSight } from "@/lib/focus";
import { plural } from "@/lib/format";
import { go } from "@/lib/route";
import { TrustBadge } from "./TrustBadge";

export function PluginRow({ row, selected }: { row: PluginSummary; selected: boolean }) {
  const enable = useAct("plugin.enable");
  const reach = row.capabilities.length === 0 ? "asks for nothing" : plural(row.capabilities.length, "capability", "capabilities");
  const sign = row.trust !== "bundled" && row.trust !== "trusted";
  return (
    <li data-testid={`plugin-row-${row.id}`} className={cn("flex h-[50px] items-center gap-2 rounded-lg pr-2.5", selected ? "bg-selected" : "hover:bg-hover")}>
      <button
        ref={selected ? intoSight : undefined}
        type="button"
        aria-current={selected ? "true" : undefined}
        onClick={() => go({ view: "plugins", plugin: row.id })}
        className="flex h-full min-w-0 flex-1 flex-col justify-center gap-px rounded-lg pl-2.5 text-left"
      >
        <span className="flex w-full items-center gap-1.5">
          <span className="truncate font-medium">{row.name}</span>
          {/* Beside a sign the name needs the room; the plugin's page has the version. */}
          {!sign && <span className="shrink-0 text-xs text-faint max-[960px]:hidden">{row.version}</span>}
          {sign && <TrustBadge trust={row.trust} compact />}
          {row.faults.length > 0 && (
            <Badge tone="bad" title={plural(row.faults.length, "fault")}>
              <TriangleAlert aria-hidden className="size-3" />
              {row.faults.length}
            </Badge>
          )}
        </span>
        <span className="flex w-full min-w-0 items-center gap-1 text-sm">
          <StatusBadge status={row.status} testId={`plugin-status-${row.id}`} className="min-w-0" />
          {row.status.state.kind === "running" && <span className="shrink-0 truncate text-faint max-[960px]:hidden">· {reach}</span>}
        </span>
      </button>
      {row.trust !== "untrusted" && <Switch label={`${row.name} on`} checked={row.enabled} disabled={enable.isPending} onChange={(enabled) => enable.mutate({ id: row.id, enabled })} />}
    </li>
  );
}
