/**
 * Sends, edits, deletes, reacts and types. One send may need several messages; what was sent is noted, so that trying again
 * goes on where it stopped. Which failure means what to the host is decided here and nowhere else.
 */

import { type Button, type OutboundMessage, type PlatformMessageId, type PluginContext, type Receipt, type ReplyRoute, SendError } from "@kata-agents/plugin-sdk";
import type { Part } from "@kata-agents/plugin-sdk/markdown";
import { type PartialSends, sendErrorOf } from "@kata-agents/plugin-sdk/sending";
import { ApiError, type BotApi, type Upload } from "./api.ts";
import type { Chats } from "./chats.ts";
import { callOf, type Parcel, parcelsOf } from "./files.ts";
import { CAPTION_MAX, partsOf } from "./render.ts";
import { chatId, messageId, messageOf, mustBeMessage, topicId } from "./route.ts";
import type { Message } from "./types.ts";

/** The General topic. Telegram wants its id for the typing signal and refuses it for messages. */
const GENERAL_TOPIC = 1;
/** Buttons beside each other. */
const BUTTONS_A_ROW = 3;
/** Uploads take longer than words. */
const UPLOAD_TIMEOUT_MS = 25_000;

/** What a send works with. */
export interface Line {
  api: BotApi;
  partial: PartialSends;
  chats: Chats;
  ctx: PluginContext;
}

/** One platform call of a send: a text, or files with the text under them. */
type Step = { part: Part; parcel?: undefined } | { parcel: Parcel; part: Part | undefined };

/** Where a message goes. */
export type Target = { chat_id: number; message_thread_id?: number };

/** Sends Markdown, files and buttons to a route, as many messages as it takes. */
export async function send(line: Line, message: OutboundMessage): Promise<Receipt> {
  const { partial } = line;
  const steps = stepsOf(message);
  if (steps.length === 0) throw new SendError({ code: "invalid", message: "there is no text to send", certain: true });
  const target = await targetOf(message.route, line);
  const { idempotencyKey: key, buttons = [], replaces } = message;
  const sent = steps.length > 1 || replaces ? await partial.read(key) : [];
  let at = 0;
  for (const [index, step] of steps.entries()) {
    const ids = step.parcel?.files.length ?? 1;
    at += ids;
    if (at <= sent.length) continue;
    const last = index === steps.length - 1;
    const markup = last && buttons.length > 0 ? { reply_markup: keyboard(buttons) } : {};
    if (index === 0 && replaces && step.parcel === undefined && (await replaced(line, replaces, step.part, markup))) sent.push(replaces);
    else {
      if (index === 0 && replaces) await gone(line, replaces);
      sent.push(...(await sendStep(line, target, step, { ...(index === 0 ? replyTo(message.route, target) : {}), ...markup })));
    }
    if (!last) await partial.write(key, sent);
  }
  if (steps.length > 1) await partial.forget(key);
  return { messageIds: sent };
}

/**
 * The calls a message takes. Words that fit stand under the first files; buttons stand under the last message, which for
 * that must be one that can have them, so the files go first then.
 */
function stepsOf({ text, attachments = [], buttons = [] }: OutboundMessage): Step[] {
  const parcels = parcelsOf(attachments);
  const parts = partsOf(text);
  const [only] = parts;
  const [first, ...others] = parcels;
  const words = parts.map((part): Step => ({ part }));
  if (first === undefined) return words;
  const plain = parcels.map((parcel): Step => ({ parcel, part: undefined }));
  const albums = parcels.some((parcel) => parcel.files.length > 1);
  if (only !== undefined && parts.length === 1 && only.plain.length <= CAPTION_MAX && first.shape !== "voice" && !(albums && buttons.length > 0)) {
    return [{ parcel: first, part: only }, ...others.map((parcel): Step => ({ parcel, part: undefined }))];
  }
  return buttons.length > 0 ? [...plain, ...words] : [...words, ...plain];
}

/** Replaces a message's text. The same text again is no error; text that needs a second message is. Buttons go. */
export async function edit(line: Line, id: PlatformMessageId, message: OutboundMessage): Promise<void> {
  const place = mustBeMessage(id);
  const [part, ...more] = partsOf(message.text);
  if (part === undefined || more.length > 0) {
    throw new SendError({ code: "invalid", message: "an edited message must fit into one", certain: true });
  }
  const markup = (message.buttons ?? []).length > 0 ? { reply_markup: keyboard(message.buttons ?? []) } : {};
  try {
    await editText(line, place, part, markup);
  } catch (error) {
    throw sendError(error);
  }
}

/** A message with a file has a caption instead of a text. */
export async function editText({ api, ctx }: Line, place: { chat_id: number; message_id: number }, part: Part, markup: object): Promise<void> {
  const post = (method: string, field: string) =>
    withPlainFallback(part, field, (content) => api.call(method, { ...place, ...content, ...markup }, { signal: ctx.signal }));
  try {
    await post("editMessageText", "text").catch((error: unknown) => {
      if (error instanceof ApiError && error.description.includes("there is no text in the message")) return post("editMessageCaption", "caption");
      throw error;
    });
  } catch (error) {
    if (!(error instanceof ApiError && error.description.includes("message is not modified"))) throw error;
  }
}

/** Puts the final text in the place of a preview; false when the preview is gone. */
async function replaced(line: Line, id: PlatformMessageId, part: Part, markup: object): Promise<boolean> {
  const place = messageOf(id);
  if (place === undefined) return false;
  try {
    await editText(line, place, part, markup);
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.code === 400) return false;
    throw sendError(error);
  }
}

async function gone(line: Line, id: PlatformMessageId): Promise<void> {
  try {
    await remove(line, id);
  } catch (error) {
    line.ctx.logger.warn(`a preview could not be removed: ${error instanceof Error ? error.message : "no reason"}`);
  }
}

