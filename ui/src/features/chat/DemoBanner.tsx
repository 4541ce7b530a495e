import { FlaskConical } from "lucide-react";
import { go } from "@/lib/route";

/** Nobody shall take a script for a model. */
export function DemoBanner() {
  return (
    <div role="note" className="flex h-8 shrink-0 items-center gap-2 border-b border-warn/25 bg-warn-soft px-4 text-warn">
      <FlaskConical aria-hidden className="size-3.5 shrink-0" />
      <span className="truncate">Scripted demo – no model answers here.</span>
      <button type="button" className="shrink-0 rounded font-medium underline underline-offset-2" onClick={() => go({ view: "settings", section: "models" })}>
        Add a model
      </button>
    </div>
  );
}
