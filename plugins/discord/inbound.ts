/** From Discord's message to the draft the host takes in. Pure; names come from `World`. */

import type { DraftAttachment, InboundDraft, MediaKind, Sender } from "@kata-agents/plugin-sdk";
import type { Attachment, Emoji, Message, User } from "./types.ts";
import { nameOf, type Place, type World } from "./world.ts";

/** Messages people write: an ordinary one, a reply. Joins, pins, boosts and the answers of other bots are none. */
const WRITTEN = new Set([0, 19]);
const VOICE_MESSAGE = 1 << 13;
const FORWARD = 1;
/** As many files as a draft may have. */
const MAX_FILES = 10;

/** Who reads. */
export interface Me {
  id: string;
  name: string;
}

/** Whether a person wrote it: bots, webhooks and our own echo are none. */
export function isFromPerson(message: Message, me: Me): boolean {
  const { author } = message;
  return author !== undefined && author.bot !== true && author.id !== me.id && message.webhook_id === undefined && WRITTEN.has(message.type ?? 0);
}

/**
 * Whether Discord held the text back: without the Message Content Intent every field that could hold something is empty, except in
 * direct messages and where the bot is mentioned.
 */
export function isHeldBack(message: Message, me: Me): boolean {
  const empty = !message.content && !message.attachments?.length && !message.embeds?.length && !message.components?.length;
  const other = message.sticker_items?.length || message.poll !== undefined || message.message_snapshots?.length;
  return empty && !other && message.guild_id !== undefined && !(message.mentions ?? []).some((user) => user.id === me.id);
}

/** What a message says to the bot, or `undefined` for one that says nothing. */
export function draftOf(message: Message, place: Place, world: World, me: Me): InboundDraft | undefined {
  const author = message.author;
  if (author === undefined) return undefined;
  const attachments = (message.attachments ?? []).slice(0, MAX_FILES).map((file) => attachmentOf(file, message));
  const text = textOf(message, world, me);
  if (text === "" && attachments.length === 0) return undefined;
  const answered = message.type === 19 ? message.message_reference?.message_id : undefined;
  return {
    account: me.id,
    messageId: message.id,
    conversation: place.conversation,
    conversationName: place.name,
    chatType: place.chatType,
    thread: place.thread,
    sender: senderOf(author, message.member?.nick),
    text,
    replyTo: answered ?? null,
    mentionsBot: addresses(message, place, world, me),
    sentAt: message.timestamp === undefined ? null : Date.parse(message.timestamp) || null,
    ...(attachments.length > 0 ? { attachments } : {}),
  };
}

export function senderOf(user: User, nick?: string | null): Sender {
  return { id: user.id, name: nameOf(user, nick), isBot: user.bot === true };
}

function addresses(message: Message, place: Place, world: World, me: Me): boolean {
  if (place.chatType === "direct") return true;
  if ((message.mentions ?? []).some((user) => user.id === me.id)) return true;
  if (message.referenced_message?.author?.id === me.id) return true;
  return (message.mention_roles ?? []).some((role) => world.isOwnRole(message.guild_id, role));
}

/** The words, with what is a name shown as a name; what is no text is named, so that the agent knows that there is one. */
export function textOf(message: Message, world: World, me: Me): string {
  const parts = [readable(message.content ?? "", message, world, me)];
  for (const sticker of message.sticker_items ?? []) parts.push(`[sticker ${sticker.name}]`);
  const question = message.poll?.question?.text;
  if (message.poll !== undefined) parts.push(question ? `[poll: ${question}]` : "[poll]");
  if (message.message_reference?.type === FORWARD) {
    for (const { message: original } of message.message_snapshots ?? []) {
      if (original?.content) parts.push(`[forwarded] ${readable(original.content, message, world, me)}`);
    }
  }
  return parts.filter((part) => part !== "").join("\n");
}

/** Discord writes ids where people see names; a mention of the bot at the beginning says only who is meant. */
export function readable(content: string, message: Pick<Message, "mentions" | "guild_id">, world: World, me: Me): string {
  const names = new Map((message.mentions ?? []).map((user) => [user.id, nameOf(user, user.member?.nick)]));
  const own = new RegExp(`^\\s*<@!?${me.id}>[ \\t]*`);
  return content
    .replace(own, "")
    .replace(/<(@!?|@&|#)(\d{1,20})>/g, (whole, sign: string, id: string) => {
      if (sign === "#") return `#${world.channelName(id) ?? id}`;
      if (sign === "@&") return `@${world.roleName(message.guild_id, id) ?? id}`;
      const name = id === me.id ? me.name : (names.get(id) ?? world.personName(id));
      return name ? `@${name}` : whole;
    })
    .replace(/<a?:(\w{1,32}):\d{1,20}>/g, ":$1:")
    .replace(/<\/([^:<>]{1,100}):\d{1,20}>/g, "/$1")
    .replace(/<t:(-?\d{1,13})(?::[a-zA-Z])?>/g, (whole, seconds: string) => {
      const time = new Date(Number(seconds) * 1_000);
      return Number.isNaN(time.getTime()) ? whole : time.toISOString();
    });
}

/** How an attachment is found again: Discord's addresses expire, so the message is asked for a fresh one. */
function attachmentOf(file: Attachment, message: Message): DraftAttachment {
  const mime = file.content_type ?? null;
  return {
    reference: `${message.channel_id}/${message.id}/${file.id}`,
    kind: kindOf(mime, message.flags ?? 0),
    name: file.filename.slice(0, 200) || "file",
    mime,
    bytes: file.size ?? null,
  };
}

function kindOf(mime: string | null, flags: number): MediaKind {
  if ((flags & VOICE_MESSAGE) !== 0) return "voice";
  const [kind] = (mime ?? "").split("/");
  return kind === "image" || kind === "audio" || kind === "video" ? kind : "file";
}

/** An emoji as text: itself, or the name of a server's own. */
export function emojiText(emoji: Emoji): string {
  if (emoji.id) return `:${emoji.name ?? emoji.id}:`;
  return emoji.name ?? "?";
}
