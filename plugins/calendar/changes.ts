/** Tools that change a calendar: each reads the event first and changes that very version (If-Match), so that nobody's change is overwritten. */

import { type Answer, isObject, objects, text } from "@kata-agents/plugin-sdk/google";
import { type Calendar, type Telling, zoneFor } from "./agenda.ts";
import type { Event } from "./events.ts";
import { calendarFor, type Desk, shownEvent, STRANGERS } from "./tools.ts";
import { beginOf, dayAfter, type Written, written, zoneOf } from "./times.ts";
import { shown } from "./zones.ts";

interface What {
  title?: string;
  start?: string;
  end?: string;
  minutes?: number;
  where?: string;
  description?: string;
  reminderMinutes?: number;
  notify?: boolean;
  calendar?: string;
  timeZone?: string;
}
interface CreateArgs extends What {
  title: string;
  start: string;
  people?: string[];
  recurrence?: string;
}
interface UpdateArgs extends What {
  id: string;
  version?: string;
  scope?: "this" | "series";
  addPeople?: string[];
  removePeople?: string[];
}
interface CancelArgs {
  id: string;
  version?: string;
  scope?: "this" | "series";
  notify?: boolean;
  calendar?: string;
}

const telling = (notify: boolean | undefined): Telling => (notify === true ? "all" : "none");

export async function create(args: CreateArgs, desk: Desk): Promise<string> {
  const { ctx, agenda, settings } = desk;
  const calendar = await calendarFor(desk, args.calendar);
  writable(calendar);
  const zone = args.timeZone === undefined ? zoneFor(settings, calendar) : zoneOf("timeZone", args.timeZone);
  const body: Answer = { summary: args.title, ...times(args.start, args.end, args.minutes, zone, undefined), ...details(args) };
  if (args.people !== undefined && args.people.length > 0) body["attendees"] = addresses("people", args.people).map((email) => ({ email }));
  if (args.recurrence !== undefined) body["recurrence"] = [ruleOf(args.recurrence)];
  const id = crypto.randomUUID().replaceAll("-", "");
  const event = await agenda.insert(ctx, calendar, id, body, telling(args.notify));
  return JSON.stringify({ made: shownEvent(event, zone, false), calendar: calendar.name, note: STRANGERS });
}

export async function update(args: UpdateArgs, desk: Desk): Promise<string> {
  const { ctx, agenda, settings } = desk;
  const calendar = await calendarFor(desk, args.calendar);
  writable(calendar);
  const zone = args.timeZone === undefined ? zoneFor(settings, calendar) : zoneOf("timeZone", args.timeZone);
  const { event, raw } = await target(args, calendar, desk);
  const body: Answer = { ...(args.title === undefined ? {} : { summary: args.title }), ...times(args.start, args.end, args.minutes, zone, event), ...details(args) };
  if (args.addPeople !== undefined || args.removePeople !== undefined) body["attendees"] = guests(raw, addresses("addPeople", args.addPeople ?? []), addresses("removePeople", args.removePeople ?? []));
  if (Object.keys(body).length === 0) throw new Error("Nothing is to be changed: give at least one of `title`, `start`, `end`, `minutes`, `where`, `description`, `reminderMinutes`, `addPeople`, `removePeople`.");
  const changed = await agenda.patch(ctx, calendar, event, body, telling(args.notify));
  return JSON.stringify({ changed: shownEvent(changed, zone, false), note: STRANGERS });
}

export async function cancel(args: CancelArgs, desk: Desk): Promise<string> {
  const calendar = await calendarFor(desk, args.calendar);
  writable(calendar);
  const { event } = await target(args, calendar, desk);
  await desk.agenda.delete(desk.ctx, calendar, event, telling(args.notify));
  const zone = zoneFor(desk.settings, calendar);
  return JSON.stringify({ cancelled: event.title, ...(event.days === undefined ? { start: shown(zone, event.start) } : { day: event.days.first }), ...(args.scope === "series" ? { series: true } : {}), note: STRANGERS });
}

function writable(calendar: Calendar): void {
  if (!calendar.writable) throw new Error(`\`calendar\`: “${calendar.name}” can only be read.`);
}

/** The event that is meant: itself, or the series it is one of; in the version the model has seen, where it says which. */
async function target(args: { id: string; version?: string; scope?: "this" | "series" }, calendar: Calendar, { ctx, agenda }: Desk): Promise<{ event: Event; raw: Answer }> {
  const found = await agenda.get(ctx, calendar, args.id);
  if (found === undefined) throw new Error(`\`id\`: there is no event “${args.id.slice(0, 80)}” in “${calendar.name}” (any more); check_schedule gives ids.`);
  if (args.version !== undefined && args.version !== found.event.etag) {
    throw new Error("`version`: somebody changed the event since. Nothing was done; look at it again with check_schedule, then decide anew.");
  }
  if (args.scope !== "series" || found.event.series === undefined) return found;
  const series = await agenda.get(ctx, calendar, found.event.series);
  if (series === undefined) throw new Error("`scope`: the series of this event is gone.");
  return series;
}

