/** How this plugin writes ids and reads them back. The host compares them and never looks inside. */

import type { PlatformMessageId, ReplyRoute } from "@kata-agents/plugin-sdk";
import { SendError } from "@kata-agents/plugin-sdk";

/** A message's id is unique in its chat only. */
export function messageId(chat: number, message: number): PlatformMessageId {
  return `${chat}:${message}`;
}

/** The number of a message within its chat, or `undefined` if the id is not one of ours. */
export function messageNumber(id: PlatformMessageId): number | undefined {
  const match = /^-?\d+:(\d+)$/.exec(id);
  return match === null ? undefined : Number(match[1]);
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
