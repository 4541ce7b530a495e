/** Says that the text in the composer was not typed here. */
import { Link2, X } from "lucide-react";
import { IconButton } from "@/components/Button";

export function LinkBanner({ cut, onDiscard }: { cut: boolean; onDiscard: () => void }) {
  return (
    <div role="note" data-testid="from-link" className="flex items-center gap-2 rounded-t-xl border-b border-line bg-warn-soft px-3 py-1.5 text-sm text-warn">
      <Link2 aria-hidden className="size-3.5 shrink-0" />
      <span className="min-w-0 flex-1">A link from outside wrote this{cut ? " (and more, which was cut off)" : ""}. Read it before you send it.</span>
      <IconButton label="Discard the text" data-testid="discard-link" onClick={onDiscard}>
        <X className="size-3.5" />
      </IconButton>
    </div>
  );
}
