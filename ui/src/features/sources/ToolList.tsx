/** The tools of a source, how a call of each would be judged, and a form to try one by hand. */
import { ChevronRight } from "lucide-react";
import { useState } from "react";
import { Badge } from "@/components/controls";
import { Failure, SkeletonRows } from "@/components/states";
import { useRead } from "@/data/operations";
import type { SourceSummary, SourceTool } from "@/generated/protocol";
import { cn } from "@/lib/cn";
import { toolName } from "@/lib/tools";
import { TryTool } from "./TryTool";

const JUDGED: Record<string, { tone: "good" | "warn" | "bad"; words: string; means: string }> = {
  allow: { tone: "good", words: "runs", means: "A new session runs it without asking you." },
  ask: { tone: "warn", words: "asks", means: "A new session asks you before it runs." },
  deny: { tone: "bad", words: "refused", means: "A new session may not run it, by its mode or by a rule." },
};

export function ToolList({ source }: { source: SourceSummary }) {
  const tools = useRead("source.tools", { id: source.id });
  const [open, setOpen] = useState<string | null>(null);
  if (tools.isPending) return <SkeletonRows rows={3} />;
  if (tools.isError) return <Failure error={tools.error} onRetry={() => void tools.refetch()} />;
  if (tools.data.length === 0) return <p className="text-faint">{source.status.state.kind === "running" ? "It brings no tools." : "Tools appear here when it runs, and leave when it stops."}</p>;
  return (
    <ul className="overflow-hidden rounded-lg border border-line">
      {tools.data.map((tool) => (
        <Row key={tool.info.name} tool={tool} workspace={source.workspace} open={open === tool.info.name} onToggle={() => setOpen(open === tool.info.name ? null : tool.info.name)} />
      ))}
    </ul>
  );
}

function Row({ tool, workspace, open, onToggle }: { tool: SourceTool; workspace: string | null; open: boolean; onToggle: () => void }) {
  const { name, description } = tool.info;
  const judged = JUDGED[tool.judged];
  return (
    <li data-testid={`tool-${name}`} className="border-line not-first:border-t">
      <button type="button" aria-expanded={open} onClick={onToggle} className="group flex w-full items-start gap-2 px-3 py-2 text-left hover:bg-hover">
        <ChevronRight aria-hidden className={cn("mt-1 size-3.5 shrink-0 text-faint transition-transform", open && "rotate-90")} />
        <span className="min-w-0 flex-1">
          <span className="block truncate font-mono text-sm leading-5 font-medium" title={name}>
            {toolName(name).tool}
          </span>
          <span className={cn("block text-sm text-muted", !open && "truncate")}>{description}</span>
        </span>
        <span className="hidden pt-0.5 text-sm text-accent group-hover:block group-focus-visible:block max-[960px]:!hidden">{open ? "Close" : "Try it"}</span>
        {judged !== undefined && (
          <Badge tone={judged.tone} title={judged.means} className="mt-0.5">
            {judged.words}
          </Badge>
        )}
      </button>
      {open && <TryTool tool={tool} workspace={workspace} means={judged?.means ?? ""} />}
    </li>
  );
}
