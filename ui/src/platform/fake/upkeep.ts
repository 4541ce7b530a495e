/** Search, archive, tidying up, and the messages that did not get through. */
import type { HygieneAction, HygienePlan, HygieneRules, HygieneStep, Letter, SearchHit, SessionClass, SessionSummary } from "@/generated/protocol";
import { OperationError } from "../types";
import { hoursAgo, minutesAgo, START } from "./clock";
import type { Table } from "./operations";
import type { World } from "./world";

type UpkeepOperations = Pick<
  Table,
  "session.search" | "session.archive" | "session.delete" | "session.reset" | Extract<keyof Table, `letter.${string}` | `hygiene.${string}`> | "index.rebuild"
>;

export const LETTERS: Letter[] = [
  { id: "out-41", state: "outbound_parked", channel: "telegram", conversation: "Mara Lindqvist", session: "261122-channel-mara", preview: "Production is out: 2.4.0 went live at 16:04 and the error rate has not moved.", error: "The connection ended before Telegram answered; nobody knows whether it arrived.", attempts: 1, at: minutesAgo(18) },
  { id: "out-37", state: "outbound_dead", channel: "slack", conversation: "#releases", session: "261122-channel-ops", preview: "The export is back to normal since 14:20.", error: "not_in_channel: the bot was taken out of the conversation.", attempts: 5, at: hoursAgo(3) },
  { id: "in-12", state: "inbound_dead", channel: "gmail", conversation: "jon@northwind.example", session: null, preview: "Re: Ticket 4411 – any news? The customer asks twice a day now.", error: "The session's file could not be written: no space left on the device.", attempts: 3, at: hoursAgo(20) },
];

export const HYGIENE: HygieneRules = {
  desktop: { resetAfterMinutes: null, resetDailyAt: null, archiveAfterDays: 60, most: null },
  direct: { resetAfterMinutes: 720, resetDailyAt: null, archiveAfterDays: null, most: null },
  group: { resetAfterMinutes: null, resetDailyAt: "04:00", archiveAfterDays: 30, most: 200 },
  thread: { resetAfterMinutes: null, resetDailyAt: null, archiveAfterDays: 7, most: null },
  deleteArchivedAfterDays: null,
};

const DAY = 86_400_000;

export function classOf(row: SessionSummary): SessionClass {
  if (row.channel === null) return "desktop";
  if (row.name?.includes("›") === true) return "thread";
  return row.name?.startsWith("#") === true ? "group" : "direct";
}

function plan(world: World, rules: HygieneRules): HygienePlan {
  const rows = [...world.sessions.values()];
  const steps = rows.flatMap((session): HygieneStep[] => {
    const kind = classOf(session);
    const days = rules[kind]?.archiveAfterDays;
    const silent = Math.floor((START - session.lastMessageAt) / DAY);
    if (session.flagged || session.state !== "idle") return [];
    const step = (action: HygieneAction, reason: string): HygieneStep[] => [{ session, class: kind, action, reason }];
    if (session.archived === true) {
      const after = rules.deleteArchivedAfterDays;
      return after != null && silent >= after ? step("delete", `In the archive, and silent for ${silent} days; the rule says ${after}.`) : [];
    }
    return days != null && silent >= days ? step("archive", `Silent for ${silent} days; the rule says ${days}.`) : [];
  });
  return { steps, lookedAt: rows.length };
}

function remove(world: World, id: string): void {
  world.sessions.delete(id);
  world.transcripts.delete(id);
  world.publish({ topic: "session_removed", id });
}

function mark(text: string, words: readonly string[]): string | null {
  const lower = text.toLowerCase();
  if (!words.every((word) => lower.includes(word))) return null;
  const first = Math.max(0, Math.min(...words.map((word) => lower.indexOf(word))) - 40);
  const cut = `${first > 0 ? "…" : ""}${text.slice(first, first + 140).replaceAll(/\s+/g, " ")}`;
  return words.reduce((marked, word) => marked.replaceAll(new RegExp(word.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"), "gi"), (hit) => `\u2068${hit}\u2069`), cut);
}

function search(world: World, { query, workspace, limit }: Parameters<UpkeepOperations["session.search"]>[1]): ReturnType<UpkeepOperations["session.search"]> {
  const words = [...query.toLowerCase().matchAll(/"([^"]+)"|(\S+)/g)].map((found) => (found[1] ?? found[2] ?? "").replace(/\*$/, "")).filter(Boolean);
  if (words.length === 0) return { hits: [], waiting: 0 };
  const hits: SearchHit[] = [];
  for (const session of world.sessions.values()) {
    if (workspace != null && session.workspace !== workspace) continue;
    for (const row of world.transcript(session.id)) {
      const snippet = mark(row.content, words);
      if (snippet !== null) hits.push({ session, message: row.id, kind: row.kind, at: row.timestamp, snippet });
    }
  }
  return { hits: hits.slice(0, limit ?? 50), waiting: world.options.big === true ? 312 : 0 };
}

const letter = (world: World, id: string): Letter => {
  const found = world.letters.find((each) => each.id === id);
  if (found === undefined) throw new OperationError({ code: "not_found", message: `There is no letter ${id}.`, hint: "It may have been tried again elsewhere." });
  return found;
};

function drop(world: World, gone: Letter): Record<string, never> {
  world.letters = world.letters.filter((each) => each !== gone);
  world.publish({ topic: "letters_changed" });
  return {};
}

export const UPKEEP_OPERATIONS: UpkeepOperations = {
  "session.search": search,
  "session.archive": (world, { id, archived }) => world.change(id, { archived }),
  "session.delete": (world, { id }) => {
    if (world.session(id).archived !== true) throw new OperationError({ code: "conflict", message: "Only a session in the archive can be deleted.", hint: "Archive it first." });
    remove(world, id);
    return {};
  },
  "session.reset": (world, { id }) => {
    if (world.session(id).channel === null) throw new OperationError({ code: "invalid", message: "This session has no conversation." });
    world.keys = world.keys.filter((each) => each.session !== id);
    world.publish({ topic: "routes_changed" });
    return {};
  },
  "letter.list": (world) => world.letters,
  "letter.retry": (world, { id }) => drop(world, letter(world, id)),
  "letter.discard": (world, { id }) => drop(world, letter(world, id)),
  "hygiene.get": (world) => world.hygiene,
  "hygiene.set": (world, rules) => {
    if (rules.desktop?.archiveAfterDays === 0) throw new OperationError({ code: "invalid", message: "“desktop.archiveAfterDays”: must be at least 1" });
    world.hygiene = rules;
    return rules;
  },
  "hygiene.preview": (world, { rules }) => plan(world, rules ?? world.hygiene),
  "hygiene.run": (world) => {
    const done = plan(world, world.hygiene);
    for (const { session, action } of done.steps) {
      if (action === "archive") world.change(session.id, { archived: true });
      else remove(world, session.id);
    }
    return done;
  },
  "index.rebuild": (world) => ({ sessions: world.sessions.size, keys: world.keys.length }),
};
