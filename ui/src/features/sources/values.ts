/** What a settings form holds, and the way from settings to it and back. */
import { type Choice, type FieldSpec, isRecord } from "./schema";

/** Text for everything that is typed, so that a half-typed number is no loss. A choice holds the place of its option. */
export type FormValue = string | boolean | readonly string[] | FormValues;
export interface FormValues {
  readonly [name: string]: FormValue;
}

export type Parsed = { ok: true; settings: Record<string, unknown> } | { ok: false; errors: Record<string, string> };
type Value = { value: unknown } | { errors: Record<string, string> };

export function valuesOf(fields: readonly FieldSpec[], settings: unknown): FormValues {
  const present = isRecord(settings) ? settings : {};
  return Object.fromEntries(fields.map((field) => [field.name, valueOf(field, present[field.name] ?? field.fallback)]));
}

function valueOf(field: FieldSpec, value: unknown): FormValue {
  switch (field.kind) {
    case "boolean":
      return value === true;
    case "group":
      return valuesOf(field.fields, value);
    case "list":
      return Array.isArray(value) ? value.map((each) => wordsOf(field.item, each)) : [];
    case "fixed":
      return JSON.stringify(field.value);
    default:
      return wordsOf(field, value);
  }
}

function wordsOf(field: FieldSpec, value: unknown): string {
  if (value === undefined || value === null) return "";
  if (field.kind === "choice") return placeOf(field.options, value);
  return field.kind === "json" ? JSON.stringify(value) : String(value);
}

function placeOf(options: readonly Choice[], value: unknown): string {
  const at = options.findIndex((option) => JSON.stringify(option.value) === JSON.stringify(value));
  return at === -1 ? "" : String(at);
}

/** From the form back to settings. Settings that the schema does not name are kept. */
export function settingsOf(fields: readonly FieldSpec[], values: FormValues, before: unknown): Parsed {
  const settings: Record<string, unknown> = isRecord(before) ? { ...before } : {};
  const errors: Record<string, string> = {};
  for (const field of fields) {
    const value = values[field.name] ?? "";
    if (isBlank(field, value, settings[field.name])) {
      delete settings[field.name];
      if (field.required) errors[field.path] = "This is needed.";
      continue;
    }
    const parsed = parse(field, value, settings[field.name]);
    if ("errors" in parsed) Object.assign(errors, parsed.errors);
    else settings[field.name] = parsed.value;
  }
  return Object.keys(errors).length === 0 ? { ok: true, settings } : { ok: false, errors };
}

/** Whether the person left it alone: such a field is left out of the settings rather than stored empty. */
function isBlank(field: FieldSpec, value: FormValue, before: unknown): boolean {
  if (field.kind === "group") return !field.required && before === undefined && (!isRecord(value) || field.fields.every((part) => isUntouched(part, value[part.name] ?? "")));
  if (field.kind === "list") return Array.isArray(value) && value.length === 0 && !field.required && before === undefined;
  return value === "";
}

function isUntouched(field: FieldSpec, value: FormValue): boolean {
  return JSON.stringify(value) === JSON.stringify(valueOf(field, field.fallback));
}

function parse(field: FieldSpec, value: FormValue, before: unknown): Value {
  switch (field.kind) {
    case "boolean":
      return { value: value === true };
    case "fixed":
      return { value: field.value };
    case "group": {
      const parsed = settingsOf(field.fields, isRecord(value) ? value : {}, before);
      return parsed.ok ? { value: parsed.settings } : parsed;
    }
    case "list":
      return parseList(field, Array.isArray(value) ? value : []);
    default:
      return parseWords(field, field.path, String(value));
  }
}

