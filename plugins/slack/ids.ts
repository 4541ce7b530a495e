/** How this plugin writes ids and reads them back. The host compares them and never looks inside. */

import type { PlatformMessageId, ReplyRoute } from "@kata-agents/plugin-sdk";
import { SendError } from "@kata-agents/plugin-sdk";

/** A message's `ts` is unique in its conversation only. */
export function messageId(channel: string, ts: string): PlatformMessageId {
  return `${channel}:${ts}`;
}

/** Conversation and `ts` of a message, or nothing if the id is not one of ours. */
export function placeOf(id: PlatformMessageId): { channel: string; ts: string } | undefined {
  const match = /^([A-Z0-9]{2,32}):(\d{1,16}\.\d{1,6})$/.exec(id);
  return match === null ? undefined : { channel: match[1] ?? "", ts: match[2] ?? "" };
}

/** The same, for a call that needs one. */
export function mustPlace(id: PlatformMessageId): { channel: string; ts: string } {
  const place = placeOf(id);
  if (place !== undefined) return place;
  throw new SendError({ code: "not_found", message: "the message is not one of Slack's", certain: true });
}

/** Conversation and thread of a route. */
export function targetOf(route: ReplyRoute): { channel: string; thread_ts: string | undefined } {
  if (!/^[A-Z0-9]{2,32}$/.test(route.conversation)) throw new SendError({ code: "invalid", message: "the conversation is not one of Slack's", certain: true });
  const thread = route.thread ?? undefined;
  if (thread !== undefined && !/^\d{1,16}\.\d{1,6}$/.test(thread)) throw new SendError({ code: "invalid", message: "the thread is not one of Slack's", certain: true });
  return { channel: route.conversation, thread_ts: thread };
}

/** A `ts` as milliseconds. */
export function msOf(ts: string): number {
  return Math.floor(Number(ts) * 1000);
}

/** Which of two `ts` is later, by value; `a - b` would lose the last digits. */
export function later(a: string, b: string): boolean {
  const [aSeconds = "0", aRest = "0"] = a.split(".");
  const [bSeconds = "0", bRest = "0"] = b.split(".");
  return Number(aSeconds) === Number(bSeconds) ? Number(aRest) > Number(bRest) : Number(aSeconds) > Number(bSeconds);
}
