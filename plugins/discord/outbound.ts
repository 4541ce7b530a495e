/**
 * Sends, edits, removes, reacts, types. One send may need several messages; each has a nonce made of the host's key, by which
 * Discord drops a second copy for some minutes, and what was sent is noted, so that trying again goes on where it stopped.
 */

import { SendError } from "@kata-agents/plugin-sdk";
import type { Button, Media, OutboundMessage, PlatformMessageId, PluginContext, Receipt, ReplyRoute, StreamPreview } from "@kata-agents/plugin-sdk";
import { digest } from "./digest.ts";
import type { Doubts } from "./doubts.ts";
import { encode, type Upload } from "./form.ts";
import { customId } from "./interactions.ts";
import { PartialSends } from "@kata-agents/plugin-sdk/sending";
import { render } from "./render.ts";
import { ApiError, type Call, NetworkError, type Rest } from "./rest.ts";
import { channelOf, messageOf } from "./route.ts";
import type { Message } from "./types.ts";

/** Most bytes of files in one request. Discord takes 10 MiB; a request is held in this plugin's memory. */
export const FILES_MAX = 8 << 20;
const FILES_PER_MESSAGE = 10;
const BUTTONS_PER_ROW = 5;
const STYLE = { plain: 2, primary: 1, danger: 4 } as const;
/** Nobody is ever pinged by what a model wrote. */
const MENTIONS = { parse: [] };
/** Discord's codes for what is not there, and for what may not be done. */
const UNKNOWN = new Set([10003, 10008]);
const GONE = 10008;

/** What a piece of work needs. */
export interface Tools {
  rest: Rest;
  ctx: PluginContext;
  partial: PartialSends;
  doubts: Doubts;
}

/** Sends Markdown, files and buttons to a route, as many messages as it takes. */
export async function send(tools: Tools, message: OutboundMessage): Promise<Receipt> {
  const channel = channelOf(message.route);
  const texts = render(message.text);
  const batches = batch(message.attachments ?? []);
  // The first files stand under the last text.
  const parts = texts.map((text) => ({ text, files: [] as Media[] }));
  const last = parts.at(-1);
  if (last !== undefined && batches.length > 0) last.files = batches.shift() ?? [];
  for (const files of batches) parts.push({ text: "", files });
  if (parts.length === 0) throw new SendError({ code: "invalid", message: "there is no text to send", certain: true });
  try {
    return { messageIds: await all(tools, message, channel, parts) };
  } catch (error) {
    throw sendError(error);
  }
}

async function all(tools: Tools, message: OutboundMessage, channel: string, parts: { text: string; files: Media[] }[]): Promise<string[]> {
  const { partial, ctx } = tools;
  const key = message.idempotencyKey;
  const several = parts.length > 1;
  const sent = several ? await partial.read(key) : [];
  for (const [index, part] of parts.entries()) {
    if (index < sent.length) continue;
    const final = index === parts.length - 1;
    const body: Record<string, unknown> = { content: part.text, allowed_mentions: MENTIONS };
    if (final && message.buttons?.length) body["components"] = rows(message.buttons);
    const preview = index === 0 ? messageOf(message.replaces) : undefined;
    if (preview !== undefined && part.files.length === 0 && (await replace(tools, channel, preview, body))) sent.push(preview);
    else {
      const quoted = index === 0 ? messageOf(message.route.replyTo) : undefined;
      if (quoted !== undefined) body["message_reference"] = { message_id: quoted, fail_if_not_exists: false };
      const mark = nonce(key, index);
      Object.assign(body, { nonce: mark, enforce_nonce: true });
      const made = await once(tools, mark, message.route, () => post(tools, channel, body, part.files), part.text);
      sent.push(made.id);
      if (preview !== undefined) await remove(tools, channel, preview);
    }
    if (several && !final) await partial.write(key, sent);
    ctx.logger.debug(`sent ${index + 1} of ${parts.length}`);
  }
  if (several) await partial.forget(key);
  return sent;
}

