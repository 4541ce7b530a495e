/** How this plugin writes ids and reads them back. The host compares them and never looks inside. */

import type { PlatformMessageId, ReplyRoute } from "@kata-agents/plugin-sdk";
import { SendError } from "@kata-agents/plugin-sdk";

/** A message's id is unique in its chat only. */
export function messageId(chat: number, message: number): PlatformMessageId {
  return `${chat}:${message}`;
}

/** Chat and number of a message, or `undefined` if the id is not one of ours. */
export function messageOf(id: PlatformMessageId): { chat_id: number; message_id: number } | undefined {
  const match = /^(-?\d{1,16}):(\d{1,16})$/.exec(id);
  return match === null ? undefined : { chat_id: Number(match[1]), message_id: Number(match[2]) };
}

/** The same, for a message that must be there. */
export function mustBeMessage(id: PlatformMessageId): { chat_id: number; message_id: number } {
  const message = messageOf(id);
  if (message === undefined) throw new SendError({ code: "not_found", message: "the message is not one of Telegram's", certain: true });
  return message;
}

/** The chat of a route. */
export function chatId(route: ReplyRoute): number {
  return number(route.conversation, "conversation");
}

/** The topic of a route. */
export function topicId(route: ReplyRoute): number | undefined {
  return route.thread === undefined || route.thread === null ? undefined : number(route.thread, "thread");
}

function number(id: string, what: string): number {
  if (/^-?\d{1,16}$/.test(id)) return Number(id);
  throw new SendError({ code: "invalid", message: `the ${what} is not one of Telegram's`, certain: true });
}
