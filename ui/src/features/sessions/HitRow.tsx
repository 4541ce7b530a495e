/** One message that a search found. */
import { MessageSquareQuote } from "lucide-react";
import { memo } from "react";
import type { SearchHit } from "@/generated/protocol";
import { cn } from "@/lib/cn";
import { ago, useNow } from "@/lib/time";
import { rowId } from "./SessionRow";
import { Snippet } from "./Snippet";
import { titleOf } from "./title";

interface RowProps {
  id: string;
  hit: SearchHit;
  selected: boolean;
  onOpen: (hit: SearchHit) => void;
}

export const HitRow = memo(function HitRow({ id, hit, selected, onOpen }: RowProps) {
  const now = useNow();
  const title = titleOf(hit.session);
  return (
    // oxlint-disable-next-line jsx-a11y/click-events-have-key-events -- the list box around it takes the keyboard
    <div
      id={rowId(id)}
      role="option"
      tabIndex={-1}
      aria-selected={selected}
      data-testid={`hit-${hit.message}`}
      onClick={() => onOpen(hit)}
      className={cn("mx-2 flex h-full flex-col justify-center gap-0.5 rounded-lg px-2.5", selected ? "bg-selected" : "hover:bg-hover")}
    >
      <div className="flex items-center gap-1.5">
        <MessageSquareQuote aria-hidden className="size-3.5 shrink-0 text-faint" />
        <span className="sr-only">Message in </span>
        <span className="min-w-0 flex-1 truncate text-sm text-muted">
          {title}
          {hit.session.archived === true && <span className="text-faint"> · in the archive</span>}
        </span>
        {hit.at !== null && <span className="shrink-0 text-xs text-faint tabular-nums">{ago(hit.at, now)}</span>}
      </div>
      <Snippet text={hit.snippet} className="line-clamp-2 text-sm" />
    </div>
  );
});