/** Posts; after an answer that was lost long ago, looks first whether it is out already. */
async function once({ rest, ctx, doubts }: Tools, mark: string, route: ReplyRoute, send: () => Promise<Message>, text: string): Promise<Message> {
  try {
    const made = (await doubts.find(mark, rest, channelOf(route), route.account, text, ctx.signal)) ?? (await send());
    await doubts.settle(mark);
    return made;
  } catch (error) {
    if ((error instanceof NetworkError && error.sent) || (error instanceof ApiError && error.status >= 500)) await doubts.note(mark);
    throw error;
  }
}

/** Makes the message out of its preview; false when that is gone. */
async function replace(tools: Tools, channel: string, id: string, body: Record<string, unknown>): Promise<boolean> {
  try {
    await tools.rest.call<Message>("PATCH", `/channels/${channel}/messages/${id}`, { json: { components: [], ...body }, signal: tools.ctx.signal });
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.code === GONE) return false;
    // The same edit again is the same edit: nothing is doubled by trying again.
    throw error instanceof NetworkError ? new NetworkError(error.message, false) : error;
  }
}

async function post(tools: Tools, channel: string, body: Record<string, unknown>, files: Media[]): Promise<Message> {
  const { rest, ctx } = tools;
  const path = `/channels/${channel}/messages`;
  if (files.length === 0) return rest.call<Message>("POST", path, { json: body, signal: ctx.signal });
  const uploads: Upload[] = [];
  for (const { id, name, mime } of files) uploads.push({ name, mime, bytes: await ctx.media.read(id) });
  const attachments = uploads.map(({ name }, id) => ({ id, filename: name }));
  const form = encode({ ...body, attachments }, uploads, `kata-${crypto.randomUUID()}`);
  uploads.length = 0;
  const call: Call = { form, signal: ctx.signal, timeoutMs: 28_000 };
  return rest.call<Message>("POST", path, call);
}

/** Files that go together: at most ten, and no more than a request holds. */
function batch(files: readonly Media[]): Media[][] {
  const batches: Media[][] = [];
  let bytes = 0;
  for (const file of files) {
    if (file.bytes > FILES_MAX) {
      throw new SendError({ code: "invalid", message: `the file “${file.name}” is longer than ${FILES_MAX >> 20} MiB`, certain: true });
    }
    const current = batches.at(-1);
    if (current === undefined || current.length >= FILES_PER_MESSAGE || bytes + file.bytes > FILES_MAX) {
      batches.push([file]);
      bytes = file.bytes;
    } else {
      current.push(file);
      bytes += file.bytes;
    }
  }
  return batches;
}

function rows(buttons: readonly Button[]): unknown[] {
  const all: unknown[] = [];
  for (let at = 0; at < buttons.length; at += BUTTONS_PER_ROW) {
    const components = buttons
      .slice(at, at + BUTTONS_PER_ROW)
      .map(({ id, label, style }) => ({ type: 2, style: STYLE[style], label, custom_id: customId(id) }));
    all.push({ type: 1, components });
  }
  return all;
}

/** Replaces a message's text, and takes its buttons away where the new one has none. */
export async function edit(tools: Tools, id: PlatformMessageId, message: OutboundMessage): Promise<void> {
  const channel = channelOf(message.route);
  const number = messageOf(id);
  const [text, ...more] = render(message.text);
  if (number === undefined) throw new SendError({ code: "not_found", message: "the message is not one of Discord's", certain: true });
  if (text === undefined || more.length > 0) throw new SendError({ code: "invalid", message: "an edited message must fit into one", certain: true });
  const json = { content: text, allowed_mentions: MENTIONS, components: rows(message.buttons ?? []) };
  try {
    await tools.rest.call("PATCH", `/channels/${channel}/messages/${number}`, { json, signal: tools.ctx.signal });
  } catch (error) {
    throw sendError(error);
  }
}

