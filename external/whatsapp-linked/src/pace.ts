/**
 * Slow on purpose: a pause before each message, as somebody needs who reads and types, and a budget of a minute and a day. WhatsApp bans
 * what looks like a machine. Pure; time comes in.
 */

export interface PaceOptions {
  /** Shortest and longest pause between two messages, milliseconds. */
  gapMs: readonly [number, number];
  /** Milliseconds a character takes to type, up to eight seconds in all. */
  typingMs: number;
  perMinute: number;
  perDay: number;
}

export const SLOW: PaceOptions = { gapMs: [1_500, 4_000], typingMs: 25, perMinute: 10, perDay: 400 };
/** Longest typing that is pretended. */
const LONGEST_TYPING = 8_000;
const MINUTE = 60_000;
const DAY = 86_400_000;

export class Pace {
  readonly #options: PaceOptions;
  readonly #random: () => number;
  /** When messages left or will leave, the oldest first. */
  #times: number[] = [];

  constructor(options: PaceOptions, random: () => number = Math.random) {
    this.#options = options;
    this.#random = random;
  }

  /** How long to wait before a message of that length; or, where a budget is used up, how long until there is room. */
  take(now: number, length: number): { waitMs: number } | { fullForMs: number } {
    const { gapMs, perMinute, perDay, typingMs } = this.#options;
    this.#times = this.#times.filter((at) => at > now - DAY);
    const last = this.#times.at(-1) ?? Number.NEGATIVE_INFINITY;
    const [least, most] = gapMs;
    const pause = least + (most - least) * this.#random() + Math.min(LONGEST_TYPING, typingMs * length);
    const at = Math.max(now, last) + pause;
    const room = (count: number, span: number) => {
      const nth = this.#times.at(-count);
      return nth === undefined ? 0 : Math.max(0, nth + span - at);
    };
    const full = Math.max(room(perMinute, MINUTE), room(perDay, DAY));
    if (full > 0) return { fullForMs: Math.ceil(full + at - now) };
    this.#times.push(at);
    return { waitMs: Math.ceil(at - now) };
  }
}