function parseList(field: FieldSpec & { kind: "list" }, rows: readonly string[]): Value {
  const parsed = rows.map((row, i) => (row === "" ? { errors: { [`${field.path}/${i}`]: "This is empty; fill it in or take it out." } } : parseWords(field.item, `${field.path}/${i}`, row)));
  const errors: Record<string, string> = Object.assign({}, ...parsed.map((each) => ("errors" in each ? each.errors : {})));
  if (field.min !== null && rows.length < field.min) errors[field.path] = `At least ${field.min}.`;
  if (field.max !== null && rows.length > field.max) errors[field.path] = `At most ${field.max}.`;
  if (field.unique && new Set(rows).size < rows.length) errors[field.path] = "The same thing stands here twice.";
  if (Object.keys(errors).length > 0) return { errors };
  return { value: parsed.map((each) => ("value" in each ? each.value : null)) };
}

function parseWords(field: FieldSpec, path: string, words: string): Value {
  const wrong = (message: string): Value => ({ errors: { [path]: message } });
  switch (field.kind) {
    case "choice":
      return { value: field.options[Number(words)]?.value };
    case "number": {
      const problem = numberProblem(field, words);
      return problem === null ? { value: Number(words) } : wrong(problem);
    }
    case "json":
      try {
        return { value: JSON.parse(words) as unknown };
      } catch {
        return wrong("This is not JSON.");
      }
    case "text": {
      const problem = textProblem(field, words);
      return problem === null ? { value: words } : wrong(problem);
    }
    default:
      return { value: words };
  }
}

function numberProblem(field: FieldSpec & { kind: "number" }, words: string): string | null {
  const n = Number(words);
  if (words.trim() === "" || !Number.isFinite(n)) return "This is not a number.";
  if (field.integer && !Number.isInteger(n)) return "This must be a whole number.";
  if (field.min !== null && n < field.min) return `At least ${field.min}.`;
  if (field.max !== null && n > field.max) return `At most ${field.max}.`;
  if (field.above !== null && n <= field.above) return `More than ${field.above}.`;
  if (field.below !== null && n >= field.below) return `Less than ${field.below}.`;
  return null;
}

function textProblem(field: FieldSpec & { kind: "text" }, words: string): string | null {
  const length = [...words].length;
  if (field.minLength !== null && length < field.minLength) return `At least ${field.minLength} characters.`;
  if (field.maxLength !== null && length > field.maxLength) return `At most ${field.maxLength} characters.`;
  if (field.format === "email" && !/^[^\s@]+@[^\s@]+$/.test(words)) return "This is not an e-mail address.";
  if (field.format === "uri" && !URL.canParse(words)) return "This is not an address; it begins with https:// or the like.";
  if (field.pattern !== null && !fits(field.pattern, words)) return `This does not have the form it must have (${field.pattern}).`;
  return null;
}

/** A pattern that this browser cannot read is left to the engine, which checks again. */
function fits(pattern: string, words: string): boolean {
  try {
    return new RegExp(pattern, "u").test(words);
  } catch {
    return true;
  }
}

/** Where an error of the engine belongs: the field it names, or the nearest one above that the form has. */
export function fieldOfError(fields: readonly FieldSpec[], details: unknown, message: string): string | null {
  // A tool's arguments and a form's contents are named in words only: `params.team: …`, `content: …`.
  const named = isRecord(details) && typeof details.field === "string" ? details.field : /^(?:params|content)(?:\.([\w.]+))?: /.exec(message)?.slice(1).map((path?: string) => (path ?? "").replaceAll(".", "/"))[0];
  if (named === undefined) return null;
  const missing = /"([^"]+)" is a required property/.exec(message)?.[1];
  const base = named === "settings" || named === "" ? [] : named.split("/");
  const parts = missing === undefined ? base : [...base, missing];
  for (let n = parts.length; n > 0; n -= 1) {
    const path = parts.slice(0, n).join("/");
    if (hasField(fields, path)) return path;
  }
  return null;
}

function hasField(fields: readonly FieldSpec[], path: string): boolean {
  return fields.some((field) => field.path === path || (field.kind === "list" && path.startsWith(`${field.path}/`)) || (field.kind === "group" && hasField(field.fields, path)));
}
