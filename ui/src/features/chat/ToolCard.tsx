/** One tool call: a line that opens to its input and its result. */
import { ChevronRight, CircleAlert, CircleCheck, CircleDashed, LoaderCircle, type LucideIcon, MoonStar } from "lucide-react";
import { memo, useState } from "react";
import { CopyButton } from "@/components/Code";
import { Badge } from "@/components/controls";
import { CodeBlock } from "@/components/layout";
import type { ToolCall, ToolStatus } from "@/generated/protocol";
import { cn } from "@/lib/cn";
import { DiffView } from "@/components/DiffView";
import { Enlarge } from "@/components/Enlarged";
import { editOf } from "@/lib/editDiff";
import { jsonText, prettyResult } from "@/lib/format";
import { duration } from "@/lib/time";
import { toolName } from "@/lib/tools";

const LOOK: Record<ToolStatus, { icon: LucideIcon; words: string; className: string }> = {
  pending: { icon: CircleDashed, words: "waiting", className: "text-warn" },
  executing: { icon: LoaderCircle, words: "running", className: "animate-spin text-accent" },
  completed: { icon: CircleCheck, words: "done", className: "text-good" },
  error: { icon: CircleAlert, words: "failed", className: "text-bad" },
  backgrounded: { icon: MoonStar, words: "in the background", className: "text-muted" },
};

/** The first thing worth knowing about the arguments, in one line. */
export function inputLine(input: unknown): string {
  if (typeof input !== "object" || input === null) return jsonText(input, 120);
  return Object.entries(input)
    .map(([key, value]) => `${key}: ${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join("  ")
    .replaceAll(/\s+/g, " ")
    .slice(0, 160);
}

export const ToolCard = memo(function ToolCard({ tool }: { tool: ToolCall }) {
  const [open, setOpen] = useState(false);
  const { icon: Icon, words, className } = LOOK[tool.status];
  const { tool: name, source } = toolName(tool.name);
  const edit = open ? editOf(tool.name, tool.input) : null;
  return (
    <div data-testid="tool-card" data-status={tool.status} className="overflow-hidden rounded-lg border border-line bg-list">
      <button
        type="button"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
        className="flex h-8 w-full items-center gap-2 px-2.5 text-left hover:bg-hover"
      >
        <Icon aria-hidden className={cn("size-3.5 shrink-0", className)} />
        <span className="sr-only">{tool.status === "completed" ? "Tool" : `Tool, ${words}:`}</span>
        <span className="shrink-0 font-mono text-sm font-medium" title={tool.name}>
          {name}
        </span>
        {source !== null && <Badge>{source}</Badge>}
        <span className="min-w-0 flex-1 truncate text-sm text-faint">{inputLine(tool.input)}</span>
        <span className={cn("shrink-0 text-xs tabular-nums", tool.status === "error" ? "text-bad" : "text-faint")}>
          {tool.durationMs === null ? words : duration(tool.durationMs)}
        </span>
        <ChevronRight aria-hidden className={cn("size-3.5 shrink-0 text-faint transition-transform", open && "rotate-90")} />
      </button>
      {open && (
        <div className="flex flex-col gap-2 border-t border-line p-2.5">
          {edit === null ? (
            <Part title="Input" text={jsonText(tool.input)} />
          ) : (
            <div className="overflow-hidden rounded-md border border-line">
              <p className="flex h-7 items-center gap-2 border-b border-line bg-sunken pr-1 pl-3 font-mono text-xs text-muted">
                <span className="min-w-0 flex-1 truncate">{edit.path}</span>
                <Enlarge title={edit.path}>
                  <DiffView hunks={edit.hunks} label={`Changes in ${edit.path}`} large />
                </Enlarge>
              </p>
              <DiffView hunks={edit.hunks} label={`Changes in ${edit.path}`} />
            </div>
          )}
          {tool.result !== null && <Part title="Result" text={prettyResult(tool.result)} />}
        </div>
      )}
    </div>
  );
});

function Part({ title, text }: { title: string; text: string }) {
  return (
    <div>
      <p className="mb-1 flex h-6 items-center text-xs text-faint">
        <span className="flex-1">{title}</span>
        {text.length > 400 && (
          <Enlarge title={title}>
            <CodeBlock text={text} className="max-h-none" />
          </Enlarge>
        )}
        <CopyButton text={text} label={`Copy the ${title.toLowerCase()}`} />
      </p>
      <CodeBlock text={text} />
    </div>
  );
}
