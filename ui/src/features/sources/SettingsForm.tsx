/** A settings form drawn from a JSON Schema; sources and plugins use the same one. */
import { notify } from "@/data/notify";
import { SchemaForm } from "./SchemaForm";
import { fieldsOf } from "./schema";

interface FormProps {
  schema: unknown;
  settings: unknown;
  onSave: (settings: unknown) => Promise<unknown>;
}

export function SettingsForm({ schema, settings, onSave }: FormProps) {
  if (fieldsOf(schema).length === 0) return <p className="text-faint">There is nothing to set.</p>;
  const save = async (next: unknown) => {
    await onSave(next);
    // In the status line: the form is drawn anew from what was saved.
    notify({ tone: "info", message: "Settings saved.", hint: null });
  };
  return <SchemaForm schema={schema} value={settings} action={["Save", "Saving"]} onSubmit={save} testId="settings-save" />;
}
