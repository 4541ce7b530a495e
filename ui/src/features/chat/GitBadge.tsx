/** Branch of the folder a session works in. Nothing where it is in no repository. */
import { GitBranch } from "lucide-react";
import { useRead } from "@/data/operations";
import type { SessionSummary } from "@/generated/protocol";
import { cn } from "@/lib/cn";
import { plural } from "@/lib/format";

export function GitBadge({ session, className }: { session: SessionSummary; className?: string }) {
  // Asked anew when a turn has changed the row: that is when files change.
  const git = useRead("session.git", { id: session.id }, { fresh: true }).data;
  if (git?.branch == null) return null;
  const words = `Branch ${git.branch}${git.changed > 0 ? `, ${plural(git.changed, "changed file")}` : ""}`;
  return (
    <span title={words} className={cn("flex min-w-0 items-center gap-1 text-sm text-faint", className)}>
      <GitBranch aria-hidden className="size-3.5 shrink-0" />
      <span className="sr-only">{words}</span>
      <span aria-hidden className="truncate">{git.branch}</span>
      {git.changed > 0 && <span aria-hidden className="shrink-0 tabular-nums">±{git.changed}</span>}
    </span>
  );
}
