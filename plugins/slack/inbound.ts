/**
 * From Slack's events to what the host takes: drafts, notices, presses. Pure: what needs a lookup is named, not looked up.
 *
 * Sources: docs.slack.dev/reference/events (message and its subtypes, app_mention, reaction_added), …/interactivity/
 * handling-user-interaction (block_actions), …/interactivity/implementing-slash-commands.
 */

import type { ButtonPress, ChatType, DraftAttachment, InboundDraft, MediaKind, NoticeKind } from "@kata-agents/plugin-sdk";
import { messageId, msOf } from "./ids.ts";
import { type Fields, fields, list, number, text, textAt } from "./json.ts";
import { mentions, withoutAddress } from "./words.ts";

/** Who the bot is, as `auth.test` says. */
export interface Identity {
  /** Account of drafts: the workspace, or the organisation an app was installed for as a whole. */
  account: string;
  team: string;
  enterprise: string | undefined;
  user: string;
  bot: string | undefined;
  /** Workspace and bot, to show. */
  name: string;
}

/** How answers in channels are placed. */
export interface Reading {
  /** A message in a channel begins a thread of its own. */
  replyInThread: boolean;
  /** Whether the bot takes part in a thread. */
  takesPart(channel: string, thread: string): boolean;
}

/** A message, as far as the event says it. Its text is as Slack writes it. */
export interface Written {
  kind: "message";
  draft: InboundDraft;
}

/** Something that happened to a message. The thread is not in the event. */
export interface Happened {
  kind: "notice";
  channel: string;
  ts: string;
  thread: string | undefined;
  user: string;
  what: NoticeKind;
  at: number | undefined;
}

export type Read = Written | Happened | { kind: "gone"; why: "token_revoked" | "app_uninstalled" } | { kind: "nothing" };

const NOTHING = { kind: "nothing" } as const;
/** Subtypes that are messages of people or bots. */
const MESSAGES = new Set([undefined, "file_share", "thread_broadcast", "me_message", "bot_message"]);

/** Whether an event of the app is for this workspace; an app in several is given the events of all of them on one socket. */
export function isForUs(payload: Fields, me: Identity): boolean {
  const teams = [payload["team_id"], ...list(payload["authorizations"]).map((one) => one["team_id"])];
  if (teams.includes(me.team)) return true;
  const whole = list(payload["authorizations"]).some((one) => one["enterprise_id"] === me.enterprise && one["is_enterprise_install"] === true);
  return me.enterprise !== undefined && (whole || payload["enterprise_id"] === me.account);
}

/** Reads one event of the Events API. */
export function readEvent(event: Fields, me: Identity, how: Reading): Read {
  switch (event["type"]) {
    case "message":
    case "app_mention":
      return readMessage(event, me, how);
    case "reaction_added":
    case "reaction_removed":
      return readReaction(event, me);
    case "tokens_revoked": {
      const bots = fields(event["tokens"])?.["bot"];
      return Array.isArray(bots) && bots.includes(me.user) ? { kind: "gone", why: "token_revoked" } : NOTHING;
    }
    case "app_uninstalled":
      return { kind: "gone", why: "app_uninstalled" };
    default:
      return NOTHING;
  }
}

function readMessage(event: Fields, me: Identity, how: Reading): Read {
  const channel = text(event["channel"]);
  const subtype = text(event["subtype"]);
  if (channel === undefined) return NOTHING;
  if (subtype === "message_changed") return readChange(channel, event, me);
  if (subtype === "message_deleted") return readDeletion(channel, event, me);
  const draft = MESSAGES.has(subtype) ? draftOf(channel, event, me, how) : undefined;
  return draft === undefined ? NOTHING : { kind: "message", draft };
}

/** A message of an event or of the history. Nothing for the bot's own, and for what says nothing. */
export function draftOf(channel: string, message: Fields, me: Identity, how: Reading): InboundDraft | undefined {
  const ts = text(message["ts"]);
  const user = text(message["user"]);
  const bot = text(message["bot_id"]);
  if (!MESSAGES.has(text(message["subtype"])) || ts === undefined || (user ?? bot) === undefined || isOwn(message, me)) return undefined;
  const raw = text(message["text"]) ?? "";
  const attachments = list(message["files"]).flatMap((file) => attachmentOf(file) ?? []).slice(0, 10);
  const said = raw === "" && attachments.length === 0 ? fallback(message) : raw;
  if (said.trim() === "" && attachments.length === 0) return undefined;
  const chatType = chatTypeOf(channel, text(message["channel_type"]));
  const root = text(message["thread_ts"]);
  const inThread = root !== undefined && root !== ts;
  const own = chatType === "channel" && how.replyInThread ? ts : undefined;
  const thread = inThread ? root : own;
  const addressed = mentions(said, me.user) || message["type"] === "app_mention" || message["parent_user_id"] === me.user;
  const name = textAt(message, "bot_profile", "name") ?? text(message["username"]);
  return {
    account: me.account,
    messageId: messageId(channel, ts),
    conversation: channel,
    chatType,
    thread: thread ?? null,
    sender: { id: user ?? bot ?? "", ...(name === undefined ? {} : { name }), isBot: bot !== undefined || user === "USLACKBOT" },
    text: withoutAddress(said, me.user),
    mentionsBot: chatType === "direct" || addressed || (inThread && how.takesPart(channel, root)),
    replyTo: inThread ? messageId(channel, root) : null,
    sentAt: msOf(ts),
    ...(attachments.length > 0 ? { attachments } : {}),
  };
}

function isOwn(message: Fields, me: Identity): boolean {
  return message["user"] === me.user || (me.bot !== undefined && message["bot_id"] === me.bot);
}

