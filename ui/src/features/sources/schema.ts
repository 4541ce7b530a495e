/** Reads the part of JSON Schema that a settings form can draw. What it cannot draw stays editable as JSON. */
export type FieldSpec = {
  name: string;
  title: string;
  description: string | null;
  required: boolean;
  fallback: unknown;
} & (
  | { kind: "text"; pattern: string | null }
  | { kind: "number"; integer: boolean; min: number | null; max: number | null }
  | { kind: "boolean" }
  | { kind: "choice"; options: readonly string[] }
  | { kind: "json" }
);

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);
const text = (value: unknown): string | null => (typeof value === "string" ? value : null);
const number = (value: unknown): number | null => (typeof value === "number" ? value : null);

export function fieldsOf(schema: unknown): FieldSpec[] {
  if (!isRecord(schema) || !isRecord(schema.properties)) return [];
  const required = Array.isArray(schema.required) ? schema.required : [];
  return Object.entries(schema.properties).flatMap(([name, property]) => (isRecord(property) ? [fieldOf(name, property, required.includes(name))] : []));
}

function fieldOf(name: string, property: Record<string, unknown>, required: boolean): FieldSpec {
  const common = { name, title: text(property.title) ?? words(name), description: text(property.description), required, fallback: property.default };
  const type = Array.isArray(property.type) ? property.type.find((each) => each !== "null") : property.type;
  if (Array.isArray(property.enum) && property.enum.every((each) => typeof each === "string")) return { ...common, kind: "choice", options: property.enum };
  switch (type) {
    case "string":
      return { ...common, kind: "text", pattern: text(property.pattern) };
    case "integer":
    case "number":
      return { ...common, kind: "number", integer: type === "integer", min: number(property.minimum), max: number(property.maximum) };
    case "boolean":
      return { ...common, kind: "boolean" };
    default:
      return { ...common, kind: "json" };
  }
}

/** `pollSeconds` → `Poll seconds`. */
function words(name: string): string {
  const spaced = name.replaceAll(/([a-z0-9])([A-Z])/g, "$1 $2").replaceAll(/[_-]/g, " ").toLowerCase();
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}

/** What the form holds: text for everything that is typed, so that a half-typed number is no loss. */
export type FormValues = Record<string, string | boolean>;

export function valuesOf(fields: readonly FieldSpec[], settings: unknown): FormValues {
  const present = isRecord(settings) ? settings : {};
  return Object.fromEntries(
    fields.map((field) => {
      const value = present[field.name] ?? field.fallback;
      if (field.kind === "boolean") return [field.name, value === true];
      if (field.kind === "json") return [field.name, value === undefined ? "" : JSON.stringify(value)];
      return [field.name, value === undefined || value === null ? "" : String(value)];
    }),
  );
}

export type Parsed = { ok: true; settings: Record<string, unknown> } | { ok: false; errors: Record<string, string> };

/** From the form back to settings. Settings that the schema does not name are kept. */
export function settingsOf(fields: readonly FieldSpec[], values: FormValues, before: unknown): Parsed {
  const settings: Record<string, unknown> = isRecord(before) ? { ...before } : {};
  const errors: Record<string, string> = {};
  for (const field of fields) {
    const value = values[field.name] ?? "";
    if (value === "") {
      delete settings[field.name];
      if (field.required) errors[field.name] = "This is needed.";
      continue;
    }
    const parsed = parse(field, value);
    if ("error" in parsed) errors[field.name] = parsed.error;
    else settings[field.name] = parsed.value;
  }
  return Object.keys(errors).length === 0 ? { ok: true, settings } : { ok: false, errors };
}

function parse(field: FieldSpec, value: string | boolean): { value: unknown } | { error: string } {
  switch (field.kind) {
    case "boolean":
      return { value: value === true };
    case "number":
      return parseNumber(field.integer, field.min, field.max, String(value));
    case "json":
      try {
        return { value: JSON.parse(String(value)) as unknown };
      } catch {
        return { error: "This is not JSON." };
      }
    default:
      return { value };
  }
}

function parseNumber(integer: boolean, min: number | null, max: number | null, value: string): { value: unknown } | { error: string } {
  const n = Number(value);
  if (!Number.isFinite(n)) return { error: "This is not a number." };
  if (integer && !Number.isInteger(n)) return { error: "This must be a whole number." };
  if (min !== null && n < min) return { error: `At least ${min}.` };
  if (max !== null && n > max) return { error: `At most ${max}.` };
  return { value: n };
}
