/**
 * Reads what was written while nobody listened: the newest 200 messages of each conversation, at most of the last day, and
 * of the threads the bot takes part in. Slack repeats an event for a few minutes only; after that the history is all there is.
 *
 * Source: docs.slack.dev/reference/methods/conversations.history, …/conversations.replies, …/users.conversations.
 */

import type { ConnectContext, InboundDraft } from "@kata-agents/plugin-sdk";
import { messageOf, systemClock } from "@kata-agents/plugin-sdk/sending";
import { passes, type SlackApi, SlackError } from "./api.ts";
import { later } from "./ids.ts";
import { draftOf, type Identity, type Reading } from "./inbound.ts";
import { type Fields, fields, list, text } from "./json.ts";
import type { Journal } from "./memory.ts";

const DAY_MS = 24 * 3600_000;
/** What Slack may have given to a line that was dead already. */
const OVERLAP_MS = 120_000;
const MAX_CONVERSATIONS = 200;
const MAX_MESSAGES = 200;
const MAX_THREADS = 100;
const TRIES = 5;

/** What it needs. */
export interface CatchUpOptions {
  ctx: ConnectContext;
  api: SlackApi;
  me: Identity;
  journal: Journal;
  how: Reading;
  /** Hands a message in; those the host knows are dropped there. */
  hand(draft: InboundDraft): Promise<void>;
}

/** Reads everything since `heardUntil`. Says how many messages it read; a conversation that cannot be read is passed over. */
export async function catchUp(options: CatchUpOptions, heardUntil: number): Promise<number> {
  const oldest = (Math.max(heardUntil - OVERLAP_MS, Date.now() - DAY_MS) / 1000).toFixed(6);
  let count = 0;
  // Those the bot takes part in, and those that the history shows to have gone on: newest first.
  const threads = new Map(options.journal.threads.reverse().map((one) => [`${one.channel}:${one.thread}`, one]));
  for (const channel of await conversations(options)) {
    const messages = await read(options, "conversations.history", { channel, oldest, limit: MAX_MESSAGES }, oldest);
    for (const root of messages.reverse()) {
      const thread = text(root["ts"]);
      const latest = text(root["latest_reply"]) ?? (Number(root["reply_count"] ?? 0) > 0 ? thread : undefined);
      if (thread !== undefined && latest !== undefined && later(latest, oldest)) threads.set(`${channel}:${thread}`, { channel, thread });
    }
    count += await hand(options, channel, messages.reverse());
  }
  for (const { channel, thread } of [...threads.values()].slice(0, MAX_THREADS)) {
    const params = { channel, ts: thread, oldest, limit: MAX_MESSAGES };
    count += await hand(options, channel, await read(options, "conversations.replies", params, oldest));
  }
  return count;
}

/** Those with talk in them first, then the others the bot is in. */
async function conversations(options: CatchUpOptions): Promise<string[]> {
  const found = new Set(options.journal.conversations.reverse());
  for (let cursor = ""; found.size < MAX_CONVERSATIONS; ) {
    const page = await asked(options, "users.conversations", {
      types: "public_channel,private_channel,mpim,im",
      exclude_archived: true,
      limit: 200,
      ...(cursor === "" ? {} : { cursor }),
    });
    for (const channel of list(page?.["channels"])) found.add(text(channel["id"]) ?? "");
    cursor = text(fields(page?.["response_metadata"])?.["next_cursor"]) ?? "";
    if (cursor === "") break;
  }
  found.delete("");
  return [...found].slice(0, MAX_CONVERSATIONS);
}

/** Messages after `oldest`, oldest first. */
async function read(options: CatchUpOptions, method: string, params: Fields, oldest: string): Promise<Fields[]> {
  const answer = await asked(options, method, params);
  const messages = list(answer?.["messages"]).filter((one) => later(text(one["ts"]) ?? "0", oldest));
  messages.sort((a, b) => (later(text(a["ts"]) ?? "0", text(b["ts"]) ?? "0") ? 1 : -1));
  return messages.slice(-MAX_MESSAGES);
}

async function hand(options: CatchUpOptions, channel: string, messages: readonly Fields[]): Promise<number> {
  let count = 0;
  for (const message of messages) {
    if (options.ctx.signal.aborted) break;
    const draft = draftOf(channel, message, options.me, options.how);
    if (draft === undefined) continue;
    await options.hand(draft);
    count += 1;
  }
  return count;
}

/** Asks, and waits where Slack asks for it. Nothing: it cannot be had. */
async function asked({ ctx, api }: CatchUpOptions, method: string, params: Fields): Promise<Fields | undefined> {
  for (let attempt = 1; !ctx.signal.aborted; attempt += 1) {
    try {
      return await api.call(method, params, { signal: ctx.signal });
    } catch (error) {
      const wait = error instanceof SlackError ? error.retryAfterMs : undefined;
      if (!passes(error) || attempt >= TRIES) {
        ctx.logger.warn(`catching up: ${messageOf(error)}`);
        return undefined;
      }
      await systemClock.sleep(wait ?? 1_000 * 2 ** attempt, ctx.signal);
    }
  }
  return undefined;
}
