/** Statuses and labels as their files have them, and as lists to edit. */
import type { Json, WorkspaceSettings } from "@/generated/protocol";

export interface StatusEntry {
  id: string;
  label: string;
  color: unknown;
  closed: boolean;
}

export interface LabelEntry {
  id: string;
  name: string;
  color: unknown;
  valueType: string | null;
  /** 0 at the top. */
  depth: number;
}

/** These must be there; the earlier app would not read the file without them. */
export const FIXED: readonly string[] = ["todo", "done", "cancelled"];
const DEEPEST = 4;

const records = (json: unknown): Record<string, unknown>[] => (Array.isArray(json) ? json.filter((one): one is Record<string, unknown> => typeof one === "object" && one !== null) : []);
const text = (value: unknown): string => (typeof value === "string" ? value : "");

export const statusesOf = (settings: WorkspaceSettings): StatusEntry[] =>
  records(settings.statuses).map((one) => ({ id: text(one.id), label: text(one.label), color: one.color ?? null, closed: one.category === "closed" }));

export const statusesJson = (entries: readonly StatusEntry[]): Json => entries.map(({ id, label, color, closed }) => ({ id, label, color, category: closed ? "closed" : "open" })) as unknown as Json;

export const labelsOf = (settings: WorkspaceSettings): LabelEntry[] => flat(settings.labels, 0);

function flat(json: unknown, depth: number): LabelEntry[] {
  return records(json).flatMap((one) => [{ id: text(one.id), name: text(one.name), color: one.color ?? null, valueType: typeof one.valueType === "string" ? one.valueType : null, depth }, ...flat(one.children, depth + 1)]);
}

interface LabelNode {
  id: string;
  name: string;
  color: unknown;
  valueType: string | null;
  children: LabelNode[];
}

/** A label belongs to the last one before it that stands one step higher. */
export function labelsJson(entries: readonly LabelEntry[]): Json {
  const roots: LabelNode[] = [];
  const open: LabelNode[] = [];
  for (const { depth, ...entry } of entries) {
    const node: LabelNode = { ...entry, children: [] };
    const at = Math.min(depth, open.length);
    (at === 0 ? roots : (open[at - 1]?.children ?? roots)).push(node);
    open.length = at;
    open.push(node);
  }
  return roots as unknown as Json;
}

/** How deep the entry may stand: one step below the one before it. */
export const deepestAt = (entries: readonly LabelEntry[], at: number): number => (at === 0 ? 0 : Math.min(DEEPEST, (entries[at - 1]?.depth ?? -1) + 1));

/** With no entry deeper than it may be. */
export const settled = (entries: readonly LabelEntry[]): LabelEntry[] =>
  entries.reduce<LabelEntry[]>((done, entry) => [...done, { ...entry, depth: Math.min(entry.depth, deepestAt([...done, entry], done.length)) }], []);

/** The entry `at` one place up or down. */
export function moved<T>(entries: readonly T[], at: number, step: -1 | 1): T[] {
  const next = [...entries];
  const [one] = next.splice(at, 1);
  if (one !== undefined) next.splice(at + step, 0, one);
  return next;
}

/** An id made from a name, that none of the others has. */
export function freeId(name: string, taken: readonly string[]): string {
  const base = name.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-").replaceAll(/^-+|-+$/g, "").slice(0, 56) || "new";
  const names = [base, ...Array.from({ length: taken.length + 1 }, (_, i) => `${base}-${i + 2}`)];
  return names.find((id) => !taken.includes(id)) ?? base;
}