/** Shows an answer as far as it is written. */
export async function stream(tools: Tools, preview: StreamPreview): Promise<PlatformMessageId | null> {
  const { rest, ctx } = tools;
  const channel = channelOf(preview.route);
  const [text] = render(preview.text);
  if (text === undefined) return preview.messageId;
  const body: Record<string, unknown> = { content: text, allowed_mentions: MENTIONS };
  try {
    if (preview.messageId !== null) {
      await rest.call("PATCH", `/channels/${channel}/messages/${preview.messageId}`, { json: body, signal: ctx.signal });
      return preview.messageId;
    }
    const quoted = messageOf(preview.route.replyTo);
    if (quoted !== undefined) body["message_reference"] = { message_id: quoted, fail_if_not_exists: false };
    const json = { ...body, nonce: nonce(`preview ${preview.key}`, 0), enforce_nonce: true };
    return (await rest.call<Message>("POST", `/channels/${channel}/messages`, { json, signal: ctx.signal })).id;
  } catch (error) {
    throw sendError(error);
  }
}

/** Removes a message; one that is gone already is no error. */
export async function remove(tools: Tools, channel: string, id: PlatformMessageId): Promise<void> {
  try {
    await tools.rest.call("DELETE", `/channels/${channel}/messages/${id}`, { signal: tools.ctx.signal });
  } catch (error) {
    if (error instanceof ApiError && error.code === GONE) return;
    throw sendError(error);
  }
}

/** Sets the bot's reaction, or takes all of its own back. */
export async function react(tools: Tools, id: PlatformMessageId, emoji: string | null, route: ReplyRoute): Promise<void> {
  const { rest, ctx } = tools;
  const path = `/channels/${channelOf(route)}/messages/${id}`;
  const { signal } = ctx;
  try {
    if (emoji !== null) {
      await rest.call("PUT", `${path}/reactions/${encodeURIComponent(emojiName(emoji))}/@me`, { signal });
      return;
    }
    const { reactions } = await rest.get<Message>(path, { signal });
    for (const { me, emoji: set } of reactions ?? []) {
      if (me !== true) continue;
      const name = set.id ? `${set.name ?? "_"}:${set.id}` : (set.name ?? "");
      await rest.call("DELETE", `${path}/reactions/${encodeURIComponent(name)}/@me`, { signal });
    }
  } catch (error) {
    throw sendError(error);
  }
}

/** `<:name:id>` as Discord's paths want it. */
function emojiName(emoji: string): string {
  const own = /^<a?:(\w+:\d+)>$/.exec(emoji);
  return own?.[1] ?? emoji;
}

/** Shows the typing signal, which lasts ten seconds. */
export async function typing({ rest, ctx }: Pick<Tools, "rest" | "ctx">, route: ReplyRoute): Promise<void> {
  await rest.call("POST", `/channels/${channelOf(route)}/typing`, { signal: ctx.signal, timeoutMs: 5_000 });
}

/** At most 25 characters that stand for one message of one send. */
export function nonce(key: string, index: number): string {
  return digest(`${index} ${key}`);
}

/** What a failure means to the host. */
export function sendError(error: unknown): SendError {
  if (error instanceof SendError) return error;
  if (error instanceof NetworkError) return new SendError({ code: "unreachable", message: error.message, certain: !error.sent });
  if (!(error instanceof ApiError)) return new SendError({ code: "unreachable", message: "the send failed in the plugin", certain: false });
  const { status, code, message } = error;
  const text = `Discord: ${message}`;
  if (status === 429) return new SendError({ code: "rate_limited", message: text, retryAfterMs: error.retryAfterMs ?? 1_000, certain: true });
  // A server that fell over may have sent the message before it did.
  if (status >= 500) return new SendError({ code: "unreachable", message: text, certain: false });
  if (status === 401) return new SendError({ code: "unauthorized", message: text, certain: true });
  // A 403 without a code is not Discord's but a wall before it, which goes away.
  if (status === 403) return new SendError({ code: code === 0 ? "unreachable" : "forbidden", message: text, certain: true });
  if (status === 404 || UNKNOWN.has(code)) return new SendError({ code: "not_found", message: text, certain: true });
  return new SendError({ code: "invalid", message: text, certain: true });
}
