/**
 * What Discord's headers say about how often one may ask. Pure: the time comes in. A route belongs to a bucket, which Discord
 * names in its answers; until it has, a route is its own. The global limit counts for all but interactions.
 *
 * Source: docs.discord.com/developers/topics/rate-limits.
 */

/** Requests in a second, of Discord's 50. */
const GLOBAL_PER_SECOND = 45;
/** Buckets that are remembered; those that are full again are dropped first. */
const MAX_BUCKETS = 2_000;

interface Bucket {
  remaining: number;
  /** When it is full again, by our clock. */
  resetAt: number;
}

/** The fields of an answer that count. */
export interface RateHeaders {
  bucket?: string | null;
  remaining?: number | undefined;
  /** Seconds. */
  resetAfter?: number | undefined;
}

export class Buckets {
  /** Route to the bucket's name, as Discord gave it. */
  readonly #names = new Map<string, string>();
  readonly #buckets = new Map<string, Bucket>();
  #second: { since: number; count: number } = { since: 0, count: 0 };
  #globalUntil = 0;

  /**
   * How long a request has to wait, in milliseconds; 0 takes a place. `route` is the method and path without minor ids, `major`
   * the channel, guild or webhook it is about.
   */
  take(route: string, major: string, now: number, exempt: boolean): number {
    if (!exempt) {
      if (now < this.#globalUntil) return this.#globalUntil - now;
      if (now - this.#second.since >= 1_000 || now < this.#second.since) this.#second = { since: now, count: 0 };
      if (this.#second.count >= GLOBAL_PER_SECOND) return this.#second.since + 1_000 - now;
    }
    const bucket = this.#buckets.get(this.#key(route, major));
    if (bucket !== undefined && now < bucket.resetAt) {
      if (bucket.remaining <= 0) return bucket.resetAt - now;
      bucket.remaining -= 1;
    }
    if (!exempt) this.#second.count += 1;
    return 0;
  }

  /** An answer came. */
  learn(route: string, major: string, headers: RateHeaders, now: number): void {
    if (headers.bucket) this.#names.set(route, headers.bucket);
    if (headers.remaining === undefined || headers.resetAfter === undefined) return;
    const key = this.#key(route, major);
    this.#buckets.delete(key);
    this.#buckets.set(key, { remaining: headers.remaining, resetAt: now + Math.ceil(headers.resetAfter * 1_000) });
    if (this.#buckets.size <= MAX_BUCKETS) return;
    for (const [other, { resetAt }] of this.#buckets) if (resetAt <= now || this.#buckets.size > MAX_BUCKETS) this.#buckets.delete(other);
  }

  /** 429 came: this bucket, or everything, waits. */
  refused(route: string, major: string, ms: number, global: boolean, now: number): void {
    if (global) this.#globalUntil = Math.max(this.#globalUntil, now + ms);
    else this.#buckets.set(this.#key(route, major), { remaining: 0, resetAt: now + ms });
  }

  #key(route: string, major: string): string {
    return `${this.#names.get(route) ?? route} ${major}`;
  }
}
