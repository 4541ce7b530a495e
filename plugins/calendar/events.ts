/** One event as Google gives it, and as it is kept and shown. Pure. */

import { isObject, objects, text } from "@kata-agents/plugin-sdk/google";
import { momentAt } from "./zones.ts";

export interface Person {
  email: string;
  name?: string;
  answer?: string;
}

export interface Event {
  id: string;
  calendar: string;
  etag: string;
  title: string;
  /** Moments; of a whole day those of its first and its last midnight. */
  start: number;
  end: number;
  /** Days of an event that lasts whole ones, the last one included. */
  days?: { first: string; last: string };
  where?: string;
  description?: string;
  people: Person[];
  /** What the person answered. */
  mine?: string;
  /** The series it is one of. */
  series?: string;
  /** Whether it leaves the person free. */
  free: boolean;
  tentative: boolean;
  link?: string;
  /** Minutes before, of its own pop-up. */
  popup?: number;
}

const DAY = 86_400_000;
const MOST_PEOPLE = 50;

/** Reads one; `undefined` for what is cancelled or none. `zone` is the calendar's: in it whole days begin and end. */
export function eventOf(value: Record<string, unknown>, calendar: string, zone: string): Event | undefined {
  const id = text(value["id"]);
  const start = isObject(value["start"]) ? value["start"] : {};
  const end = isObject(value["end"]) ? value["end"] : {};
  if (id === undefined || value["status"] === "cancelled") return undefined;
  const from = momentOf(start, zone);
  if (from === undefined) return undefined;
  const to = momentOf(end, zone) ?? from;
  const first = text(start["date"]);
  const lastDay = text(end["date"]);
  const last = lastDay === undefined ? first : new Date(Date.parse(`${lastDay}T00:00:00Z`) - DAY).toISOString().slice(0, 10);
  const attendees = objects(value["attendees"]);
  const people = attendees.flatMap((one): Person[] => {
    const email = text(one["email"]);
    const name = text(one["displayName"]);
    const answer = text(one["responseStatus"]);
    return email === undefined ? [] : [{ email, ...(name === undefined ? {} : { name }), ...(answer === undefined ? {} : { answer }) }];
  });
  const mine = text(attendees.find((one) => one["self"] === true)?.["responseStatus"]);
  const reminders = isObject(value["reminders"]) ? value["reminders"] : {};
  const popups = objects(reminders["overrides"]).filter((one) => one["method"] === "popup" && typeof one["minutes"] === "number");
  const popup = popups.length === 0 ? undefined : Math.max(...popups.map((one) => Number(one["minutes"])));
  const where = text(value["location"]);
  const description = text(value["description"]);
  const series = text(value["recurringEventId"]);
  const link = text(value["htmlLink"]);
  return {
    id,
    calendar,
    etag: text(value["etag"]) ?? "",
    title: text(value["summary"]) ?? "(no title)",
    start: from,
    end: to,
    people: people.slice(0, MOST_PEOPLE),
    free: value["transparency"] === "transparent",
    tentative: value["status"] === "tentative",
    ...(first === undefined || last === undefined ? {} : { days: { first, last } }),
    ...(where === undefined ? {} : { where }),
    ...(description === undefined ? {} : { description }),
    ...(mine === undefined ? {} : { mine }),
    ...(series === undefined ? {} : { series }),
    ...(link === undefined ? {} : { link }),
    ...(popup === undefined ? {} : { popup }),
  };
}

function momentOf(time: Record<string, unknown>, zone: string): number | undefined {
  const dateTime = text(time["dateTime"]);
  if (dateTime !== undefined) {
    const ms = Date.parse(dateTime);
    return Number.isNaN(ms) ? undefined : ms;
  }
  const date = text(time["date"]);
  const midnight = date === undefined ? Number.NaN : Date.parse(`${date}T00:00:00Z`);
  return Number.isNaN(midnight) ? undefined : (momentAt(zone, midnight) ?? midnight);
}
