/** A settings form drawn from a JSON Schema; sources and plugins use the same one. */
import { useState } from "react";
import { Button } from "@/components/Button";
import { notify } from "@/data/notify";
import { errorAtField, errorWords } from "@/lib/sentence";
import { toOperationError } from "@/platform";
import { FormControl } from "./FormControl";
import { fieldsOf } from "./schema";
import { fieldOfError, type FormValues, settingsOf, valuesOf } from "./values";

interface FormProps {
  schema: unknown;
  settings: unknown;
  onSave: (settings: unknown) => Promise<unknown>;
}

export function SettingsForm({ schema, settings, onSave }: FormProps) {
  const fields = fieldsOf(schema);
  const [values, setValues] = useState<FormValues>(() => valuesOf(fields, settings));
  const [errors, setErrors] = useState<Record<string, string>>({});
  const [note, setNote] = useState<string | null>(null);
  const [saving, setSaving] = useState(false);
  if (fields.length === 0) return <p className="text-faint">There is nothing to set.</p>;

  const fail = (found: Record<string, string>, form: HTMLFormElement) => {
    setErrors(found);
    const n = Object.keys(found).length;
    setNote(n === 1 ? "One field needs another look." : `${n} fields need another look.`);
    // After the fields have been drawn as wrong.
    requestAnimationFrame(() => form.querySelector<HTMLElement>("[aria-invalid=true]")?.focus());
  };

  const save = async (form: HTMLFormElement) => {
    const parsed = settingsOf(fields, values, settings);
    if (!parsed.ok) {
      fail(parsed.errors, form);
      return;
    }
    setErrors({});
    setNote(null);
    setSaving(true);
    try {
      await onSave(parsed.settings);
      // In the status line: this form is drawn anew from what was saved.
      notify({ tone: "info", message: "Settings saved.", hint: null });
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
        void save(event.currentTarget);
      }}
    >
      {fields.map((field) => (
        <FormControl key={field.path} field={field} value={values[field.name] ?? ""} errors={errors} onChange={(value) => setValues({ ...values, [field.name]: value })} />
      ))}
      <div className="flex items-center gap-3">
        <Button type="submit" look="primary" data-testid="settings-save" disabled={saving}>
          {saving ? "Saving" : "Save"}
        </Button>
        {note !== null && (
          <span role="status" className="text-bad">
            {note}
          </span>
        )}
      </div>
    </form>
  );
}
