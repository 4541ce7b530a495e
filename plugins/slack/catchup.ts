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
  for (const channel of await conversations(options)) {
    count += await read(options, channel, "conversations.history", { channel, oldest, limit: MAX_MESSAGES }, oldest);
  }
  for (const { channel, thread } of options.journal.threads.reverse()) {
    count += await read(options, channel, "conversations.replies", { channel, ts: thread, oldest, limit: MAX_MESSAGES }, oldest);
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

async function read(options: CatchUpOptions, channel: string, method: string, params: Fields, oldest: string): Promise<number> {
  const answer = await asked(options, method, params);
  const messages = list(answer?.["messages"]).filter((one) => later(text(one["ts"]) ?? "0", oldest));
  messages.sort((a, b) => (later(text(a["ts"]) ?? "0", text(b["ts"]) ?? "0") ? 1 : -1));
  let count = 0;
  for (const message of messages.slice(-MAX_MESSAGES)) {
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
