/** The table under edit: whole, comparable, and the place an error of the engine is about. */
import type { AgentProfile, Binding, Overlap, Person, RoutingTable, WireError } from "@/generated/protocol";
import { errorWords } from "@/lib/sentence";
import { inOrder } from "./words";

export type FullTable = Required<RoutingTable>;
export type ListName = "bindings" | "profiles" | "people";

export const OVERLAP: Required<Overlap> = { policy: "queue", collectMs: 1_500, most: 64, whenFull: "refuse_new" };

export function fullTable(table: RoutingTable): FullTable {
  return { workspace: table.workspace ?? null, profile: table.profile ?? null, bindings: inOrder(table.bindings ?? []), profiles: table.profiles ?? [], people: table.people ?? [] };
}

export const sameTable = (a: FullTable, b: FullTable): boolean => JSON.stringify({ ...a, bindings: inOrder(a.bindings) }) === JSON.stringify({ ...b, bindings: inOrder(b.bindings) });

/** A name that nobody has yet. */
export function freeId(base: string, taken: readonly { id?: string }[]): string {
  for (let n = 1; ; n += 1) {
    const id = n === 1 ? base : `${base}-${n}`;
    if (!taken.some((each) => each.id === id)) return id;
  }
}

export const newBinding = (table: FullTable): Binding => ({ id: freeId("binding", table.bindings), match: {}, workspace: null, profile: null, scope: "thread", overlap: OVERLAP });
export const newProfile = (table: FullTable): AgentProfile => ({ id: freeId("profile", table.profiles), name: null, model: null, mode: null, tools: null, withoutTools: [], systemPrompt: null });
export const newPerson = (table: FullTable): Person => ({ id: freeId("person", table.people), name: null, addresses: [{ channel: "", account: null, sender: "" }] });

/** Which entry an error is about, and which field of it. */
export interface Fault {
  list: ListName | null;
  index: number;
  field: string;
  words: string;
}

/** As the engine names a place: `binding “support”, field “match.channel”: an id means nothing without its channel`. */
const NAMED = /^(binding|profile|person) “([^”]*)”, field “([^”]*)”: (.*)$/s;
const LIST_OF: Record<string, ListName> = { binding: "bindings", profile: "profiles", person: "people" };
const fieldPath = (field: string): string => field.split(/[/.[\]]+/).filter(Boolean).join("/");

const LISTS: readonly ListName[] = ["bindings", "profiles", "people"];

/** By the place the message names, by the path in the details, or by the names it quotes. */
export function faultOf(error: WireError, table: FullTable): Fault {
  const words = errorWords(error);
  const named = NAMED.exec(error.message);
  if (named !== null) {
    const [, kind = "", id, field = "", problem = ""] = named;
    const list = LIST_OF[kind] ?? "bindings";
    return { list, index: table[list].findLastIndex((each) => each.id === id), field: fieldPath(field), words: errorWords({ ...error, message: problem }) };
  }
  const { details } = error;
  const path = typeof details === "object" && details !== null && "field" in details && typeof details.field === "string" ? details.field : "";
  const parts = path.split(/[/.[\]]+/).filter((part) => part !== "" && part !== "routing");
  const list = LISTS.find((each) => each === parts[0]) ?? null;
  const index = Number(parts[1]);
  if (list !== null && Number.isInteger(index)) return { list, index, field: parts.slice(2).join("/"), words };
  for (const each of LISTS) {
    const at = table[each].findLastIndex(({ id }) => error.message.includes(`“${id ?? ""}”`) || error.message.includes(`\`${id ?? ""}\``) || error.message.includes(`"${id ?? ""}"`));
    if (at !== -1) return { list: each, index: at, field: "", words };
  }
  return { list: null, index: -1, field: path, words };
}
