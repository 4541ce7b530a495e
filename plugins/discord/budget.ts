/**
 * Two budgets of the gateway. Identifying more than 1,000 times in 24 hours makes Discord reset the token, so identifies are
 * counted on the disk, over restarts; and a connection may send 120 frames in a minute. Pure: the time comes in.
 */

const DAY_MS = 24 * 3600 * 1000;
/** Below Discord's 1,000: another program may use the same bot. */
const IDENTIFIES_A_DAY = 900;
/** Left over for whoever shares the bot. */
const RESERVE = 5;

/** Identifies of the last day, as they lie on the disk. */
export interface Identifies {
  /** When the day began. */
  since: number;
  count: number;
  /** When the last one was. */
  last: number;
}

/** Reads what an earlier run left. */
export function readIdentifies(value: unknown): Identifies {
  if (typeof value === "object" && value !== null && "since" in value && "count" in value && "last" in value) {
    const { since, count, last } = value;
    if (typeof since === "number" && typeof count === "number" && typeof last === "number") return { since, count, last };
  }
  return { since: 0, count: 0, last: 0 };
}

/** What `GET /gateway/bot` says of it. */
export interface StartLimit {
  remaining?: number;
  /** Milliseconds. */
  reset_after?: number;
}

/** How long to wait before the next identify, in milliseconds, and whether the budget of the day is used up. */
export function waitToIdentify(had: Identifies, limit: StartLimit, now: number): { ms: number; spent: boolean } {
  const fresh = now - had.since >= DAY_MS || had.since > now;
  if (limit.remaining !== undefined && limit.remaining <= RESERVE) return { ms: Math.max(limit.reset_after ?? DAY_MS, 1_000), spent: true };
  if (!fresh && had.count >= IDENTIFIES_A_DAY) return { ms: had.since + DAY_MS - now, spent: true };
  // One identify in five seconds: `max_concurrency` counts shards, of which there is one.
  const since = now - had.last;
  return { ms: had.last > now || since >= 5_000 ? 0 : 5_000 - since, spent: false };
}

/** The count with one more. */
export function identified(had: Identifies, now: number): Identifies {
  const fresh = now - had.since >= DAY_MS || had.since > now;
  return fresh ? { since: now, count: 1, last: now } : { ...had, count: had.count + 1, last: now };
}

/** Frames of the last minute on one connection. */
export class FrameBudget {
  readonly #times: number[] = [];

  /** Whether one more may go now; `spare` keeps some for heartbeats of our own. */
  take(now: number, spare = 0): boolean {
    while (this.#times.length > 0 && (this.#times[0] ?? 0) <= now - 60_000) this.#times.shift();
    if (this.#times.length >= 120 - spare) return false;
    this.#times.push(now);
    return true;
  }
}
