/** What a slash command said. It is in this window only, and goes when the window is loaded again. */
import { CircleAlert, SquareSlash } from "lucide-react";
import { Markdown } from "@/components/Markdown";
import { cn } from "@/lib/cn";
import type { LocalNote } from "./commands";

export function LocalNoteRow({ note }: { note: LocalNote }) {
  const failed = note.state === "failed";
  const Icon = failed ? CircleAlert : SquareSlash;
  return (
    <div data-testid="local-note" data-state={note.state} role={failed ? "alert" : "status"} className={cn("rounded-lg border border-dashed px-3 py-2", failed ? "border-bad/40 bg-bad-soft" : "border-line-strong")}>
      <p className="flex items-center gap-2 text-sm text-faint">
        <Icon aria-hidden className={cn("size-3.5 shrink-0", failed && "text-bad")} />
        <code className="selectable min-w-0 flex-1 truncate font-mono">{note.typed}</code>
        <span className="shrink-0">{note.state === "running" ? "running…" : "only you see this"}</span>
      </p>
      {note.state === "done" && (note.text === "" ? <p className="mt-1 text-muted">Done.</p> : <div className="mt-1"><Markdown text={note.text} /></div>)}
      {failed && <p className="selectable mt-1 text-bad [overflow-wrap:anywhere]">{note.text}</p>}
    </div>
  );
}
