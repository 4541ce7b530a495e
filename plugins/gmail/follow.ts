/**
 * Follows a label: what came since the last look, each message once, in order. The cursor is written only after everything up to it
 * was taken, so that a crash repeats and never loses; where the cursor is too old, the label is read again from a day before it.
 * The service and the channel have one each. Deliberately absent: what is done with a message, and when the next look comes.
 */

import type { PluginContext } from "@kata-agents/plugin-sdk";
import { GoogleError, isObject } from "@kata-agents/plugin-sdk/google";
import { messageIds } from "@kata-agents/plugin-sdk/mail";
import { NetworkError } from "@kata-agents/plugin-sdk/sending";
import type { Mail } from "./mail.ts";
import type { HistoryType, Mailbox } from "./mailbox.ts";

/** How far before the last look a label is read again; the host and `seen` drop what is known. */
const OVERLAP_MS = 24 * 3_600_000;
/** Most messages that are taken in after a cursor was lost; the newest. */
export const MOST_AGAIN = 2_000;
/** Ids that are remembered, two for each message. */
const MOST_SEEN = 1_600;
/** How often progress is written while a label is read again, messages. */
const NOTE_EVERY = 25;
/** Mail with these was not sent to the person, or not yet, or is not wanted. */
const LEFT_OUT = ["SENT", "DRAFT", "SPAM", "TRASH", "CHAT"];

/** What is on the disk. */
interface Standing {
  address: string;
  label: string;
  /** Opaque. */
  historyId: string;
  /** When that was, by Google's clock. */
  at: number;
  seen: string[];
}

/** Takes one message; durable when it resolves. A throw leaves the cursor where it is. */
export type Take = (mail: Mail, address: string) => Promise<void>;

export class Follower {
  readonly #box: Mailbox;
  readonly #key: string;
  readonly #began: number;
  readonly #types: readonly HistoryType[];
  #seen: Set<string> | undefined;
  #account: string | undefined;

  /** `key` is its place in the plugin's state; `moved`: whether mail that was there and gets the label is news, too. */
  constructor(box: Mailbox, key: string, moved: boolean) {
    this.#box = box;
    this.#key = key;
    this.#types = moved ? ["messageAdded", "labelAdded"] : ["messageAdded"];
    this.#began = box.clock.now();
  }

