/** What every row of an editor has: its colour, its place, and the way out. */
import { ArrowDown, ArrowUp, X } from "lucide-react";
import { IconButton } from "@/components/Button";
import { Select } from "@/components/controls";
import { cssColor } from "@/lib/color";
import { useDark } from "@/lib/theme";

const COLORS: readonly [value: string, name: string][] = [
  ["", "None"],
  ["accent", "Accent"],
  ["info", "Blue"],
  ["success", "Green"],
  ["warning", "Amber"],
  ["destructive", "Red"],
  ["foreground/50", "Grey"],
];

export function ColorSelect({ of, color, onChange }: { of: string; color: unknown; onChange: (color: string | null) => void }) {
  const dark = useDark();
  const value = typeof color === "string" ? color : color === null ? "" : "own";
  const known = COLORS.some(([each]) => each === value);
  return (
    <span className="flex shrink-0 items-center gap-1.5">
      <span aria-hidden className="size-3 rounded-full border border-line" style={{ background: color === null ? "transparent" : cssColor(color, dark) }} />
      <Select aria-label={`Colour of ${of}`} className="w-24" value={known ? value : "own"} onChange={(event) => event.target.value !== "own" && onChange(event.target.value === "" ? null : event.target.value)}>
        {COLORS.map(([each, name]) => (
          <option key={each} value={each}>
            {name}
          </option>
        ))}
        {!known && <option value="own">Its own</option>}
      </Select>
    </span>
  );
}

interface MoveProps {
  of: string;
  at: number;
  count: number;
  onMove: (step: -1 | 1) => void;
  /** Absent where it has to stay. */
  onRemove?: (() => void) | undefined;
}

export function MoveButtons({ of, at, count, onMove, onRemove }: MoveProps) {
  return (
    <span className="flex shrink-0">
      <IconButton label={`${of} up`} disabled={at === 0} onClick={() => onMove(-1)}>
        <ArrowUp className="size-3.5" />
      </IconButton>
      <IconButton label={`${of} down`} disabled={at === count - 1} onClick={() => onMove(1)}>
        <ArrowDown className="size-3.5" />
      </IconButton>
      <IconButton label={onRemove === undefined ? `${of} has to stay` : `Remove ${of}`} disabled={onRemove === undefined} onClick={onRemove}>
        <X className="size-3.5" />
      </IconButton>
    </span>
  );
}
