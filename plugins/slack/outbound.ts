/**
 * Sends, edits, removes, reacts. One send may need several messages and files; what is out is noted, so that trying again
 * goes on where it stopped. A send whose answer was lost is looked for in the conversation before it is sent again: each
 * message carries its key as metadata, which nobody sees.
 *
 * Source: docs.slack.dev/reference/methods/chat.postMessage, …/chat.update, docs.slack.dev/messaging/message-metadata.
 */

import type { OutboundMessage, PlatformMessageId, PluginContext, Receipt, ReplyRoute } from "@kata-agents/plugin-sdk";
import { SendError } from "@kata-agents/plugin-sdk";
import type { PartialSends } from "@kata-agents/plugin-sdk/sending";
import { type SlackApi, sendError, SlackError } from "./api.ts";
import { blocksOf } from "./blocks.ts";
import { emojiName } from "./emoji.ts";
import { share, upload } from "./files.ts";
import { messageId, mustPlace, placeOf, targetOf } from "./ids.ts";
import { list, text, textAt } from "./json.ts";
import { type Piece, render } from "./render.ts";
import type { Streams } from "./stream.ts";

/** Name of the metadata that carries a message's key. */
const EVENT = "kata_message";

type Target = { channel: string; thread_ts: string | undefined };

/** What sending needs besides the API. */
export interface Sending {
  partial: PartialSends;
  streams: Streams;
  /** Keys whose last attempt is known to have sent nothing. */
  certain: Set<string>;
  /** The bot has written in a thread. */
  wrote(target: Target, id: PlatformMessageId): void;
}

export async function send(api: SlackApi, sending: Sending, message: OutboundMessage, ctx: PluginContext): Promise<Receipt> {
  try {
    return await new Send(api, sending, message, ctx).run();
  } catch (error) {
    const failed = sendError(error);
    if (failed.certain) keep(sending.certain, message.idempotencyKey);
    else sending.certain.delete(message.idempotencyKey);
    throw failed;
  }
}

/** One send: which of its steps are done, and the next ones. */
class Send {
  readonly #api: SlackApi;
  readonly #sending: Sending;
  readonly #message: OutboundMessage;
  readonly #ctx: PluginContext;
  readonly #target: Target;
  readonly #done: PlatformMessageId[] = [];
  #steps = 0;

  constructor(api: SlackApi, sending: Sending, message: OutboundMessage, ctx: PluginContext) {
    this.#api = api;
    this.#sending = sending;
    this.#message = message;
    this.#ctx = ctx;
    this.#target = targetOf(message.route);
  }

