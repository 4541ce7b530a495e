/** Free time between what is busy, within the hours of a day. Pure. */

import { dayAfter, dayOf } from "./times.ts";
import { momentAt } from "./zones.ts";

export interface Span {
  from: number;
  to: number;
}

export interface Wish {
  from: number;
  to: number;
  minutes: number;
  zone: string;
  /** Minutes after midnight. */
  dayStart: number;
  dayEnd: number;
  weekends: boolean;
  most: number;
}

/** Busy spans, in order and joined where they touch. */
export function joined(busy: readonly Span[]): Span[] {
  const all: Span[] = [];
  for (const one of [...busy].filter(({ from, to }) => to > from).sort((a, b) => a.from - b.from)) {
    const last = all.at(-1);
    if (last !== undefined && one.from <= last.to) last.to = Math.max(last.to, one.to);
    else all.push({ ...one });
  }
  return all;
}

/** Spans that are free and long enough. Each day's hours are those of the clock there, also when it is changed that day. */
export function freeSpans(busy: readonly Span[], wish: Wish): Span[] {
  const found: Span[] = [];
  const taken = joined(busy);
  const last = dayOf(wish.zone, wish.to);
  for (let day = dayOf(wish.zone, wish.from), n = 0; day <= last && n < 370 && found.length < wish.most; day = dayAfter(day, 1), n += 1) {
    const midnight = Date.parse(`${day}T00:00:00Z`);
    const weekday = new Date(midnight).getUTCDay();
    if (!wish.weekends && (weekday === 0 || weekday === 6)) continue;
    const opens = momentAt(wish.zone, midnight + wish.dayStart * 60_000) ?? midnight;
    const closes = momentAt(wish.zone, midnight + wish.dayEnd * 60_000) ?? midnight;
    let at = Math.max(opens, wish.from);
    const end = Math.min(closes, wish.to);
    for (const one of taken) {
      if (one.to <= at) continue;
      if (one.from >= end) break;
      if (one.from - at >= wish.minutes * 60_000) found.push({ from: at, to: one.from });
      at = Math.max(at, one.to);
    }
    if (end - at >= wish.minutes * 60_000) found.push({ from: at, to: end });
  }
  return found.slice(0, wish.most);
}
