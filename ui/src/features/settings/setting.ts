/** What a setting's rule means for whoever edits it. What fits is judged by the engine; here is only what was typed. */
import type { SettingRule, SettingValue, WireError } from "@/generated/protocol";
import { errorAtField } from "@/lib/sentence";

export interface Changeable extends SettingValue {
  rule: SettingRule;
}

export const isChangeable = (row: SettingValue): row is Changeable => row.rule != null;

/** JSON of one kind has one text: the engine writes it. */
export const same = (a: unknown, b: unknown): boolean => JSON.stringify(a ?? null) === JSON.stringify(b ?? null);

export const isDefault = ({ value, rule }: Changeable): boolean => same(value, rule.default);

/** As it stands in a field. */
export function draftOf({ value }: SettingValue): string {
  if (value == null) return "";
  return Array.isArray(value) ? value.join("\n") : String(value);
}

/**
 * The value of what was typed; null where nothing was, which takes the setting away. A number that is none stays a text: the engine
 * says what would fit.
 */
export function valueOf({ kind }: SettingRule, draft: string): unknown {
  const text = draft.trim();
  if (text === "") return null;
  switch (kind.kind) {
    case "list":
      return text.split("\n").map((line) => line.trim()).filter(Boolean);
    case "number":
      return /^-?\d+$/.test(text) ? Number(text) : text;
    case "bool":
      return text === "true";
    case "text":
      return text;
  }
}

/** The default in words. */
export function defaultWords({ default: value }: SettingRule): string {
  if (value == null || (Array.isArray(value) && value.length === 0)) return "nothing";
  if (typeof value === "boolean") return value ? "on" : "off";
  return draftOf({ path: "", value, from: "" });
}

/** What would fit, where the kind alone does not say it. */
export function fitting({ kind }: SettingRule): string | null {
  switch (kind.kind) {
    case "number":
      return `${kind.min} to ${kind.max}`;
    case "list":
      return `One a line, ${kind.most} at most`;
    default:
      return null;
  }
}

/** Why it was refused. What the setting is for stands at its row already. */
export const refusal = (error: WireError, { doc }: SettingRule): string => errorAtField(error.hint === doc ? { ...error, hint: null } : error);
