/** The kinds of sources, in the order and the words of the panel. */
import { Cog, FolderOpen, Globe, type LucideIcon, MessagesSquare, Network } from "lucide-react";
import type { SourceKind, SourceSummary } from "@/generated/protocol";

export const KINDS: Record<SourceKind, { title: string; one: string; icon: LucideIcon }> = {
  channel: { title: "Channels", one: "Channel", icon: MessagesSquare },
  service: { title: "Services", one: "Service", icon: Cog },
  mcp: { title: "MCP servers", one: "MCP server", icon: Network },
  api: { title: "APIs", one: "API", icon: Globe },
  local: { title: "Local folders", one: "Local folder", icon: FolderOpen },
};

/** Whether a source is set up by files of a workspace; channels and services come with plugins. */
export const hasFiles = ({ kind }: SourceSummary): boolean => kind !== "channel" && kind !== "service";

export interface SourceGroup {
  kind: SourceKind;
  rows: SourceSummary[];
}

export function groupSources(sources: readonly SourceSummary[]): SourceGroup[] {
  return (Object.keys(KINDS) as SourceKind[])
    .map((kind) => ({ kind, rows: sources.filter((source) => source.kind === kind) }))
    .filter((group) => group.rows.length > 0);
}

/** An emoji as it is; a picture by address is not fetched, the kind's own sign stands for it. */
export function SourceIcon({ source, large = false }: { source: SourceSummary; large?: boolean }) {
  const Fallback = KINDS[source.kind].icon;
  const emoji = source.icon !== null && source.icon !== "" && !/[/.:]/.test(source.icon) ? source.icon : null;
  return (
    <span aria-hidden className={large ? "flex size-10 shrink-0 items-center justify-center rounded-lg bg-hover text-[1.25rem]" : "flex size-7 shrink-0 items-center justify-center rounded-md bg-hover text-[0.9375rem]"}>
      {emoji ?? <Fallback className={large ? "size-5 text-muted" : "size-4 text-muted"} strokeWidth={1.75} />}
    </span>
  );
}