  async run(): Promise<Receipt> {
    const { text: markdown, attachments = [], buttons = [], idempotencyKey: key, attempt, replaces } = this.#message;
    const pieces = render(markdown);
    if (pieces.length === 0 && attachments.length === 0) throw new SendError({ code: "invalid", message: "there is nothing to send", certain: true });
    this.#steps = pieces.length + (attachments.length > 0 ? 1 : 0);
    if (this.#steps > 1 || attempt > 1) this.#done.push(...(await this.#sending.partial.read(key)));
    const doubtful = attempt > 1 && !this.#sending.certain.has(key);
    for (const [index, piece] of pieces.entries()) {
      if (index < this.#done.length) continue;
      const last = index === pieces.length - 1;
      const blocks = last && buttons.length > 0 ? { blocks: blocksOf(pieces.length === 1 ? markdown : piece.plain, buttons) } : {};
      const before = doubtful ? await this.#find(`${key}#${index}`) : undefined;
      await this.#note(before ?? (await this.#post(piece, `${key}#${index}`, blocks, index === 0 ? (replaces ?? undefined) : undefined)));
    }
    if (attachments.length > 0 && this.#done.length < this.#steps) {
      const files: { id: string; title: string }[] = [];
      for (const media of attachments) files.push({ id: await upload(this.#api, media, this.#ctx), title: media.name });
      const ts = await share(this.#api, files, this.#target, this.#ctx);
      await this.#note(ts === undefined ? `${this.#target.channel}:file-${files[0]?.id ?? ""}` : messageId(this.#target.channel, ts));
    }
    if (this.#steps > 1) await this.#sending.partial.forget(key);
    for (const id of this.#done) this.#sending.wrote(this.#target, id);
    return { messageIds: this.#done };
  }

  async #note(id: PlatformMessageId): Promise<void> {
    this.#done.push(id);
    if (this.#done.length < this.#steps) await this.#sending.partial.write(this.#message.idempotencyKey, this.#done);
  }

  async #post(piece: Piece, key: string, blocks: { blocks?: unknown }, replaces: PlatformMessageId | undefined): Promise<PlatformMessageId> {
    const content = { text: piece.text, ...blocks, metadata: { event_type: EVENT, event_payload: { key } } };
    const preview = replaces === undefined ? undefined : placeOf(replaces);
    if (replaces !== undefined && preview !== undefined) {
      try {
        await this.#sending.streams.finish(this.#api, replaces, this.#ctx);
        await this.#api.call("chat.update", { ...content, blocks: content.blocks ?? [], channel: preview.channel, ts: preview.ts }, { signal: this.#ctx.signal });
        return replaces;
      } catch (error) {
        // A preview that is gone, or that Slack does not let change any more, is no reason to lose the answer.
        if (!(error instanceof SlackError) || !GONE.has(error.error)) throw error;
        await this.#api.call("chat.delete", preview, { signal: this.#ctx.signal }).catch(() => undefined);
      }
    }
    const answer = await this.#api.call("chat.postMessage", { ...this.#target, ...content, unfurl_links: false, unfurl_media: false }, { signal: this.#ctx.signal });
    return messageId(text(answer["channel"]) ?? this.#target.channel, text(answer["ts"]) ?? "");
  }

  /** The message of an earlier attempt whose answer was lost. */
  async #find(key: string): Promise<PlatformMessageId | undefined> {
    const { channel, thread_ts } = this.#target;
    const oldest = (Date.now() / 1000 - 3600).toFixed(6);
    const where = thread_ts === undefined ? { channel, oldest } : { channel, ts: thread_ts, oldest };
    const answer = await this.#api
      .call(thread_ts === undefined ? "conversations.history" : "conversations.replies", { ...where, limit: 200, include_all_metadata: true }, { signal: this.#ctx.signal })
      .catch((error: unknown) => {
        // As long as it cannot be looked for, it is not known whether it is there.
        const failed = sendError(error);
        throw new SendError({ code: failed.code, message: failed.message, ...(failed.retryAfterMs === null ? {} : { retryAfterMs: failed.retryAfterMs }), certain: false });
      });
    const found = list(answer["messages"]).find((one) => textAt(one, "metadata", "event_payload", "key") === key);
    const ts = text(found?.["ts"]);
    return ts === undefined ? undefined : messageId(channel, ts);
  }
}

const GONE = new Set(["message_not_found", "cant_update_message", "edit_window_closed", "streaming_state_conflict", "message_not_owned_by_app"]);

function keep(set: Set<string>, key: string): void {
  set.add(key);
  for (const oldest of set) {
    if (set.size <= 256) break;
    set.delete(oldest);
  }
}

/** Replaces a message's text; its buttons go unless there are new ones. The same text again is no error. */
export async function edit(api: SlackApi, streams: Streams, id: PlatformMessageId, message: OutboundMessage, ctx: PluginContext): Promise<void> {
  const { channel, ts } = mustPlace(id);
  const pieces = render(message.text, 12_000);
  const [piece] = pieces;
  if (piece === undefined || pieces.length > 1) throw new SendError({ code: "invalid", message: "an edited message must fit into one", certain: true });
  const buttons = message.buttons ?? [];
  try {
    await streams.finish(api, id, ctx);
    // Without `blocks: []` the old ones, with their buttons, would stay.
    await api.call("chat.update", { channel, ts, text: piece.text, blocks: buttons.length > 0 ? blocksOf(message.text, buttons) : [] }, { signal: ctx.signal });
  } catch (error) {
    throw sendError(error);
  }
}

export async function remove(api: SlackApi, id: PlatformMessageId, ctx: PluginContext): Promise<void> {
  const { channel, ts } = mustPlace(id);
  try {
    await api.call("chat.delete", { channel, ts }, { signal: ctx.signal });
  } catch (error) {
    if (error instanceof SlackError && error.error === "message_not_found") return;
    throw sendError(error);
  }
}

/** Sets the bot's reaction in the place of those it has, or takes them back. */
export async function react(api: SlackApi, id: PlatformMessageId, emoji: string | null, _route: ReplyRoute, ctx: PluginContext): Promise<void> {
  const { channel, ts } = mustPlace(id);
  const name = emoji === null ? undefined : emojiName(emoji);
  if (emoji !== null && name === undefined) throw new SendError({ code: "invalid", message: "Slack has no emoji of that name", certain: true });
  const on = { channel, timestamp: ts };
  const unless = async (error: string, call: Promise<unknown>) => {
    await call.catch((failure: unknown) => {
      if (!(failure instanceof SlackError) || failure.error !== error) throw failure;
    });
  };
  try {
    const me = text((await api.call("auth.test", {}, { signal: ctx.signal }))["user_id"]);
    const message = (await api.call("reactions.get", { ...on, full: true }, { signal: ctx.signal }))["message"];
    const reactions = typeof message === "object" && message !== null ? list((message as { reactions?: unknown }).reactions) : [];
    for (const reaction of reactions) {
      const mine = Array.isArray(reaction["users"]) && reaction["users"].includes(me);
      if (mine && reaction["name"] !== name) await unless("no_reaction", api.call("reactions.remove", { ...on, name: reaction["name"] }, { signal: ctx.signal }));
    }
    if (name !== undefined) await unless("already_reacted", api.call("reactions.add", { ...on, name }, { signal: ctx.signal }));
  } catch (error) {
    throw sendError(error);
  }
}
