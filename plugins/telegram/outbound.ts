/**
 * Sends, edits and types. One send may need several messages; what was sent is noted, so that trying again goes on where
 * it stopped. Which failure means what to the host is decided here and nowhere else.
 */

import { SendError } from "@kata-agents/plugin-sdk";
import type { OutboundMessage, PlatformMessageId, PluginContext, Receipt, ReplyRoute } from "@kata-agents/plugin-sdk";
import { ApiError, NetworkError, type BotApi } from "./api.ts";
import { chunk } from "./chunk.ts";
import { parseMarkdown, toHtml, type Formatted } from "./format.ts";
import type { PartialSends } from "./partial.ts";
import { chatId, messageId, messageNumber, topicId } from "./route.ts";
import type { Message } from "./types.ts";

/** The General topic. Telegram wants its id for the typing signal and refuses it for messages. */
const GENERAL_TOPIC = 1;

/** Sends Markdown to a route, as many messages as it takes. */
export async function send(api: BotApi, partial: PartialSends, message: OutboundMessage, ctx: PluginContext): Promise<Receipt> {
  const target = targetOf(message.route);
  const chunks = chunk(parseMarkdown(message.text));
  if (chunks.length === 0) throw new SendError({ code: "invalid", message: "there is no text to send", certain: true });
  const sent = chunks.length > 1 ? await partial.read(message.idempotencyKey) : [];
  for (const [index, part] of chunks.entries()) {
    if (index < sent.length) continue;
    const extra = index === 0 ? replyTo(message.route) : {};
    sent.push(await sendOne(api, target, part, extra, ctx));
    if (chunks.length > 1 && index < chunks.length - 1) await partial.write(message.idempotencyKey, sent);
  }
  if (chunks.length > 1) await partial.forget(message.idempotencyKey);
  return { messageIds: sent };
}

/** Replaces a message's text. The same text again is no error; text that needs a second message is. */
export async function edit(api: BotApi, id: PlatformMessageId, message: OutboundMessage, ctx: PluginContext): Promise<void> {
  const chat = chatId(message.route);
  const number = messageNumber(id);
  const [part, ...more] = chunk(parseMarkdown(message.text));
  if (number === undefined) throw new SendError({ code: "not_found", message: "the message is not one of Telegram's", certain: true });
  if (part === undefined || more.length > 0) {
    throw new SendError({ code: "invalid", message: "an edited message must fit into one", certain: true });
  }
  try {
    await withPlainFallback(part, (content) =>
      api.call("editMessageText", { chat_id: chat, message_id: number, ...content }, { signal: ctx.signal }),
    );
  } catch (error) {
    if (error instanceof ApiError && error.description.includes("message is not modified")) return;
    throw sendError(error);
  }
}

/** Shows the typing signal, which lasts five seconds. */
export async function typing(api: BotApi, route: ReplyRoute, ctx: PluginContext): Promise<void> {
  const topic = topicId(route);
  await api.call(
    "sendChatAction",
    { chat_id: chatId(route), action: "typing", ...(topic === undefined ? {} : { message_thread_id: topic }) },
    { signal: ctx.signal, timeoutMs: 5000 },
  );
}

type Target = { chat_id: number; message_thread_id?: number };

function targetOf(route: ReplyRoute): Target {
  const topic = topicId(route);
  return { chat_id: chatId(route), ...(topic === undefined || topic === GENERAL_TOPIC ? {} : { message_thread_id: topic }) };
}

/** The answered message may be gone by now; that must not lose the answer. */
function replyTo(route: ReplyRoute): Record<string, unknown> {
  const number = route.replyTo === undefined || route.replyTo === null ? undefined : messageNumber(route.replyTo);
  return number === undefined ? {} : { reply_parameters: { message_id: number, allow_sending_without_reply: true } };
}

async function sendOne(api: BotApi, target: Target, part: Formatted, extra: Record<string, unknown>, ctx: PluginContext) {
  const post = (to: Target) =>
    withPlainFallback(part, (content) =>
      api.call<Message>("sendMessage", { ...to, ...extra, ...content }, { signal: ctx.signal }),
    );
  try {
    const message = await post(target).catch((error: unknown) => {
      // The group became a supergroup: the same people under a new id, to which Telegram points.
      const moved = error instanceof ApiError ? error.migrateToChatId : undefined;
      if (moved === undefined) throw error;
      return post({ ...target, chat_id: moved });
    });
    return messageId(message.chat.id, message.message_id);
  } catch (error) {
    throw sendError(error);
  }
}

/** HTML first; if Telegram cannot read it, the same words without markup. */
async function withPlainFallback<T>(part: Formatted, post: (content: Record<string, unknown>) => Promise<T>): Promise<T> {
  try {
    return await post({ text: toHtml(part), parse_mode: "HTML" });
  } catch (error) {
    if (error instanceof ApiError && error.code === 400 && error.description.includes("can't parse")) {
      return post({ text: part.text });
    }
    throw error;
  }
}

/** What a failure means to the host. */
export function sendError(error: unknown): SendError {
  if (error instanceof SendError) return error;
  if (error instanceof NetworkError) return new SendError({ code: "unreachable", message: error.message, certain: !error.sent });
  if (!(error instanceof ApiError)) {
    return new SendError({ code: "unreachable", message: "the send failed in the plugin", certain: false });
  }
  const message = `Telegram: ${error.description}`;
  if (error.code === 429) {
    return new SendError({ code: "rate_limited", message, retryAfterMs: (error.retryAfter ?? 1) * 1000, certain: true });
  }
  // A server that fell over may have sent the message before it did.
  if (error.code >= 500) return new SendError({ code: "unreachable", message, certain: false });
  if (error.code === 401 || error.code === 404) return new SendError({ code: "unauthorized", message, certain: true });
  if (error.code === 403) return new SendError({ code: "forbidden", message, certain: true });
  const gone = /chat not found|thread not found|topic[_ ](?:deleted|closed|not found)|message to edit not found|deactivated/i;
  return new SendError({ code: gone.test(error.description) ? "not_found" : "invalid", message, certain: true });
}
