/** A settings form drawn from a JSON Schema. */
import { useState } from "react";
import { Button } from "@/components/Button";
import { Field, Input, Select, Switch } from "@/components/controls";
import { OperationError } from "@/platform";
import { type FieldSpec, fieldsOf, type FormValues, settingsOf, valuesOf } from "./schema";

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

  const save = async () => {
    const parsed = settingsOf(fields, values, settings);
    setErrors(parsed.ok ? {} : parsed.errors);
    setNote(null);
    if (!parsed.ok) return;
    setSaving(true);
    try {
      await onSave(parsed.settings);
      setNote("Saved.");
    } catch (cause) {
      setNote(cause instanceof OperationError ? [cause.wire.message, cause.wire.hint].filter(Boolean).join(" ") : "It could not be saved.");
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
        void save();
      }}
    >
      {fields.map((field) => (
        <Control key={field.name} field={field} value={values[field.name] ?? ""} error={errors[field.name]} onChange={(value) => setValues({ ...values, [field.name]: value })} />
      ))}
      <div className="flex items-center gap-3">
        <Button type="submit" look="primary" disabled={saving}>
          Save
        </Button>
        {note !== null && (
          <span role="status" className="text-muted">
            {note}
          </span>
        )}
      </div>
    </form>
  );
}

interface ControlProps {
  field: FieldSpec;
  value: string | boolean;
  error: string | undefined;
  onChange: (value: string | boolean) => void;
}

function Control({ field, value, error, onChange }: ControlProps) {
  if (field.kind === "boolean") {
    return (
      <div className="flex items-start gap-3">
        <div className="flex-1">
          <p className="font-medium">{field.title}</p>
          {field.description !== null && <p className="text-sm text-faint">{field.description}</p>}
        </div>
        <Switch label={field.title} checked={value === true} onChange={onChange} />
      </div>
    );
  }
  const words = String(value);
  return (
    <Field label={field.required ? field.title : `${field.title} (optional)`} hint={field.description} error={error}>
      {(ids) =>
        field.kind === "choice" ? (
          <Select {...ids} value={words} onChange={(event) => onChange(event.target.value)}>
            {!field.required && <option value="">—</option>}
            {field.options.map((option) => (
              <option key={option}>{option}</option>
            ))}
          </Select>
        ) : (
          <Input
            {...ids}
            value={words}
            inputMode={field.kind === "number" ? (field.integer ? "numeric" : "decimal") : undefined}
            className={field.kind === "json" ? "font-mono text-sm" : field.kind === "number" ? "w-28" : undefined}
            placeholder={field.kind === "json" ? "JSON" : undefined}
            onChange={(event) => onChange(event.target.value)}
          />
        )
      }
    </Field>
  );
}
