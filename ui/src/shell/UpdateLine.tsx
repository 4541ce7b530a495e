/** A quiet line at the foot: a newer version is there, or is being put in. */
import { StatusDot } from "@/components/StatusBadge";
import { useRead } from "@/data/operations";
import { footWords } from "@/features/settings/updateWords";
import { go } from "@/lib/route";

export function UpdateLine() {
  const state = useRead("update.get", {}).data;
  const words = state === undefined ? null : footWords(state);
  if (words === null) return null;
  return (
    <button type="button" data-testid="update-line" onClick={() => go({ view: "settings", section: "updates" })} className="flex items-center gap-2 px-4 py-0.5 text-left hover:bg-hover">
      <StatusDot tone="good" />
      {words}
    </button>
  );
}
