/** What the plugin keeps in mind, each with a bound: what it has taken, where messages belong, and where it takes part. */

import type { ChatType, State } from "@kata-agents/plugin-sdk";
import { fields, text } from "./json.ts";

/** A set that forgets the oldest. */
export class Seen {
  readonly #max: number;
  readonly #keys = new Set<string>();

  constructor(max = 5_000) {
    this.#max = max;
  }

  has(key: string): boolean {
    return this.#keys.has(key);
  }

  add(key: string): void {
    this.#keys.add(key);
    for (const oldest of this.#keys) {
      if (this.#keys.size <= this.#max) break;
      this.#keys.delete(oldest);
    }
  }
}

/** Where a message belongs; events that come later (a reaction, a press) do not say. */
export interface Place {
  thread: string | null;
  /** Absent where it is not known. */
  chatType?: ChatType;
  /** Who wrote it, for a stream that has to name its reader. */
  user?: string;
}

/** Places of the newest messages. */
export class Places {
  readonly #places = new Map<string, Place>();

  note(id: string, place: Place): void {
    this.#places.delete(id);
    this.#places.set(id, place);
    for (const oldest of this.#places.keys()) {
      if (this.#places.size <= 1_000) break;
      this.#places.delete(oldest);
    }
  }

  of(id: string): Place | undefined {
    return this.#places.get(id);
  }
}

const KEY = "catch-up";
const MAX_THREADS = 50;
const MAX_CONVERSATIONS = 100;

/**
 * Until when everything was heard, in which conversations and threads there was talk: what catching up begins with. The time is
 * written now and then and at the end: an older one costs repetitions that the host drops, never a message. A conversation or a
 * thread that is new is written at once, since after a crash nothing else would say that it has to be read.
 */
export class Journal {
  /** Milliseconds; absent before the first time. */
  heardUntil: number | undefined;
  /** Whether there was talk since it was written. */
  changed = false;
  #written = 0;
  readonly #state: State;
  readonly #conversations = new Set<string>();
  readonly #threads = new Set<string>();

  constructor(state: State) {
    this.#state = state;
  }

  async load(account: string): Promise<void> {
    const kept = fields(await this.#state.get(KEY));
    if (kept === undefined || kept["account"] !== account) return;
    const { heardUntil, conversations, threads } = kept;
    if (typeof heardUntil === "number") this.heardUntil = heardUntil;
    for (const one of Array.isArray(conversations) ? conversations : []) if (text(one) !== undefined) this.conversation(String(one));
    for (const one of Array.isArray(threads) ? threads : []) if (text(one) !== undefined) keep(this.#threads, String(one), MAX_THREADS);
  }

  /** When it was written last; 0 before. */
  get written(): number {
    return this.#written;
  }

  async save(account: string): Promise<void> {
    this.changed = false;
    this.#written = Date.now();
    await this.#state.set(KEY, { account, heardUntil: this.heardUntil, conversations: this.conversations, threads: [...this.#threads] });
  }

  /** There is talk in it. Whether that is new, and has to be written. */
  conversation(channel: string): boolean {
    this.changed = true;
    return keep(this.#conversations, channel, MAX_CONVERSATIONS);
  }

  /** The bot takes part in a thread. Whether that is new, and has to be written. */
  takesPart(channel: string, thread: string): boolean {
    this.changed = true;
    return keep(this.#threads, `${channel}:${thread}`, MAX_THREADS);
  }

  isPart(channel: string, thread: string): boolean {
    return this.#threads.has(`${channel}:${thread}`);
  }

  /** Oldest first. */
  get conversations(): string[] {
    return [...this.#conversations];
  }

  /** Oldest first. */
  get threads(): { channel: string; thread: string }[] {
    return [...this.#threads].map((one) => ({ channel: one.slice(0, one.indexOf(":")), thread: one.slice(one.indexOf(":") + 1) }));
  }
}

/** Puts it last, and lets the first go where there are too many. Whether it was not there. */
function keep(set: Set<string>, one: string, max: number): boolean {
  const added = !set.delete(one);
  set.add(one);
  for (const oldest of set) {
    if (set.size <= max) break;
    set.delete(oldest);
  }
  return added;
}

/** Work in order for each conversation, side by side for different ones. What waits has a bound. */
export class Lanes {
  readonly #max: number;
  readonly #tails = new Map<string, Promise<unknown>>();
  #waiting = 0;

  constructor(max = 1_000) {
    this.#max = max;
  }

  get full(): boolean {
    return this.#waiting >= this.#max;
  }

  run<T>(lane: string, work: () => Promise<T>): Promise<T> {
    this.#waiting += 1;
    const before = this.#tails.get(lane) ?? Promise.resolve();
    const done = before.then(work, work).finally(() => {
      this.#waiting -= 1;
      if (this.#tails.get(lane) === tail) this.#tails.delete(lane);
    });
    const tail = done.catch(() => undefined);
    this.#tails.set(lane, tail);
    return done;
  }
}
