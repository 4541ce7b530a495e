/** The rules as a table: a row for each kind of session. */
import { Input } from "@/components/controls";
import type { ClassRules, HygieneRules, SessionClass, WireError } from "@/generated/protocol";
import { fieldOf } from "@/lib/sentence";

export const CLASSES: Record<SessionClass, string> = { desktop: "This window and clients", direct: "Direct conversations", group: "Groups", thread: "Threads" };

interface Column {
  key: keyof ClassRules;
  name: string;
  unit: string;
  /** The window's own sessions have no conversation that could begin anew. */
  channelOnly: boolean;
}

const COLUMNS: readonly Column[] = [
  { key: "resetAfterMinutes", name: "New session after silence", unit: "minutes", channelOnly: true },
  { key: "resetDailyAt", name: "New session daily at", unit: "HH:MM", channelOnly: true },
  { key: "archiveAfterDays", name: "Archive after silence", unit: "days", channelOnly: false },
  { key: "most", name: "Keep at most", unit: "sessions", channelOnly: false },
];

interface FormProps {
  rules: HygieneRules;
  error: WireError | null;
  onChange: (rules: HygieneRules) => void;
}

export function RulesForm({ rules, error, onChange }: FormProps) {
  const field = error === null ? "" : fieldOf(error);
  const set = (kind: SessionClass, next: ClassRules) => onChange({ ...rules, [kind]: { ...rules[kind], ...next } });
  return (
    <div className="flex flex-col gap-4">
      {(Object.keys(CLASSES) as SessionClass[]).map((kind) => (
        <fieldset key={kind} className="rounded-lg border border-line px-3.5 pt-1 pb-3">
          <legend className="px-1 font-medium">{CLASSES[kind]}</legend>
          <div className="grid grid-cols-2 gap-x-4 gap-y-2.5 @lg:grid-cols-4">
            {COLUMNS.filter(({ channelOnly }) => !channelOnly || kind !== "desktop").map((column) => (
              <Cell
                key={column.key}
                column={column}
                label={`${CLASSES[kind]}: ${column.name}`}
                value={rules[kind]?.[column.key] ?? null}
                wrong={field === `${kind}.${column.key}`}
                onChange={(value) => set(kind, { [column.key]: value })}
              />
            ))}
          </div>
        </fieldset>
      ))}
      <div className="flex flex-wrap items-center gap-3">
        <span aria-hidden className="font-medium">Delete archived sessions after</span>
        <span className="w-24">
          <Input
            type="number"
            min={1}
            placeholder="never"
            aria-label="Delete archived sessions after, in days"
            aria-invalid={field === "deleteArchivedAfterDays" ? true : undefined}
            value={rules.deleteArchivedAfterDays ?? ""}
            onChange={(event) => onChange({ ...rules, deleteArchivedAfterDays: event.target.value === "" ? null : event.target.valueAsNumber })}
          />
        </span>
        <span aria-hidden className="text-muted">days</span>
      </div>
    </div>
  );
}

interface CellProps {
  column: Column;
  label: string;
  value: string | number | null;
  wrong: boolean;
  onChange: (value: string | number | null) => void;
}

function Cell({ column: { key, name, unit }, label, value, wrong, onChange }: CellProps) {
  const time = key === "resetDailyAt";
  return (
    <div className="flex flex-col justify-end gap-1">
      <span aria-hidden className="text-sm text-muted">
        {name}
      </span>
      <span className="flex items-center gap-2">
        <Input
          type={time ? "time" : "number"}
          {...(time ? {} : { min: 1, placeholder: "never" })}
          aria-label={`${label}, ${unit}`}
          aria-invalid={wrong ? true : undefined}
          value={value ?? ""}
          onChange={(event) => onChange(event.target.value === "" ? null : time ? event.target.value : event.target.valueAsNumber)}
        />
        {!time && (
          <span aria-hidden className="shrink-0 text-sm text-faint">
            {unit}
          </span>
        )}
      </span>
    </div>
  );
}