/** Removes a message; one that is gone already is no error. */
export async function remove({ api, ctx }: Line, id: PlatformMessageId): Promise<void> {
  try {
    await api.call("deleteMessage", mustBeMessage(id), { signal: ctx.signal });
  } catch (error) {
    if (!(error instanceof ApiError && error.description.includes("message to delete not found"))) throw sendError(error);
  }
}

/** Sets the bot's one reaction, or takes it back. */
export async function react({ api, ctx }: Line, id: PlatformMessageId, emoji: string | null): Promise<void> {
  try {
    await api.call("setMessageReaction", { ...mustBeMessage(id), reaction: emoji === null ? [] : [{ type: "emoji", emoji }] }, { signal: ctx.signal });
  } catch (error) {
    throw sendError(error);
  }
}

/** Shows the typing signal, which lasts five seconds. */
export async function typing(line: Line, route: ReplyRoute): Promise<void> {
  const { api, chats, ctx } = line;
  const topic = topicId(route);
  await api.call(
    "sendChatAction",
    { chat_id: await chats.chat(chatId(route)), action: "typing", ...(topic === undefined ? {} : { message_thread_id: topic }) },
    { signal: ctx.signal, timeoutMs: 5000 },
  );
}

export async function targetOf(route: ReplyRoute, { chats }: Line): Promise<Target> {
  const topic = topicId(route);
  return { chat_id: await chats.chat(chatId(route)), ...(topic === undefined || topic === GENERAL_TOPIC ? {} : { message_thread_id: topic }) };
}

/** The answered message may be gone by now; that must not lose the answer. One of another chat was answered before the group moved. */
export function replyTo(route: ReplyRoute, target: Target): Record<string, unknown> {
  const answered = route.replyTo === undefined || route.replyTo === null ? undefined : messageOf(route.replyTo);
  if (answered === undefined || answered.chat_id !== target.chat_id) return {};
  return { reply_parameters: { message_id: answered.message_id, allow_sending_without_reply: true } };
}

function keyboard(buttons: readonly Button[]): { inline_keyboard: object[][] } {
  const rows: object[][] = [];
  for (const [index, { id, label, style }] of buttons.entries()) {
    if (index % BUTTONS_A_ROW === 0) rows.push([]);
    const look = style === "primary" ? { style: "primary" } : style === "danger" ? { style: "danger" } : {};
    rows.at(-1)?.push({ text: label, callback_data: id, ...look });
  }
  return { inline_keyboard: rows };
}

async function sendStep(line: Line, target: Target, step: Step, extra: Record<string, unknown>): Promise<PlatformMessageId[]> {
  const { api, chats, ctx } = line;
  const post = async (to: Target): Promise<Message | Message[]> => {
    const once = (method: string, params: object, uploads: Upload[] = []) =>
      api.call<Message | Message[]>(method, { ...to, ...extra, ...params }, { signal: ctx.signal, ...(uploads.length > 0 ? { timeoutMs: UPLOAD_TIMEOUT_MS } : {}) }, uploads);
    if (step.parcel === undefined) return withPlainFallback(step.part, "text", (content) => once("sendMessage", content));
    const { method, params, uploads } = await callOf(step.parcel, ctx);
    if (step.part === undefined) return once(method, params, uploads);
    return withPlainFallback(step.part, "caption", (content) => once(method, withCaption(params, content), uploads));
  };
  try {
    const answer = await post(target).catch(async (error: unknown) => {
      // The group became a supergroup: the same people under a new id, to which Telegram points.
      const moved = error instanceof ApiError ? error.migrateToChatId : undefined;
      if (moved === undefined) throw error;
      await chats.moved(target.chat_id, moved);
      return post({ ...target, chat_id: moved });
    });
    return [answer].flat().map((message) => messageId(message.chat.id, message.message_id));
  } catch (error) {
    throw sendError(error);
  }
}

/** An album's caption is that of its first file. */
function withCaption(params: Record<string, unknown>, content: Record<string, unknown>): Record<string, unknown> {
  const { media } = params;
  if (!Array.isArray(media)) return { ...params, ...content };
  return { ...params, media: media.map((one: object, index) => (index === 0 ? { ...one, ...content } : one)) };
}

/** HTML first; if Telegram cannot read it, the same words without markup. */
export async function withPlainFallback<T>(part: Part, field: string, post: (content: Record<string, unknown>) => Promise<T>): Promise<T> {
  try {
    return await post({ [field]: part.text, parse_mode: "HTML" });
  } catch (error) {
    if (error instanceof ApiError && error.code === 400 && error.description.includes("can't parse")) return post({ [field]: part.plain });
    throw error;
  }
}

/** What a failure means to the host. */
export function sendError(error: unknown): SendError {
  if (!(error instanceof ApiError)) return sendErrorOf(error, { platform: "Telegram" });
  const message = `Telegram: ${error.description}`;
  if (error.code === 429) {
    return new SendError({ code: "rate_limited", message, retryAfterMs: (error.retryAfter ?? 1) * 1000, certain: true });
  }
  // A server that fell over may have sent the message before it did.
  if (error.code >= 500) return new SendError({ code: "unreachable", message, certain: false });
  if (error.code === 401 || error.code === 404) return new SendError({ code: "unauthorized", message, certain: true });
  if (error.code === 403) return new SendError({ code: "forbidden", message, certain: true });
  const gone = /chat not found|thread not found|topic[_ ](?:deleted|closed|not found)|message to (?:edit|delete|react) not found|message_id_invalid|deactivated/i;
  return new SendError({ code: gone.test(error.description) ? "not_found" : "invalid", message, certain: true });
}
