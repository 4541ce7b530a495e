/** What is different from what was granted, file by file. */
import { ChevronRight } from "lucide-react";
import { useState } from "react";
import { Badge } from "@/components/controls";
import { DiffView } from "@/components/DiffView";
import type { FileChange, FileChangeKind, PluginChange } from "@/generated/protocol";
import { cn } from "@/lib/cn";
import { diffSize, parseDiff } from "@/lib/diff";

const KINDS: Record<FileChangeKind, { label: string; tone: "good" | "bad" | "accent" }> = {
  added: { label: "new", tone: "good" },
  removed: { label: "gone", tone: "bad" },
  modified: { label: "changed", tone: "accent" },
};

/** Open at first; with more files than that, one chooses. */
const OPEN_MAX = 3;

export function ChangeView({ change }: { change: PluginChange }) {
  if (change.files.length === 0) return <p className="text-muted">No file; only what it asks for.</p>;
  return (
    <ul className="flex flex-col gap-2">
      {change.files.map((file, i) => (
        <ChangedFile key={file.path} file={file} first={i < OPEN_MAX} />
      ))}
    </ul>
  );
}

function ChangedFile({ file, first }: { file: FileChange; first: boolean }) {
  const hunks = file.diff === null ? [] : parseDiff(file.diff);
  const { added, removed } = diffSize(hunks);
  const [open, setOpen] = useState(first);
  const { label, tone } = KINDS[file.kind];
  return (
    <li data-testid={`change-${file.path}`} className="overflow-hidden rounded-lg border border-line">
      <button type="button" aria-expanded={open} onClick={() => setOpen(!open)} className="flex h-8 w-full items-center gap-2 bg-list px-2.5 text-left hover:bg-hover">
        <ChevronRight aria-hidden className={cn("size-3.5 shrink-0 text-faint transition-transform", open && "rotate-90")} />
        <span className="min-w-0 flex-1 truncate font-mono text-sm">{file.path}</span>
        {added > 0 && <span className="text-sm text-good tabular-nums">+{added}</span>}
        {removed > 0 && <span className="text-sm text-bad tabular-nums">−{removed}</span>}
        <Badge tone={tone}>{label}</Badge>
      </button>
      {open && (
        <div className="border-t border-line">
          {hunks.length > 0 ? <DiffView hunks={hunks} label={`Difference in ${file.path}`} /> : <p className="px-3 py-2 text-sm text-faint">Not shown: it is not text, or too large, or its earlier contents are not kept.</p>}
        </div>
      )}
    </li>
  );
}
