/**
 * Long polling: asks for updates, hands each message in, and confirms an update to Telegram only after the host has it
 * on disk. Telegram forgets an update when it is asked for a later one, so the cursor is written after `receive` and used
 * in the next request: a crash at any place repeats at most what the host already knows and drops as a duplicate.
 *
 * Trouble that passes is waited out here, with the state shown, so that the channel is back seconds after Telegram is.
 */

import type { ConnectContext, StatusReport } from "@kata-agents/plugin-sdk";
import { type Backoff, backoff, type Clock, messageOf as text, NetworkError } from "@kata-agents/plugin-sdk/sending";
import { ApiError, type BotApi, isTrouble } from "./api.ts";
import type { Chats } from "./chats.ts";
import { announceOrders } from "./orders.ts";
import { ALLOWED_UPDATES, type Message, type Update, type User } from "./types.ts";
import { handIn, NotStored } from "./updates.ts";

/** Longest wait after the network or the server failed. */
const UNREACHABLE_MAX_MS = 5_000;
/** The messages of an album are updates of their own, which come within this time. */
const ALBUM_WAIT_MS = 700;
/** Messages of one album, at most. */
const ALBUM_MAX = 10;
/** Waits after a conflict: the first is short, because a reload of this plugin meets its own older poll. */
const CONFLICT_WAITS_MS = [2_000, 5_000, 15_000, 30_000];
const CONFLICT_POLL_SECONDS = 5;
/** How often a changed token is looked for. */
const TOKEN_CHECK_MS = 10_000;
/**
 * After a week without updates Telegram may number them anew, from anywhere. A cursor that old could skip them, so it is
 * not used; what Telegram then repeats, the host knows.
 */
const CURSOR_MAX_AGE_MS = 6 * 24 * 3600 * 1000;

interface Cursor {
  /** `update_id` to ask for. */
  offset: number;
  /** When the last update was taken. */
  at: number;
}

/** What the loop needs besides the host. */
export interface PollOptions {
  /** The API with the token as it is stored now. */
  api: (token: string) => BotApi;
  pollSeconds: number;
  clock: Clock;
  chats: Chats;
  /** 0 to 1, for the spread of waits. */
  random: () => number;
}

/** Runs until `ctx.signal` is aborted. */
export async function poll(ctx: ConnectContext, options: PollOptions): Promise<void> {
  const { clock } = options;
  let refused: string | undefined;
  while (!ctx.signal.aborted) {
    const token = (await ctx.secrets.get("botToken"))?.trim();
    if (!token || token === refused) {
      ctx.status(token ? TOKEN_REFUSED : TOKEN_MISSING);
      await clock.sleep(TOKEN_CHECK_MS, ctx.signal);
      continue;
    }
    refused = undefined;
    await new Loop(ctx, options, options.api(token)).run();
    refused = token;
  }
}

/** The life of one token: ends when it is refused or the channel is brought down; throws only the host's own failures. */
class Loop {
  readonly #ctx: ConnectContext;
  readonly #options: PollOptions;
  readonly #api: BotApi;
  #cursor: Cursor | undefined;
  readonly #backoff: Backoff;
  /** The album that stood last in the answer before, and how much of it there was: it may not be whole yet. */
  #album: { id: string; size: number } | undefined;
  /** Conflicts since Telegram last let a whole poll pass. */
  #conflicts = 0;
  #answered = false;

  constructor(ctx: ConnectContext, options: PollOptions, api: BotApi) {
    this.#ctx = ctx;
    this.#options = options;
    this.#api = api;
    this.#backoff = backoff(options.random, { firstMs: 500, maxMs: UNREACHABLE_MAX_MS });
  }