/** Beginning and end as Google takes them. `before` is the event that is changed. */
function times(start: string | undefined, end: string | undefined, minutes: number | undefined, zone: string, before: Event | undefined): Answer {
  if (start === undefined && end === undefined && minutes === undefined) return {};
  if (end !== undefined && minutes !== undefined) throw new Error("`minutes`: give it or `end`, not both.");
  const from = start === undefined ? undefined : written("start", start, zone);
  const to = end === undefined ? undefined : written("end", end, zone);
  const whole = from === undefined ? before?.days !== undefined : from.kind === "date";
  if (to !== undefined && (to.kind === "date") !== whole) throw new Error("`end`: must be a day where `start` is one, and a time where it is a time.");
  if (whole) return wholeDays(from, to, minutes, before);
  const begin: Written = from ?? { kind: "moment", ms: before?.start ?? 0 };
  if (begin.kind === "wall" || to?.kind === "wall") return wallTimes(begin, to, minutes, zone);
  const ms = beginOf("start", begin, zone);
  const lasts = minutes !== undefined ? minutes * 60_000 : before !== undefined && before.days === undefined ? before.end - before.start : 3_600_000;
  const ends = to === undefined ? ms + lasts : beginOf("end", to, zone);
  if (ends <= ms) throw new Error("`end`: is not after the beginning.");
  // What lasted whole days before must lose its dates, which only `null` does.
  const clear = before?.days === undefined ? {} : { date: null };
  return { start: { dateTime: shown(zone, ms), timeZone: zone, ...clear }, end: { dateTime: shown(zone, ends), timeZone: zone, ...clear } };
}

function wholeDays(from: Written | undefined, to: Written | undefined, minutes: number | undefined, before: Event | undefined): Answer {
  if (minutes !== undefined) throw new Error("`minutes`: an event of whole days has none; give `end`, its last day.");
  const first = from?.kind === "date" ? from.date : (before?.days?.first ?? "");
  const length = before?.days === undefined ? 0 : Math.round((Date.parse(before.days.last) - Date.parse(before.days.first)) / 86_400_000);
  const last = to?.kind === "date" ? to.date : dayAfter(first, length);
  if (last < first) throw new Error("`end`: is before the first day.");
  const clear = before === undefined || before.days !== undefined ? {} : { dateTime: null, timeZone: null };
  // Google's end is the day after the last one.
  return { start: { date: first, ...clear }, end: { date: dayAfter(last, 1), ...clear } };
}

/** In a zone whose rules are not here the clock on the wall is given as it is; Google knows them. */
function wallTimes(begin: Written, to: Written | undefined, minutes: number | undefined, zone: string): Answer {
  if (begin.kind !== "wall" || (to !== undefined && to.kind !== "wall")) throw new Error(`\`start\`, \`end\`: write both with their offset, such as 2026-11-26T14:00+01:00; the rules of “${zone}” are not known here.`);
  const end = to?.kind === "wall" ? to.wall : new Date(Date.parse(`${begin.wall}Z`) + (minutes ?? 60) * 60_000).toISOString().slice(0, 19);
  if (end <= begin.wall) throw new Error("`end`: is not after the beginning.");
  return { start: { dateTime: begin.wall, timeZone: zone }, end: { dateTime: end, timeZone: zone } };
}

function details({ where, description, reminderMinutes }: What): Answer {
  return {
    ...(where === undefined ? {} : { location: where }),
    ...(description === undefined ? {} : { description }),
    ...(reminderMinutes === undefined ? {} : { reminders: { useDefault: false, overrides: [{ method: "popup", minutes: reminderMinutes }] } }),
  };
}

function ruleOf(rule: string): string {
  const clean = rule.trim();
  if (!/^RRULE:FREQ=(DAILY|WEEKLY|MONTHLY|YEARLY)(;[A-Z]+=[A-Z0-9,+:-]+)*$/.test(clean)) throw new Error("`recurrence`: write a rule such as RRULE:FREQ=WEEKLY;BYDAY=MO,WE;COUNT=10 or RRULE:FREQ=MONTHLY;UNTIL=20271231T000000Z.");
  return clean;
}

function addresses(field: string, list: readonly string[]): string[] {
  return list.map((one) => {
    const address = (/<([^<>]+)>\s*$/.exec(one)?.[1] ?? one).trim();
    if (!/^[^\s@<>"(),:;]+@[^\s@<>"(),:;]+$/.test(address)) throw new Error(`\`${field}\`: “${one.slice(0, 80)}” is no address; write ana@example.org.`);
    return address;
  });
}

/** The guests as they shall be: those there are keep their answers. */
function guests(raw: Answer, add: readonly string[], remove: readonly string[]): Answer[] {
  const gone = new Set(remove.map((one) => one.toLowerCase()));
  const kept = objects(raw["attendees"]).filter((one) => isObject(one) && !gone.has((text(one["email"]) ?? "").toLowerCase()));
  const known = new Set(kept.map((one) => (text(one["email"]) ?? "").toLowerCase()));
  return [...kept, ...add.filter((one) => !known.has(one.toLowerCase())).map((email) => ({ email }))];
}