/** Bots often write in attachments and blocks only; their `fallback` is meant for those who cannot show them. */
function fallback(message: Fields): string {
  return list(message["attachments"]).map((one) => text(one["fallback"]) ?? text(one["text"]) ?? "").join("\n").trim();
}

function readChange(channel: string, event: Fields, me: Identity): Read {
  const message = fields(event["message"]);
  const before = fields(event["previous_message"]);
  const ts = text(message?.["ts"]);
  const user = text(message?.["user"]);
  if (message === undefined || ts === undefined || user === undefined || isOwn(message, me)) return NOTHING;
  // A preview of a link that was added, or a first answer in a thread, is a change to Slack and none to a reader.
  if (before !== undefined && before["text"] === message["text"]) return NOTHING;
  if (message["subtype"] === "tombstone") return { kind: "notice", channel, ts, thread: undefined, user, what: { kind: "deleted" }, at: atOf(event) };
  return { kind: "notice", channel, ts, thread: text(message["thread_ts"]), user, what: { kind: "edited", text: text(message["text"]) ?? "" }, at: atOf(event) };
}

function readDeletion(channel: string, event: Fields, me: Identity): Read {
  const before = fields(event["previous_message"]) ?? {};
  const ts = text(event["deleted_ts"]) ?? text(before["ts"]);
  const user = text(before["user"]);
  if (ts === undefined || user === undefined || isOwn(before, me)) return NOTHING;
  return { kind: "notice", channel, ts, thread: text(before["thread_ts"]), user, what: { kind: "deleted" }, at: atOf(event) };
}

function readReaction(event: Fields, me: Identity): Read {
  const item = fields(event["item"]);
  const channel = text(item?.["channel"]);
  const ts = text(item?.["ts"]);
  const user = text(event["user"]);
  const emoji = text(event["reaction"]);
  if (item?.["type"] !== "message" || channel === undefined || ts === undefined || user === undefined || emoji === undefined) return NOTHING;
  if (user === me.user) return NOTHING;
  const what = { kind: "reaction" as const, emoji, added: event["type"] === "reaction_added" };
  return { kind: "notice", channel, ts, thread: undefined, user, what, at: atOf(event) };
}

function atOf(event: Fields): number | undefined {
  const at = text(event["event_ts"]) ?? text(event["ts"]);
  return at === undefined ? undefined : msOf(at);
}

/** Kind of a conversation; without the event's word by the first letter of its id. A named channel is `channel`. */
export function chatTypeOf(channel: string, type?: string): ChatType {
  if (type === "im" || type === "app_home" || (type === undefined && channel.startsWith("D"))) return "direct";
  return type === "mpim" ? "group" : "channel";
}

function attachmentOf(file: Fields): DraftAttachment | undefined {
  const id = text(file["id"]);
  if (id === undefined || file["mode"] === "tombstone" || file["mode"] === "hidden_by_limit") return undefined;
  const mime = text(file["mimetype"]);
  const bytes = number(file["size"]);
  return {
    reference: id,
    kind: kindOf(mime, text(file["subtype"])),
    name: (text(file["name"]) ?? text(file["title"]) ?? id).slice(0, 120),
    ...(mime === undefined ? {} : { mime }),
    ...(bytes === undefined ? {} : { bytes }),
  };
}

export function kindOf(mime: string | undefined, subtype?: string): MediaKind {
  if (subtype === "slack_audio") return "voice";
  const kind = mime?.split("/")[0];
  return kind === "image" || kind === "audio" || kind === "video" ? kind : "file";
}

/** Words after the slash command that are orders of the host. */
const ORDERS = new Set(["approve", "deny", "stop", "new", "status"]);

/** A slash command as a draft: an order where it begins with the word of one, else a message to the agent. */
export function readCommand(payload: Fields, me: Identity): InboundDraft | undefined {
  const channel = text(payload["channel_id"]);
  const user = text(payload["user_id"]);
  const trigger = text(payload["trigger_id"]);
  if (channel === undefined || user === undefined || trigger === undefined || payload["team_id"] !== me.team) return undefined;
  const words = (text(payload["text"]) ?? "").trim();
  const first = words.split(/\s+/, 1)[0]?.toLowerCase() ?? "";
  const name = text(payload["user_name"]);
  return {
    account: me.account,
    messageId: `${channel}:command-${trigger}`.slice(0, 200),
    conversation: channel,
    chatType: chatTypeOf(channel, payload["channel_name"] === "directmessage" ? "im" : undefined),
    thread: null,
    sender: { id: user, ...(name === undefined ? {} : { name }), isBot: false },
    text: ORDERS.has(first) ? `/${words}` : words || "/status",
    mentionsBot: true,
  };
}

/** A press of one of the host's buttons. */
export function readPress(payload: Fields, me: Identity): ButtonPress | undefined {
  const channel = textAt(payload, "channel", "id") ?? textAt(payload, "container", "channel_id");
  const ts = textAt(payload, "message", "ts") ?? textAt(payload, "container", "message_ts");
  const user = textAt(payload, "user", "id");
  const action = list(payload["actions"]).find((one) => text(one["action_id"])?.startsWith("kata:") === true);
  const button = text(action?.["value"]);
  if (payload["type"] !== "block_actions" || channel === undefined || ts === undefined || user === undefined || button === undefined) return undefined;
  const name = textAt(payload, "user", "name") ?? textAt(payload, "user", "username");
  return {
    account: me.account,
    conversation: channel,
    chatType: chatTypeOf(channel, textAt(payload, "channel", "name") === "directmessage" ? "im" : undefined),
    thread: textAt(payload, "message", "thread_ts") ?? textAt(payload, "container", "thread_ts") ?? null,
    sender: { id: user, ...(name === undefined ? {} : { name }), isBot: false },
    messageId: messageId(channel, ts),
    button,
  };
}
