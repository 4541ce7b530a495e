/** Times as the model writes them: a date, a time of the clock on the wall, or one with its offset. Pure. */

import { isKnown, momentAt, shown } from "./zones.ts";

const DAY = 86_400_000;

/** What was written. */
export type Written =
  /** A whole day, `2026-11-26`. */
  | { kind: "date"; date: string }
  /** A moment. */
  | { kind: "moment"; ms: number }
  /** The clock on the wall of a zone whose rules are not here; Google knows them. */
  | { kind: "wall"; wall: string };

const FORM = /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$/i;
const HOW = "write 2026-11-26 for a whole day, 2026-11-26T14:00 for a time, or 2026-11-26T14:00+01:00";

/** Reads one; throws with the field's name. */
export function written(field: string, value: string, zone: string): Written {
  const match = FORM.exec(value.trim());
  if (match === null) throw new Error(`\`${field}\`: “${value.slice(0, 60)}” is no date or time; ${HOW}.`);
  const [, year = "", month = "", day = "", hour, minute = "", second = "00", offset] = match;
  const midnight = Date.UTC(Number(year), Number(month) - 1, Number(day));
  if (new Date(midnight).toISOString().slice(0, 10) !== `${year}-${month}-${day}`) throw new Error(`\`${field}\`: there is no day ${year}-${month}-${day}.`);
  if (hour === undefined) return { kind: "date", date: `${year}-${month}-${day}` };
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) throw new Error(`\`${field}\`: there is no time ${hour}:${minute}:${second}.`);
  const wall = midnight + ((Number(hour) * 60 + Number(minute)) * 60 + Number(second)) * 1000;
  if (offset === undefined) {
    const ms = momentAt(zone, wall);
    return ms === undefined ? { kind: "wall", wall: new Date(wall).toISOString().slice(0, 19) } : { kind: "moment", ms };
  }
  if (/^z$/i.test(offset)) return { kind: "moment", ms: wall };
  const sign = offset.startsWith("-") ? -1 : 1;
  const [hours, minutes] = [Number(offset.slice(1, 3)), Number(offset.slice(-2))];
  return { kind: "moment", ms: wall - sign * (hours * 60 + minutes) * 60_000 };
}

/** The moment at which something written begins; a day begins at its midnight there. */
export function beginOf(field: string, value: Written, zone: string): number {
  if (value.kind === "moment") return value.ms;
  const ms = value.kind === "date" ? momentAt(zone, Date.parse(`${value.date}T00:00:00Z`)) : undefined;
  if (ms === undefined) throw new Error(`\`${field}\`, \`timeZone\`: the rules of “${zone}” are not known here; write times with their offset, such as 2026-11-26T14:00+01:00.`);
  return ms;
}

/** The moment at which it ends: a day ends with its last second. */
export function endOf(field: string, value: Written, zone: string): number {
  return value.kind === "date" ? beginOf(field, { kind: "date", date: dayAfter(value.date, 1) }, zone) : beginOf(field, value, zone);
}

/** A day so many days later. */
export function dayAfter(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * DAY).toISOString().slice(0, 10);
}

/** The day it is there. */
export const dayOf = (zone: string, ms: number): string => shown(zone, ms).slice(0, 10);

/** Minutes of a time of day, `09:30`. */
export function minutesOf(field: string, value: string): number {
  const match = /^(\d{1,2}):(\d{2})$/.exec(value.trim());
  const minutes = match === null ? Number.NaN : Number(match[1]) * 60 + Number(match[2]);
  if (!(minutes >= 0 && minutes <= 1440) || Number(match?.[2]) > 59) throw new Error(`\`${field}\`: “${value.slice(0, 20)}” is no time of day; write 09:30.`);
  return minutes;
}

/** A zone that Google may know; throws with what to write. */
export function zoneOf(field: string, value: string): string {
  if (isKnown(value) || /^[A-Za-z]+(?:[/_+-][A-Za-z0-9]+)+$/.test(value)) return value;
  throw new Error(`\`${field}\`: “${value.slice(0, 60)}” is no time zone; write one such as Europe/Berlin.`);
}
