/** Reads the part of JSON Schema that a settings form can draw. What it cannot draw stays editable as JSON. */
import { wordsOfName } from "@/lib/words";

export interface FieldCommon {
  name: string;
  /** From the top, joined by `/`; as the engine names a field. */
  path: string;
  title: string;
  description: string | null;
  required: boolean;
  fallback: unknown;
}

export type TextFormat = "plain" | "password" | "uri" | "email";
export type FieldKind =
  | { kind: "text"; format: TextFormat; long: boolean; pattern: string | null; minLength: number | null; maxLength: number | null }
  | { kind: "number"; integer: boolean; min: number | null; max: number | null; above: number | null; below: number | null }
  | { kind: "boolean" }
  | { kind: "choice"; options: readonly Choice[] }
  | { kind: "fixed"; value: unknown }
  | { kind: "list"; item: FieldSpec; min: number | null; max: number | null; unique: boolean }
  | { kind: "group"; fields: readonly FieldSpec[] }
  | { kind: "json" };
export type FieldSpec = FieldCommon & FieldKind;

/** One of several values; they need not be strings. */
export interface Choice {
  label: string;
  value: unknown;
}

type Schema = Record<string, unknown>;

export const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);
const text = (value: unknown): string | null => (typeof value === "string" ? value : null);
const label = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));
const number = (value: unknown): number | null => (typeof value === "number" ? value : null);

export function fieldsOf(schema: unknown, under = ""): FieldSpec[] {
  if (!isRecord(schema) || !isRecord(schema.properties)) return [];
  const required = Array.isArray(schema.required) ? schema.required : [];
  return Object.entries(schema.properties).flatMap(([name, property]) => (isRecord(property) ? [fieldOf(name, under + name, property, required.includes(name))] : []));
}

function fieldOf(name: string, path: string, property: Schema, required: boolean): FieldSpec {
  const common = { name, path, title: text(property.title) ?? words(name), description: text(property.description), required, fallback: property.default };
  return { ...common, ...kindOf(path, property) };
}

function kindOf(path: string, property: Schema): FieldKind {
  const options = choicesOf(property);
  if (options !== null) return { kind: "choice", options };
  if ("const" in property) return { kind: "fixed", value: property.const };
  const type = Array.isArray(property.type) ? property.type.find((each) => each !== "null") : property.type;
  switch (type) {
    case "string":
      return { kind: "text", format: formatOf(property.format), long: isLong(path, property), pattern: text(property.pattern), minLength: number(property.minLength), maxLength: number(property.maxLength) };
    case "integer":
    case "number":
      return { kind: "number", integer: type === "integer", min: number(property.minimum), max: number(property.maximum), above: number(property.exclusiveMinimum), below: number(property.exclusiveMaximum) };
    case "boolean":
      return { kind: "boolean" };
    case "array":
      return listOf(path, property);
    case "object": {
      const fields = fieldsOf(property, `${path}/`);
      return fields.length === 0 ? { kind: "json" } : { kind: "group", fields };
    }
    default:
      return { kind: "json" };
  }
}

/** What is written in lines rather than in a line: JSON Schema has no word for it. */
function isLong(path: string, property: Schema): boolean {
  const name = path.split("/").at(-1) ?? "";
  return (number(property.maxLength) ?? 0) >= 1_000 || /^(body|text|message|content|description|markdown|html|notes?)$/i.test(name);
}

/** `enum`, perhaps with the `enumNames` of MCP beside it, or `oneOf`/`anyOf` whose parts are each one value. */
function choicesOf(property: Schema): Choice[] | null {
  const names: readonly unknown[] = Array.isArray(property.enumNames) ? property.enumNames : [];
  if (Array.isArray(property.enum)) return property.enum.map((value: unknown, i) => ({ label: text(names[i]) ?? label(value), value }));
  const parts = property.oneOf ?? property.anyOf;
  if (!Array.isArray(parts) || parts.length === 0 || !parts.every((part): part is Schema => isRecord(part) && "const" in part)) return null;
  return parts.map((part) => ({ label: text(part.title) ?? label(part.const), value: part.const }));
}

function listOf(path: string, property: Schema): FieldKind {
  if (!isRecord(property.items)) return { kind: "json" };
  const item = fieldOf("", `${path}/*`, property.items, true);
  if (item.kind !== "text" && item.kind !== "number" && item.kind !== "choice") return { kind: "json" };
  return { kind: "list", item, min: number(property.minItems), max: number(property.maxItems), unique: property.uniqueItems === true };
}

function formatOf(format: unknown): TextFormat {
  if (format === "password" || format === "email") return format;
  return format === "uri" || format === "url" ? "uri" : "plain";
}

/** `pollSeconds` → `Poll seconds`. */
function words(name: string): string {
  const spaced = wordsOfName(name);
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}