  async run(): Promise<void> {
    const { signal } = this.#ctx;
    this.#ctx.status({ state: "connecting" });
    let me: User | undefined;
    while (!signal.aborted) {
      try {
        if (me === undefined) {
          const user = await this.#api.call<User>("getMe", {}, { signal });
          this.#cursor = readCursor(await this.#ctx.state.get(cursorKey(user)));
          await announceOrders(this.#api, this.#ctx);
          me = user;
        }
        await this.#take(await this.#ask(), me);
        this.#backoff.reset();
        this.#conflicts = 0;
        this.#answered = true;
        this.#ctx.status({ state: "running" });
        if (this.#album !== undefined) await this.#options.clock.sleep(ALBUM_WAIT_MS, signal);
      } catch (error) {
        if (signal.aborted) return;
        if (!(isTrouble(error) || error instanceof NotStored)) throw error;
        if (error instanceof ApiError && (error.code === 401 || error.code === 404)) return;
        await this.#wait(error);
      }
    }
  }

  async #ask(): Promise<Update[]> {
    const cursor = this.#cursor;
    const fresh = cursor !== undefined && this.#options.clock.now() - cursor.at < CURSOR_MAX_AGE_MS;
    const seconds = this.#patience();
    const updates = await this.#api.call<unknown>(
      "getUpdates",
      { timeout: seconds, allowed_updates: ALLOWED_UPDATES, ...(fresh ? { offset: cursor.offset } : {}) },
      { signal: this.#ctx.signal, timeoutMs: (seconds + 10) * 1000 },
    );
    if (!Array.isArray(updates)) throw new NetworkError("getUpdates: the result is no list", true);
    return updates as Update[];
  }

  /**
   * How long the next request waits, in seconds. After trouble not at all, so that the state is right at once; after a
   * conflict long enough that the other program, if it is still there, ends this poll and not the next.
   */
  #patience(): number {
    const { pollSeconds } = this.#options;
    if (this.#conflicts > 0) return Math.min(CONFLICT_POLL_SECONDS, pollSeconds);
    return this.#backoff.failures > 0 || !this.#answered || this.#album !== undefined ? 0 : pollSeconds;
  }

  /** Hands updates in, in order. Stops at the first that could not be stored; those before it stay taken. */
  async #take(updates: Update[], me: User): Promise<void> {
    const waits = this.#unfinished(updates);
    let next = this.#cursor;
    const done = new Set<number>();
    try {
      for (const [index, update] of updates.entries()) {
        if (done.has(update.update_id)) continue;
        const group = groupOf(update);
        if (group !== undefined && group === waits) break;
        const album = group === undefined ? [] : updates.slice(index + 1).filter((other) => groupOf(other) === group).slice(0, ALBUM_MAX - 1);
        await handIn(update, album.map(messageIn).filter((one) => one !== undefined), me, this.#api, this.#options.chats, this.#ctx);
        for (const one of [update, ...album]) done.add(one.update_id);
        const first = updates.find((one) => !done.has(one.update_id));
        next = { offset: first?.update_id ?? (updates.at(-1)?.update_id ?? 0) + 1, at: this.#options.clock.now() };
      }
    } catch (error) {
      throw error instanceof ApiError || error instanceof NetworkError ? error : new NotStored(text(error));
    } finally {
      await this.#commit(me, next);
    }
  }

  /** The album at the end of an answer, unless it did not grow since the answer before or is full: more of it may follow. */
  #unfinished(updates: readonly Update[]): string | undefined {
    const last = updates.at(-1);
    const id = last === undefined ? undefined : groupOf(last);
    const size = updates.filter((update) => groupOf(update) === id).length;
    const before = this.#album;
    this.#album = undefined;
    if (id === undefined || size >= ALBUM_MAX || (before?.id === id && before.size === size)) return undefined;
    this.#album = { id, size };
    return id;
  }

  async #commit(me: User, next: Cursor | undefined): Promise<void> {
    if (next === undefined || next === this.#cursor) return;
    try {
      await this.#ctx.state.set(cursorKey(me), next);
    } catch (error) {
      throw new NotStored(text(error));
    }
    this.#cursor = next;
  }

  async #wait(error: unknown): Promise<void> {
    const { report, ms } = this.#trouble(error);
    this.#ctx.status(report);
    this.#ctx.logger.warn(`${report.code}: ${text(error)}; next try in ${Math.round(ms / 100) / 10} s`);
    await this.#options.clock.sleep(ms, this.#ctx.signal);
  }

  #trouble(error: unknown): { report: StatusReport; ms: number } {
    const growing = this.#backoff.next();
    if (error instanceof NotStored) {
      const message = "A message could not be stored; it is kept at Telegram and tried again.";
      return { report: { state: "degraded", code: "not_stored", message }, ms: growing };
    }
    if (error instanceof ApiError && error.code === 409) {
      const ms = CONFLICT_WAITS_MS[Math.min(this.#conflicts, CONFLICT_WAITS_MS.length - 1)] ?? UNREACHABLE_MAX_MS;
      this.#conflicts += 1;
      const message = error.description.includes("webhook")
        ? "This bot delivers to a webhook elsewhere. Remove the webhook there, or make a bot of its own with @BotFather."
        : "Another program reads this bot's messages. Stop it, or make a bot of its own with @BotFather.";
      return { report: { state: "degraded", code: "conflict_409", message }, ms };
    }
    if (error instanceof ApiError && error.code === 429) {
      const seconds = error.retryAfter ?? 5;
      return {
        report: { state: "degraded", code: "rate_limited", message: `Telegram asks to wait ${seconds} s.` },
        ms: seconds * 1000,
      };
    }
    if (error instanceof ApiError && error.code < 500) {
      const message = `Telegram refuses to give messages: ${error.description}`;
      return { report: { state: "degraded", code: `http_${error.code}`, message }, ms: 30_000 };
    }
    return {
      report: { state: "degraded", code: "unreachable", message: `Telegram does not answer (${text(error)}); trying again.` },
      ms: growing,
    };
  }
}

function messageIn(update: Update): Message | undefined {
  return update.message ?? update.channel_post;
}

function groupOf(update: Update): string | undefined {
  const message = messageIn(update);
  return message?.media_group_id === undefined ? undefined : `${message.chat.id}:${message.media_group_id}`;
}

const TOKEN_MISSING: StatusReport = {
  state: "needs_user",
  code: "token_missing",
  message: "Paste the token that @BotFather gave you.",
  action: { kind: "configure", field: "botToken" },
};

const TOKEN_REFUSED: StatusReport = {
  state: "needs_user",
  code: "token_refused",
  message: "Telegram refuses the token. Copy it again from @BotFather.",
  action: { kind: "configure", field: "botToken" },
};

function cursorKey(me: User): string {
  return `cursor:${me.id}`;
}

function readCursor(value: unknown): Cursor | undefined {
  if (typeof value !== "object" || value === null || !("offset" in value) || !("at" in value)) return undefined;
  const { offset, at } = value;
  return typeof offset === "number" && typeof at === "number" ? { offset, at } : undefined;
}
