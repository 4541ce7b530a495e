/**
 * The next weeks of a calendar, kept in step by a sync token: changes only, everything anew when Google no longer knows the token (410)
 * or a day has passed, since events far away come into the window. Bounded. What it holds is for reminders, and for an answer while
 * Google is away; the tools ask Google.
 */

import type { PluginContext, State } from "@kata-agents/plugin-sdk";
import { GoogleError, isObject } from "@kata-agents/plugin-sdk/google";
import type { Agenda, Calendar } from "./agenda.ts";
import type { Event } from "./events.ts";

const DAY = 86_400_000;
/** How far the window reaches. */
const BEFORE = DAY;
const AHEAD = 35 * DAY;
/** Events of one calendar; the next ones. */
export const MOST_EVENTS = 500;
const TITLE_CHARS = 200;

/** An event as it is kept. */
export interface Kept {
  id: string;
  title: string;
  start: number;
  end: number;
  days?: { first: string; last: string };
  where?: string;
  declined?: boolean;
  free?: boolean;
  popup?: number;
}

export interface Mirrored {
  calendar: string;
  timeZone: string;
  /** The middle of the window. */
  around: number;
  /** When it was last in step. */
  at: number;
  syncToken: string | undefined;
  /** By their beginning. */
  events: Kept[];
}

const keyOf = (calendar: string): string => `mirror:${calendar}`;

/** Brings a calendar in step, and says how it stands now. Written when everything was read. */
export async function inStep(ctx: PluginContext, agenda: Agenda, calendar: Calendar): Promise<Mirrored> {
  const before = await mirrored(ctx.state, calendar.id);
  const now = agenda.api.now();
  const stale = before === undefined || before.syncToken === undefined || before.timeZone !== calendar.timeZone || Math.abs(now - before.around) > DAY;
  if (!stale) {
    try {
      const { events, gone, syncToken } = await agenda.changes(ctx, calendar, before.syncToken ?? "");
      if (events.length === 0 && gone.length === 0 && syncToken === before.syncToken) return before;
      const changed = new Set([...gone, ...events.map((one) => one.id)]);
      const kept = before.events.filter((one) => !changed.has(one.id));
      return await write(ctx.state, { ...before, at: now, syncToken, events: [...kept, ...events.map(keptOf)] });
    } catch (error) {
      if (!(error instanceof GoogleError) || error.meaning !== "gone") throw error;
      ctx.logger.info("the sync token is too old; the calendar is read anew");
    }
  }
  const { events, syncToken } = await agenda.everything(ctx, calendar, { from: now - BEFORE, to: now + AHEAD });
  return write(ctx.state, { calendar: calendar.id, timeZone: calendar.timeZone, around: now, at: now, syncToken, events: events.map(keptOf) });
}

async function write(state: State, mirror: Mirrored): Promise<Mirrored> {
  const within = mirror.events.filter((one) => one.end >= mirror.around - BEFORE && one.start <= mirror.around + AHEAD);
  within.sort((a, b) => a.start - b.start);
  // What is over gives way before what is to come.
  const ahead = within.filter((one) => one.end >= mirror.at);
  const events = within.length > MOST_EVENTS ? ahead.slice(0, MOST_EVENTS) : within;
  const bounded = { ...mirror, events };
  await state.set(keyOf(mirror.calendar), bounded);
  return bounded;
}

function keptOf(event: Event): Kept {
  const { id, title, start, end, days, where, free, popup, mine } = event;
  return {
    id,
    title: title.slice(0, TITLE_CHARS),
    start,
    end,
    ...(days === undefined ? {} : { days }),
    ...(where === undefined ? {} : { where: where.slice(0, TITLE_CHARS) }),
    ...(mine === "declined" ? { declined: true } : {}),
    ...(free ? { free } : {}),
    ...(popup === undefined ? {} : { popup }),
  };
}

/** What is kept of a calendar; what cannot be read counts as nothing. */
export async function mirrored(state: State, calendar: string): Promise<Mirrored | undefined> {
  const value = await state.get(keyOf(calendar));
  if (!isObject(value)) return undefined;
  const { timeZone, around, at, syncToken, events } = value;
  if (typeof timeZone !== "string" || typeof around !== "number" || typeof at !== "number" || !Array.isArray(events) || value["calendar"] !== calendar) return undefined;
  const read = events.filter((one): one is Kept => isObject(one) && typeof one["id"] === "string" && typeof one["title"] === "string" && typeof one["start"] === "number" && typeof one["end"] === "number");
  return { calendar, timeZone, around, at, syncToken: typeof syncToken === "string" ? syncToken : undefined, events: read };
}

/** Forgets calendars that are not followed any more. */
export async function forgetOthers(state: State, calendars: readonly string[]): Promise<void> {
  const before = await state.get("mirrors");
  const known = Array.isArray(before) ? before.filter((one): one is string => typeof one === "string") : [];
  if (known.length === calendars.length && known.every((one) => calendars.includes(one))) return;
  for (const one of known) if (!calendars.includes(one)) await state.delete(keyOf(one));
  await state.set("mirrors", [...calendars]);
}
