/**
 * Reads the mailbox: what came while nobody looked, then what comes. The cursor is the number of the last message that the host
 * has or that was left out; it is written after `receive`, so a crash repeats at most one message, which the host knows by its id.
 *
 * IDLE is begun anew every 25 minutes (RFC 2177 asks for less than 29), which also finds a connection that is dead without saying so.
 */

import type { ConnectContext, StatusReport } from "@kata-agents/plugin-sdk";
import { type Backoff, backoff, type Clock } from "@kata-agents/plugin-sdk/sending";
import { type Account, accountOf } from "./account.ts";
import { type Fetched, Imap, ImapError } from "./imap.ts";
import { FIRST_LOOK, readMessage } from "./read.ts";
import type { Threads } from "./threads.ts";
import { WireError } from "./wire.ts";

export const IDLE_MS = 25 * 60_000;
/** Between two looks at a server without IDLE. */
const LOOK_MS = 30_000;
/** Between two looks at settings that are missing or refused. */
const SETTINGS_MS = 10_000;
/** What is older is not answered any more after a time away. */
const OLDEST_MS = 24 * 3600_000;
const MOST_MISSED = 1_000;
/** How far the server's clock may be behind ours when a mailbox is met for the first time. */
const SKEW_MS = 60_000;
/** Messages whose headers are fetched at once. */
const BATCH = 10;

interface Cursor {
  validity: string;
  uid: number;
}

/** The host could not take a message in. */
class NotStored extends Error {}

/** What the loop needs besides the host. */
export interface WatchOptions {
  clock: Clock;
  random: () => number;
  threads: Threads;
}

/** Runs until `ctx.signal` is aborted. */
export async function watch(ctx: ConnectContext, { clock, random, threads }: WatchOptions): Promise<void> {
  const waits = backoff(random, { firstMs: 1_000, maxMs: 60_000 });
  let refused: string | undefined;
  while (!ctx.signal.aborted) {
    const account = await accountOf(ctx);
    if ("field" in account) {
      ctx.status({ state: "needs_user", code: `${account.field}_missing`, message: account.message, action: { kind: "configure", field: account.field } });
      await clock.sleep(SETTINGS_MS, ctx.signal);
      continue;
    }
    const key = `${account.imap.hostname} ${account.user} ${account.password}`;
    if (key === refused) {
      ctx.status(REFUSED);
      await clock.sleep(SETTINGS_MS, ctx.signal);
      continue;
    }
    try {
      await new Session(ctx, account, threads, clock, waits).run();
    } catch (error) {
      if (ctx.signal.aborted) return;
      if (isRefused(error)) {
        refused = key;
        continue;
      }
      if (!(error instanceof ImapError || error instanceof WireError || error instanceof NotStored)) throw error;
      const ms = waits.next();
      ctx.status(trouble(error));
      ctx.logger.warn(`${error instanceof WireError ? error.code : error.name}: ${error.message}; next try in ${Math.round(ms / 100) / 10} s`);
      await clock.sleep(ms, ctx.signal);
    }
  }
}

const REFUSED: StatusReport = {
  state: "needs_user",
  code: "sign_in_refused",
  message: "The IMAP server refuses user name or password. Many providers want an app password.",
  action: { kind: "configure", field: "password" },
};

/** Whether a sign-in was refused for good (RFC 5530); a server that is busy says UNAVAILABLE. */
export function isRefused(error: unknown): boolean {
  return error instanceof ImapError && error.message.startsWith("sign-in:") && !["UNAVAILABLE", "LIMIT", "INUSE", "SERVERBUG"].includes(error.code);
}

function trouble(error: Error): StatusReport {
  if (error instanceof NotStored) return { state: "degraded", code: "not_stored", message: "A message could not be stored; it stays in the mailbox and is tried again." };
  if (error instanceof WireError && error.code === "tls") return { state: "degraded", code: "tls", message: `The connection cannot be protected: ${error.message}` };
  if (error instanceof WireError) return { state: "degraded", code: "unreachable", message: `The IMAP server cannot be read (${error.message}); trying again.` };
  return { state: "degraded", code: "imap_refuses", message: `The IMAP server refuses: ${error.message}` };
}

class Session {
  readonly #ctx: ConnectContext;
  readonly #account: Account;
  readonly #threads: Threads;
  readonly #clock: Clock;
  readonly #waits: Backoff;
  /** What came before it is not taken. */
  #oldest = 0;

  constructor(ctx: ConnectContext, account: Account, threads: Threads, clock: Clock, waits: Backoff) {
    this.#ctx = ctx;
    this.#account = account;
    this.#threads = threads;
    this.#clock = clock;
    this.#waits = waits;
  }

