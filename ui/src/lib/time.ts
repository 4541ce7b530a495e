/** Times as a person says them. `now` is a parameter, so that tests need no clock. */
import { useState, useSyncExternalStore } from "react";
import type { Ms } from "@/generated/protocol";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

// Made once: building a formatter costs a thousand times what using one does.
const CLOCK = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit" });
const FULL = new Intl.DateTimeFormat([], { dateStyle: "medium", timeStyle: "medium" });
const SHORT = new Intl.DateTimeFormat([], { day: "numeric", month: "short" });
const WEEKDAY = new Intl.DateTimeFormat([], { weekday: "long" });
const MONTH = new Intl.DateTimeFormat([], { month: "long" });
const MONTH_YEAR = new Intl.DateTimeFormat([], { month: "long", year: "numeric" });

export const startOfDay = (at: Ms): number => new Date(at).setHours(0, 0, 0, 0);

export const clockTime = (at: Ms): string => CLOCK.format(at);
export const dateTime = (at: Ms): string => FULL.format(at);

/** `now`, `4 min`, `2 h`, `3 d`, then a date. */
export function ago(at: Ms, now: Ms): string {
  const past = now - at;
  if (past < MINUTE) return "now";
  if (past < HOUR) return `${Math.floor(past / MINUTE)} min`;
  if (past < DAY) return `${Math.floor(past / HOUR)} h`;
  if (past < 7 * DAY) return `${Math.floor(past / DAY)} d`;
  return SHORT.format(at);
}

/** The same in a sentence: `just now`, `4 min ago`, `on 3 Nov`. */
export function agoWords(at: Ms, now: Ms): string {
  const words = ago(at, now);
  if (words === "now") return "just now";
  return now - at < 7 * DAY ? `${words} ago` : `on ${words}`;
}

/** `in 42 s`, `in 8 min`. */
export function until(at: Ms, now: Ms): string {
  const rest = Math.max(0, at - now);
  if (rest < MINUTE) return `in ${Math.ceil(rest / 1_000)} s`;
  // Up to a hundred minutes: “in 2 h” for the 61st would be half an hour too late.
  if (rest < 100 * MINUTE) return `in ${Math.ceil(rest / MINUTE)} min`;
  return `in ${Math.ceil(rest / HOUR)} h`;
}

/** Heading a row of the session list stands under. */
export function dayGroup(at: Ms, now: Ms): string {
  const days = Math.round((startOfDay(now) - startOfDay(at)) / DAY);
  if (days <= 0) return "Today";
  if (days === 1) return "Yesterday";
  if (days < 7) return WEEKDAY.format(at);
  const sameYear = new Date(at).getFullYear() === new Date(now).getFullYear();
  return (sameYear ? MONTH : MONTH_YEAR).format(at);
}

export function duration(ms: number): string {
  if (ms < 1) return "<1 ms";
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < MINUTE) return `${(ms / 1_000).toFixed(1)} s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min ${Math.floor((ms % MINUTE) / 1_000)} s`;
  if (ms < 2 * DAY) return `${Math.floor(ms / HOUR)} h ${Math.floor((ms % HOUR) / MINUTE)} min`;
  return `${Math.floor(ms / DAY)} d`;
}

export const micros = (us: number): string => (us < 1_000 ? `${us} µs` : duration(us / 1_000));

let now = Date.now();
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | null = null;

/** The present time, renewed every ten seconds while somebody looks at it. */
export function useNow(): Ms {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      timer ??= setInterval(() => {
        now = Date.now();
        for (const each of listeners) each();
      }, 10_000);
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0 && timer !== null) {
          clearInterval(timer);
          timer = null;
        }
      };
    },
    () => now,
  );
}

/** The present time for what counts down: never before this appeared, so that no minute is promised that is not there. */
export function useNowHere(): Ms {
  const [appeared] = useState(() => Date.now());
  return Math.max(useNow(), appeared);
}
