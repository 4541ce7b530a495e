/** Events of a room as this plugin reads them. Pure. Source: the Matrix specification v1.15, “Room events” and “Event relationships”. */

import { type Fields, fields, list, number, text, texts } from "./json.ts";

export interface RoomEvent {
  id: string;
  type: string;
  sender: string;
  content: Fields;
  /** Milliseconds since the epoch, by the sender's server. */
  at: number;
  /** Only a state event has one; it may be empty. */
  stateKey: string | undefined;
  /** The event a redaction takes back: in the event up to room version 10, in its content since 11. */
  redacts: string | undefined;
  /** What a state event replaces. */
  before: Fields;
  /** Taken back: its content is gone. */
  redacted: boolean;
}

/** Reads one; nothing for what is none. */
export function eventOf(raw: unknown): RoomEvent | undefined {
  const event = fields(raw);
  const [id, type, sender] = [text(event["event_id"]), text(event["type"]), text(event["sender"])];
  if (id === undefined || type === undefined || sender === undefined) return undefined;
  const content = fields(event["content"]);
  const unsigned = fields(event["unsigned"]);
  const stateKey = event["state_key"];
  return {
    id,
    type,
    sender,
    content,
    at: number(event["origin_server_ts"]) ?? 0,
    stateKey: typeof stateKey === "string" ? stateKey : undefined,
    redacts: text(content["redacts"]) ?? text(event["redacts"]),
    before: fields(unsigned["prev_content"]),
    redacted: unsigned["redacted_because"] !== undefined,
  };
}

export function eventsOf(raw: unknown): RoomEvent[] {
  return list(raw).flatMap((one) => eventOf(one) ?? []);
}

/** How an event refers to another. */
export interface Relation {
  /** Root of the thread it stands in. */
  thread: string | undefined;
  /** Message it answers. In a thread every message names one for old clients; that is no answer. */
  replyTo: string | undefined;
  /** Message it replaces. */
  replaces: string | undefined;
  /** Message it reacts to, and with what. */
  reaction: { target: string; key: string } | undefined;
}

export function relationOf(content: Fields): Relation {
  const relates = fields(content["m.relates_to"]);
  const [kind, target] = [text(relates["rel_type"]), text(relates["event_id"])];
  const answered = text(fields(relates["m.in_reply_to"])["event_id"]);
  const thread = kind === "m.thread" ? target : undefined;
  const key = text(relates["key"]);
  return {
    thread,
    replyTo: thread !== undefined && relates["is_falling_back"] === true ? undefined : answered,
    replaces: kind === "m.replace" ? target : undefined,
    reaction: kind === "m.annotation" && target !== undefined && key !== undefined ? { target, key } : undefined,
  };
}

/** Users an event says that it is meant for; nothing where its client does not say (before m.mentions). */
export function mentionsOf(content: Fields): readonly string[] | undefined {
  return content["m.mentions"] === undefined ? undefined : texts(fields(content["m.mentions"])["user_ids"]);
}
