/** A form drawn from a JSON Schema: settings, the arguments of a tool, what a source asks. Every error stands at its field. */
import { type ReactNode, useState } from "react";
import { Button } from "@/components/Button";
import { errorAtField, errorWords } from "@/lib/sentence";
import { toOperationError } from "@/platform";
import { FormControl } from "./FormControl";
import { fieldsOf } from "./schema";
import { fieldOfError, type FormValues, settingsOf, valuesOf } from "./values";

interface FormProps {
  schema: unknown;
  /** What stands in it at first. */
  value: unknown;
  /** What the button says, and what it says while it works. */
  action: readonly [idle: string, busy: string];
  /** Resolves when the value was taken; a rejection is shown, at its field where it names one. */
  onSubmit: (value: Record<string, unknown>) => Promise<unknown>;
  testId?: string;
  /** Further buttons beside it. */
  children?: ReactNode;
}

export function SchemaForm({ schema, value, action, onSubmit, testId, children }: FormProps) {
  const fields = fieldsOf(schema);
  const [values, setValues] = useState<FormValues>(() => valuesOf(fields, value));
  const [errors, setErrors] = useState<Record<string, string>>({});
  const [note, setNote] = useState<string | null>(null);
  const [saving, setSaving] = useState(false);

  const fail = (found: Record<string, string>, form: HTMLFormElement) => {
    setErrors(found);
    const n = Object.keys(found).length;
    setNote(n === 1 ? "One field needs another look." : `${n} fields need another look.`);
    // After the fields have been drawn as wrong.
    requestAnimationFrame(() => form.querySelector<HTMLElement>("[aria-invalid=true]")?.focus());
  };

  const submit = async (form: HTMLFormElement) => {
    const parsed = settingsOf(fields, values, value);
    if (!parsed.ok) {
      fail(parsed.errors, form);
      return;
    }
    setErrors({});
    setNote(null);
    setSaving(true);
    try {
      await onSubmit(parsed.settings);
    } catch (cause) {
      const { wire } = toOperationError(cause);
      const path = fieldOfError(fields, wire.details, wire.message);
      if (path === null) setNote(errorWords(wire));
      else fail({ [path]: errorAtField(wire) }, form);
    } finally {
      setSaving(false);
    }
  };

  return (
    <form
      noValidate
      className="flex max-w-md flex-col gap-3.5"
      onSubmit={(event) => {
        event.preventDefault();
        void submit(event.currentTarget);
      }}
    >
      {fields.map((field) => (
        <FormControl key={field.path} field={field} value={values[field.name] ?? ""} errors={errors} onChange={(next) => setValues({ ...values, [field.name]: next })} />
      ))}
      <div className="flex flex-wrap items-center gap-2">
        <Button type="submit" look="primary" data-testid={testId} disabled={saving}>
          {saving ? action[1] : action[0]}
        </Button>
        {children}
        {note !== null && (
          <span role="status" className="text-bad">
            {note}
          </span>
        )}
      </div>
    </form>
  );
}
