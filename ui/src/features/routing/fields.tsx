/** The small fields that entries of the table are made of. Empty means: not named. */
import { Field, Input, Select } from "@/components/controls";
import { useRead } from "@/data/operations";

interface TextProps {
  label: string;
  value: string | null | undefined;
  onChange: (value: string | null) => void;
  hint?: string;
  error?: string | null;
  placeholder?: string;
}

export function TextField({ label, value, onChange, hint, error, placeholder }: TextProps) {
  return (
    <Field label={label} hint={hint} error={error}>
      {(ids) => <Input {...ids} value={value ?? ""} placeholder={placeholder} onChange={(event) => onChange(event.target.value === "" ? null : event.target.value)} />}
    </Field>
  );
}

export function NumberField({ label, value, onChange, hint, error }: { label: string; value: number; onChange: (value: number) => void; hint?: string; error?: string | null }) {
  return (
    <Field label={label} hint={hint} error={error}>
      {(ids) => <Input {...ids} type="number" value={Number.isNaN(value) ? "" : value} onChange={(event) => onChange(event.target.valueAsNumber)} />}
    </Field>
  );
}

interface ChoiceProps<T extends string> {
  label: string;
  value: T | null;
  options: readonly (readonly [T, string])[];
  onChange: (value: T | null) => void;
  /** What no choice means; without it one must be chosen. */
  none?: string;
  hint?: string;
  error?: string | null;
}

export function Choice<T extends string>({ label, value, options, onChange, none, hint, error }: ChoiceProps<T>) {
  // Something that is stored and not on offer stays to be seen.
  const all = value === null || options.some(([each]) => each === value) ? options : [...options, [value, value] as const];
  return (
    <Field label={label} hint={hint} error={error}>
      {(ids) => (
        <Select {...ids} value={value ?? ""} onChange={(event) => onChange(all.find(([each]) => each === event.target.value)?.[0] ?? null)}>
          {none !== undefined && <option value="">{none}</option>}
          {all.map(([each, name]) => (
            <option key={each} value={each}>
              {name}
            </option>
          ))}
        </Select>
      )}
    </Field>
  );
}

/** Channels there are, by the id that bindings name. */
export function useChannels(): readonly (readonly [string, string])[] {
  const sources = useRead("source.list", {}).data ?? [];
  return sources.filter(({ kind }) => kind === "channel").map(({ id, name }) => [id.replace(/^channel:/, ""), name] as const);
}

export const namesOf = (text: string): string[] => text.split(/[\s,]+/).filter(Boolean);
export const entriesOf = <T extends string, V extends { name: string }>(record: Record<T, V>): readonly (readonly [T, string])[] => (Object.keys(record) as T[]).map((key) => [key, record[key].name] as const);