  /** Looks once and hands over what is new; how many that was. `label` is the label's id. */
  async look(ctx: PluginContext, label: string, take: Take): Promise<number> {
    const standing = standingOf(await ctx.state.get(this.#key));
    // Another account may be signed in since the last start.
    this.#account ??= (await this.#box.profile(ctx)).address;
    this.#seen ??= new Set(standing?.seen ?? []);
    if (standing === undefined || standing.address !== this.#account || standing.label !== label) {
      this.#seen.clear();
      // What was there before is not news; what came since the start is, however long the first answer took.
      const since = this.#began + (this.#box.api.now() - this.#box.clock.now());
      return this.#again(ctx, label, since, undefined, take);
    }
    try {
      return await this.#go(ctx, standing, take);
    } catch (error) {
      if (!(error instanceof GoogleError) || error.meaning !== "missing") throw error;
      ctx.logger.warn("the history cursor is too old; the label is read again");
      return this.#again(ctx, label, standing.at - OVERLAP_MS, standing, take);
    }
  }

  async #go(ctx: PluginContext, standing: Standing, take: Take): Promise<number> {
    let taken = 0;
    let page: string | undefined;
    for (;;) {
      const at = this.#box.api.now();
      const { messages, upTo, next, historyId } = await this.#box.history(ctx, standing.historyId, standing.label, this.#types, page);
      if (next !== undefined && next === page) throw new NetworkError("users.history.list: a page names itself as the next one", true);
      for (const { id, labels } of messages) {
        if (await this.#one(ctx, id, labels, standing.address, take)) taken += 1;
        if (ctx.signal.aborted) return taken;
      }
      if (next === undefined) {
        if (historyId !== standing.historyId || messages.length > 0 || at - standing.at > OVERLAP_MS / 4) await this.#write(ctx, { ...standing, historyId, at });
        return taken;
      }
      // What is taken is taken, also when a later page fails.
      if (upTo !== undefined && upTo !== standing.historyId && messages.length > 0) {
        standing = { ...standing, historyId: upTo, at };
        await this.#write(ctx, standing);
        page = undefined;
      } else page = next;
    }
  }

  /** Reads the label from a time on. The cursor for afterwards is asked for first, so that nothing falls in between. */
  async #again(ctx: PluginContext, label: string, since: number, before: Standing | undefined, take: Take): Promise<number> {
    const { address, historyId } = await this.#box.profile(ctx);
    const at = this.#box.api.now();
    const standing: Standing = { address, label, historyId, at, seen: [] };
    const ids: string[] = [];
    let page: string | undefined;
    // Gmail counts in whole seconds, and “after” leaves the second itself out.
    const q = `after:${Math.max(0, Math.floor(since / 1000) - 1)}`;
    do {
      const { ids: more, next } = await this.#box.list(ctx, { labelIds: [label], q, maxResults: 500, pageToken: page });
      if (next !== undefined && next === page) throw new NetworkError("users.messages.list: a page names itself as the next one", true);
      ids.push(...more);
      page = next;
    } while (page !== undefined && ids.length < MOST_AGAIN);
    if (page !== undefined || ids.length > MOST_AGAIN) ctx.logger.warn(`more than ${MOST_AGAIN} messages came while nobody looked; the newest ${MOST_AGAIN} are taken in`);
    let taken = 0;
    for (const [index, id] of ids.slice(0, MOST_AGAIN).reverse().entries()) {
      if (await this.#one(ctx, id, [], address, take)) taken += 1;
      if (ctx.signal.aborted) return taken;
      if (before !== undefined && index % NOTE_EVERY === NOTE_EVERY - 1) await this.#write(ctx, before);
    }
    await this.#write(ctx, standing);
    return taken;
  }

  async #one(ctx: PluginContext, id: string, labels: readonly string[], address: string, take: Take): Promise<boolean> {
    const seen = this.#seen ?? new Set<string>();
    if (seen.has(id) || labels.some((one) => LEFT_OUT.includes(one))) return false;
    const mail = await this.#box.mail(ctx, id);
    // Deleted in the meantime, or moved out of sight.
    if (mail === undefined || mail.labels.some((one) => LEFT_OUT.includes(one))) return false;
    const named = messageIds(mail.headers.raw("message-id"))[0];
    const twin = named === undefined ? undefined : `m${hash(named)}`;
    if (twin !== undefined && seen.has(twin)) {
      seen.add(id);
      return false;
    }
    await take(mail, address);
    seen.add(id);
    if (twin !== undefined) seen.add(twin);
    for (const oldest of seen) {
      if (seen.size <= MOST_SEEN) break;
      seen.delete(oldest);
    }
    return true;
  }

  async #write(ctx: PluginContext, standing: Standing): Promise<void> {
    await ctx.state.set(this.#key, { ...standing, seen: [...(this.#seen ?? [])] });
  }
}

function standingOf(value: unknown): Standing | undefined {
  if (!isObject(value)) return undefined;
  const { address, label, historyId, at, seen } = value;
  if (typeof address !== "string" || typeof label !== "string" || typeof historyId !== "string" || historyId === "" || typeof at !== "number") return undefined;
  return { address, label, historyId, at, seen: Array.isArray(seen) ? seen.filter((one): one is string => typeof one === "string") : [] };
}

/** A short name for a Message-ID (FNV-1a, twice 32 bits). */
function hash(words: string): string {
  let a = 0x811c9dc5;
  let b = 0x01000193;
  for (let at = 0; at < words.length; at += 1) {
    a = Math.imul(a ^ words.charCodeAt(at), 0x01000193);
    b = Math.imul(b ^ words.charCodeAt(at), 0x85ebca6b);
  }
  return (a >>> 0).toString(36) + (b >>> 0).toString(36);
}
