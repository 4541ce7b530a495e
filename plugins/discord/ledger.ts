/**
 * What survives a restart: the gateway's session with the last event that was dealt with, and per channel the last message that the
 * host has, from which history is read when a session could not be resumed. Written soon after it changed, and at the end; what a
 * crash loses of it is read again and dropped by the host as a duplicate.
 */

import type { State } from "@kata-agents/plugin-sdk";
import type { Session } from "./link.ts";
import { after, isSnowflake } from "./snowflake.ts";

const SESSION = "session";
const SEEN = "seen";
/** Channels whose place is kept: those where something was written last. */
const MAX_CHANNELS = 1_000;
/** Least time between two writes. */
const EVERY_MS = 400;

/** Who is signed in, as READY said. */
export interface SignedIn {
  /** Fingerprint of the token. */
  token: string;
  user: string;
  name: string;
  application: string;
}

interface Seen {
  last: string;
  /** A conversation between two. */
  direct: boolean;
}

export class Ledger {
  readonly #state: State;
  readonly #failed: (error: unknown) => void;
  readonly #seen = new Map<string, Seen>();
  #who: SignedIn | undefined;
  #session: Session | undefined;
  #dirty = { session: false, seen: false };
  #timer: ReturnType<typeof setTimeout> | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(state: State, failed: (error: unknown) => void) {
    this.#state = state;
    this.#failed = failed;
  }

  /** Reads what an earlier run left; a session of another token is not ours, its channels are those of another bot. */
  async load(token: string): Promise<void> {
    const [session, seen] = [await this.#state.get(SESSION), await this.#state.get(SEEN)];
    if (!isObject(session) || session["token"] !== token) return;
    const { user, name, application, id, resumeUrl, seq } = session;
    if (typeof user !== "string" || typeof name !== "string" || typeof application !== "string") return;
    this.#who = { token, user, name, application };
    if (typeof id === "string" && typeof resumeUrl === "string" && typeof seq === "number") this.#session = { id, resumeUrl, seq };
    for (const entry of Array.isArray(seen) ? seen : []) {
      if (!Array.isArray(entry)) continue;
      const [channel, last, direct] = entry as unknown[];
      if (isSnowflake(channel) && isSnowflake(last)) this.#seen.set(channel, { last, direct: direct === 1 });
    }
  }

  get who(): SignedIn | undefined {
    return this.#who;
  }

  get session(): Session | undefined {
    return this.#session;
  }

  signedIn(who: SignedIn): void {
    if (this.#who !== undefined && this.#who.user !== who.user) this.#seen.clear();
    this.#who = who;
    this.#mark("session");
  }

  /** The session as it stands; nothing when it is over. */
  keep(session: Session | undefined): void {
    this.#session = session;
    this.#mark("session");
  }

  /** The session's last event changed. */
  moved(): void {
    this.#mark("session");
  }

  /** The host has this message, or has refused it. */
  saw(channel: string, message: string, direct: boolean): void {
    const had = this.#seen.get(channel);
    if (had !== undefined && !after(message, had.last)) return;
    this.#seen.delete(channel);
    this.#seen.set(channel, { last: message, direct });
    if (this.#seen.size > MAX_CHANNELS) {
      const oldest = this.#seen.keys().next().value;
      if (oldest !== undefined) this.#seen.delete(oldest);
    }
    this.#mark("seen");
  }

  /** A channel the bot came to know: what comes after `message` is read, should the session be lost. Those written in go before it. */
  begin(channel: string, message: string): void {
    if (this.#seen.has(channel) || this.#seen.size >= MAX_CHANNELS) return;
    this.#seen.set(channel, { last: message, direct: false });
    this.#mark("seen");
  }

  last(channel: string): string | undefined {
    return this.#seen.get(channel)?.last;
  }

  forget(channel: string): void {
    if (this.#seen.delete(channel)) this.#mark("seen");
  }

  /** Conversations between two, the newest last. */
  directs(): string[] {
    return [...this.#seen].filter(([, { direct }]) => direct).map(([channel]) => channel);
  }

  isDirect(channel: string): boolean {
    return this.#seen.get(channel)?.direct === true;
  }

  /** Writes what has changed. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing = this.#writing.then(() => this.#write());
    return this.#writing;
  }

  #mark(what: "session" | "seen"): void {
    this.#dirty[what] = true;
    this.#timer ??= setTimeout(() => void this.flush(), EVERY_MS);
  }

  async #write(): Promise<void> {
    const dirty = this.#dirty;
    this.#dirty = { session: false, seen: false };
    try {
      // The channels first: a session that is ahead of them would hide what they lack.
      if (dirty.seen) await this.#state.set(SEEN, [...this.#seen].map(([channel, { last, direct }]) => [channel, last, direct ? 1 : 0]));
      if (dirty.session && this.#who !== undefined) await this.#state.set(SESSION, { ...this.#who, ...this.#session });
    } catch (error) {
      this.#dirty = { session: this.#dirty.session || dirty.session, seen: this.#dirty.seen || dirty.seen };
      this.#failed(error);
    }
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
