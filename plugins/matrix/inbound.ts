/** From an event of a room to what the host takes in: a draft, or a notice. Pure. */

import type { ChannelNotice, ChatType, InboundDraft, NoticeKind, Sender } from "@kata-agents/plugin-sdk";
import { addresses, attachmentsOf, clip, type NameOf, speaks, textOf } from "./content.ts";
import { relationOf, type RoomEvent } from "./events.ts";
import { fields, type Fields, text } from "./json.ts";
import type { Trace } from "./seen.ts";

/** What an event is read against. */
export interface View {
  me: string;
  room: string;
  chatType: ChatType;
  title: string | null;
  nameOf: NameOf;
  /** Who wrote the message this one refers to, and what it was; nothing where that is not to be had. */
  referred: Trace | undefined;
}

/** What becomes of an event. */
export type Taken =
  | { kind: "draft"; draft: InboundDraft }
  | { kind: "notice"; notice: ChannelNotice }
  /** Somebody wrote what this version cannot read. */
  | { kind: "encrypted" }
  | { kind: "nothing" };

const NOTHING: Taken = { kind: "nothing" };
/** Longest reaction that is passed on; Element's own are one emoji. */
const MAX_REACTION = 64;

/** The event that must be known before this one can be read. */
export function refersTo(event: RoomEvent): string | undefined {
  if (event.type === "m.room.redaction") return event.redacts;
  const { replaces, replyTo } = relationOf(event.content);
  return replaces ?? replyTo;
}

/** Reads an event of somebody else. */
export function take(event: RoomEvent, view: View): Taken {
  if (event.sender === view.me) return NOTHING;
  if (event.type === "m.room.encrypted") return event.redacted ? NOTHING : { kind: "encrypted" };
  if (event.type === "m.reaction") {
    const { reaction } = relationOf(event.content);
    return reaction === undefined ? NOTHING : notice(event, view, reaction.target, reacted(reaction.key, true));
  }
  if (event.type === "m.room.redaction") return redaction(event, view);
  // Notices are what bots write; answering them is how two bots talk for ever.
  if (!speaks(event) || event.content["msgtype"] === "m.notice") return NOTHING;
  const { replaces } = relationOf(event.content);
  return replaces === undefined ? draft(event, view) : edited(event, view, replaces);
}

function draft(event: RoomEvent, view: View): Taken {
  const { replyTo, thread } = relationOf(event.content);
  const words = textOf(event, view.nameOf, replyTo !== undefined);
  const attachments = attachmentsOf(event);
  if (words === "" && attachments.length === 0) return NOTHING;
  const answersMe = replyTo !== undefined && view.referred?.sender === view.me;
  return {
    kind: "draft",
    draft: {
      account: view.me,
      messageId: event.id,
      conversation: view.room,
      conversationName: view.title,
      chatType: view.chatType,
      thread: thread ?? null,
      sender: senderOf(event, view),
      text: words,
      replyTo: replyTo ?? null,
      mentionsBot: view.chatType === "direct" || answersMe || addresses(event.content, { id: view.me, name: view.nameOf(view.me) }, replyTo !== undefined),
      sentAt: event.at > 0 ? event.at : null,
      attachments,
    },
  };
}

/** Only who wrote a message may change it; servers pass on what others try. */
function edited(event: RoomEvent, view: View, target: string): Taken {
  if (view.referred?.sender !== event.sender) return NOTHING;
  const content: Fields = fields(event.content["m.new_content"]);
  if (content["msgtype"] === "m.notice") return NOTHING;
  const words = textOf({ ...event, content }, view.nameOf, false);
  return words === "" ? NOTHING : notice(event, view, target, { kind: "edited", text: words });
}

function redaction(event: RoomEvent, view: View): Taken {
  const target = event.redacts;
  if (target === undefined) return NOTHING;
  const { referred } = view;
  if (referred?.reaction !== undefined) return notice(event, view, referred.reaction.target, reacted(referred.reaction.key, false));
  // An edit that is taken back leaves the message before it; what that said is not worth a request.
  if (referred?.replaces !== undefined) return NOTHING;
  return notice(event, view, target, { kind: "deleted" });
}

function reacted(key: string, added: boolean): NoticeKind {
  return { kind: "reaction", emoji: clip(key, MAX_REACTION), added };
}

function notice(event: RoomEvent, view: View, messageId: string, what: NoticeKind): Taken {
  const { thread } = relationOf(event.content);
  const at = event.at > 0 ? event.at : null;
  const sender = senderOf(event, view);
  return { kind: "notice", notice: { account: view.me, conversation: view.room, chatType: view.chatType, thread: thread ?? null, sender, messageId, what, at } };
}

function senderOf(event: RoomEvent, view: View): Sender {
  return { id: event.sender, name: text(view.nameOf(event.sender)) ?? null, isBot: false };
}
