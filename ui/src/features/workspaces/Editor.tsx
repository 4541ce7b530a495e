/** A list that is edited and saved whole: rows, a new one, and what the engine says against it. */
import { Plus } from "lucide-react";
import { type ReactNode, useState } from "react";
import { Button } from "@/components/Button";
import { Section } from "@/components/layout";
import { errorAtField } from "@/lib/sentence";
import { toOperationError } from "@/platform";

interface EditorProps<T> {
  title: string;
  saved: readonly T[];
  note: ReactNode;
  add: string;
  fresh: (entries: readonly T[]) => T;
  row: (entries: readonly T[], at: number, change: (entries: readonly T[]) => void) => ReactNode;
  keyOf: (entry: T) => string;
  onSave: (entries: readonly T[]) => Promise<unknown>;
}

export function Editor<T>({ title, saved, note, add, fresh, row, keyOf, onSave }: EditorProps<T>) {
  const [draft, setDraft] = useState<readonly T[] | null>(null);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const entries = draft ?? saved;
  const save = async () => {
    setBusy(true);
    setError(null);
    try {
      await onSave(entries);
      setDraft(null);
    } catch (cause) {
      setError(errorAtField(toOperationError(cause).wire));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Section
      title={title}
      actions={
        <Button icon={<Plus className="size-3.5" />} data-testid={`add-${title.toLowerCase()}`} onClick={() => setDraft([...entries, fresh(entries)])}>
          {add}
        </Button>
      }
    >
      <p className="text-muted">{note}</p>
      {entries.length > 0 && (
        <ul className="divide-y divide-line rounded-lg border border-line">
          {entries.map((entry, at) => (
            <li key={keyOf(entry)} className="flex flex-wrap items-center gap-x-2 gap-y-1 px-2 py-1.5">
              {row(entries, at, setDraft)}
            </li>
          ))}
        </ul>
      )}
      {error !== null && (
        <p role="alert" className="text-bad">
          {error}
        </p>
      )}
      {draft !== null && (
        <div className="flex gap-2">
          <Button look="primary" data-testid={`save-${title.toLowerCase()}`} disabled={busy} onClick={() => void save()}>
            {busy ? "Saving" : "Save"}
          </Button>
          <Button
            disabled={busy}
            onClick={() => {
              setDraft(null);
              setError(null);
            }}
          >
            Discard
          </Button>
        </div>
      )}
    </Section>
  );
}