  async run(): Promise<void> {
    const { signal } = this.#ctx;
    this.#ctx.status({ state: "connecting" });
    const { imap: server, user, password, mailbox } = this.#account;
    const imap = await Imap.open(server, user, password, signal);
    try {
      const opened = await imap.select(mailbox);
      let cursor = await this.#cursor(imap, opened.validity, opened.next);
      for (let first = true; !signal.aborted; first = false) {
        cursor = await this.#catchUp(imap, cursor, first);
        this.#waits.reset();
        this.#ctx.status({ state: "running" });
        if (imap.canIdle) await imap.idle(IDLE_MS);
        else {
          await this.#clock.sleep(LOOK_MS, signal);
          if (!signal.aborted) await imap.noop();
        }
      }
    } finally {
      if (signal.aborted) imap.close();
      else await imap.logout();
    }
  }

  #key(): string {
    return `cursor:${this.#account.address}:${this.#account.mailbox}`;
  }

  /** Where to go on. A mailbox that is met for the first time is read from that time on; one that was made anew, from a day ago. */
  async #cursor(imap: Imap, validity: string, next: number | undefined): Promise<Cursor> {
    const kept = await this.#ctx.state.get(this.#key());
    const known = typeof kept === "object" && kept !== null ? (kept as Record<string, unknown>) : undefined;
    this.#oldest = this.#clock.now() - OLDEST_MS;
    if (known?.["validity"] === validity && typeof known["uid"] === "number") return { validity, uid: known["uid"] };
    if (known === undefined) this.#oldest = await this.#began();
    else this.#ctx.logger.warn("the mailbox's numbers mean something else now (UIDVALIDITY); the last day is read again, and the host drops what it knows");
    // Whole days, and of which zone is the server's business: a day more, and the time of each message decides.
    const [first] = await imap.search(`SINCE ${imapDate(this.#oldest - OLDEST_MS)}`);
    return { validity, uid: first === undefined ? (next ?? 1) - 1 : first - 1 };
  }

  /** When this mailbox was met for the first time. */
  async #began(): Promise<number> {
    const key = `began:${this.#account.address}:${this.#account.mailbox}`;
    const kept = await this.#ctx.state.get(key);
    if (typeof kept === "number") return kept;
    const now = this.#clock.now() - SKEW_MS;
    await this.#ctx.state.set(key, now);
    return now;
  }

  async #commit(cursor: Cursor): Promise<Cursor> {
    try {
      await this.#ctx.state.set(this.#key(), cursor);
    } catch (error) {
      throw new NotStored(error instanceof Error ? error.message : "");
    }
    return cursor;
  }

  /** Hands in what is there, in order. `first`: after a time away, when not everything is wanted any more. */
  async #catchUp(imap: Imap, from: Cursor, first: boolean): Promise<Cursor> {
    let cursor = from;
    // `n:*` always gives the last message, also where its number is below n.
    let uids = (await imap.search(`UID ${cursor.uid + 1}:*`)).filter((uid) => uid > cursor.uid);
    if (first && uids.length > MOST_MISSED) {
      this.#ctx.logger.warn(`${uids.length - MOST_MISSED} messages of the time away are left out: at most ${MOST_MISSED} are taken in`);
      uids = uids.slice(-MOST_MISSED);
    }
    for (let at = 0; at < uids.length && !this.#ctx.signal.aborted; at += BATCH) {
      const some = uids.slice(at, at + BATCH);
      const looks = await imap.fetch(some, FIRST_LOOK);
      for (const uid of some) {
        const fields = looks.get(uid);
        // One that is not there was deleted meanwhile.
        if (fields !== undefined && !(first && this.#old(fields.get("INTERNALDATE")))) await this.#take(imap, uid, cursor.validity, fields);
        cursor = await this.#commit({ validity: cursor.validity, uid });
      }
    }
    return cursor;
  }

  #old(date: unknown): boolean {
    const at = typeof date === "string" ? Date.parse(date.trim().replace(/^(\d+)-(\w+)-(\d+)/, "$1 $2 $3")) : Number.NaN;
    return !Number.isNaN(at) && at < this.#oldest;
  }

  async #take(imap: Imap, uid: number, validity: string, fields: Fetched): Promise<void> {
    const taken = await readMessage(imap, this.#account, this.#threads, uid, validity, fields);
    if ("left" in taken) {
      this.#ctx.logger.info(`a message was left out: ${taken.left}`);
      return;
    }
    try {
      await this.#ctx.receive(taken.draft);
    } catch (error) {
      throw new NotStored(error instanceof Error ? error.message : "");
    }
    if (this.#account.markSeen) await imap.seen(uid).catch((error: unknown) => {
      // A mailbox that may only be read is read all the same.
      if (!(error instanceof ImapError)) throw error;
    });
  }
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

function imapDate(ms: number): string {
  const at = new Date(ms);
  return `${at.getUTCDate()}-${MONTHS[at.getUTCMonth()]}-${at.getUTCFullYear()}`;
}
