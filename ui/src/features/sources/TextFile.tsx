/** A small file to edit: saved by a button or Ctrl+S, refused with a reason below it, and never lost when it changes on disk. */
import { useState } from "react";
import { Button } from "@/components/Button";
import { Field, Textarea } from "@/components/controls";
import { isMod } from "@/lib/keys";
import { errorAtField } from "@/lib/sentence";
import { OperationError, toOperationError } from "@/platform";

interface FileProps {
  name: string;
  saved: string;
  rows: number;
  hint: string;
  mono?: boolean;
  placeholder?: string;
  onSave: (text: string) => Promise<unknown>;
}

interface Draft {
  text: string;
  /** What was saved when the typing began. */
  base: string;
}

export function TextFile({ name, saved, rows, hint, mono = false, placeholder, onSave }: FileProps) {
  const [draft, setDraft] = useState<Draft | null>(null);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const text = draft?.text ?? saved;
  const dirty = draft !== null && draft.text !== saved;
  const changedElsewhere = dirty && draft.base !== saved;
  const drop = () => {
    setDraft(null);
    setError(null);
  };
  const save = async () => {
    setBusy(true);
    setError(null);
    try {
      await onSave(text);
      setDraft(null);
    } catch (cause) {
      setError(errorAtField(toOperationError(cause).wire));
    } finally {
      setBusy(false);
    }
  };
  return (
    <div className="flex flex-col gap-2">
      <Field label={name} hint={hint} error={error}>
        {(ids) => (
          <Textarea
            {...ids}
            data-testid={`file-${name}`}
            rows={rows}
            placeholder={placeholder}
            className={mono ? "font-mono text-sm" : "leading-5"}
            value={text}
            onChange={(event) => setDraft({ text: event.target.value, base: draft?.base ?? saved })}
            onKeyDown={(event) => {
              if (!isMod(event.nativeEvent) || event.key !== "s") return;
              event.preventDefault();
              if (dirty && !busy) void save();
            }}
          />
        )}
      </Field>
      {changedElsewhere && (
        <p role="status" className="flex flex-wrap items-center gap-2 text-warn">
          It has changed on disk while you wrote.
          <Button onClick={drop}>Take what is on disk</Button>
        </p>
      )}
      {dirty && (
        <div className="flex gap-2">
          <Button look="primary" data-testid={`save-${name}`} disabled={busy} onClick={() => void save()}>
            {busy ? "Saving" : changedElsewhere ? "Save mine over it" : "Save"}
          </Button>
          <Button disabled={busy} onClick={drop}>
            Discard
          </Button>
        </div>
      )}
    </div>
  );
}

/** Refuses what is not JSON in the words of the engine's own errors, so that one place shows both. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    const where = cause instanceof Error ? cause.message.replace(/^JSON\.parse: |^JSON Parse error: /, "") : "";
    throw new OperationError({ code: "invalid", message: `This is not JSON yet${where === "" ? "" : `: ${where}`}` });
  }
}
