/**
 * From Telegram's updates to what the host takes in: messages and albums, changes, reactions, presses. Pure; what the ids look
 * like is known here and in `route.ts` only.
 */

import type { ButtonPress, ChannelNotice, ConversationId, DraftAttachment, InboundDraft, Sender } from "@kata-agents/plugin-sdk";
import { chatType, nameOfChat } from "./chats.ts";
import { messageId } from "./route.ts";
import type { CallbackQuery, Chat, Message, MessageEntity, MessageReaction, ReactionType, TelegramFile, User } from "./types.ts";

/** Files of one draft. */
const MAX_FILES = 10;

/**
 * What a message says to the bot, `album` being the further messages of the same album; `undefined` for what is no message:
 * joins, pins, polls closing. `conversation` is the one the chat belongs to.
 */
export function draftOf(message: Message, me: User, conversation: ConversationId, album: readonly Message[] = []): InboundDraft | undefined {
  const all = [message, ...album];
  const attachments = all.flatMap(attachmentsOf).slice(0, MAX_FILES);
  const text = all.map((one) => textOf(one, me)).filter((one) => one !== "").join("\n");
  if (text === "" && attachments.length === 0) return undefined;
  const answered = repliedTo(message);
  const thread = threadOf(message);
  return {
    account: String(me.id),
    messageId: messageId(message.chat.id, message.message_id),
    conversation,
    conversationName: nameOfChat(message.chat),
    chatType: chatType(message.chat),
    thread: thread === undefined ? null : String(thread),
    sender: senderOf(message, me),
    text,
    replyTo: answered === undefined ? null : messageId(message.chat.id, answered.message_id),
    mentionsBot: message.chat.type === "private" || answered?.from?.id === me.id || all.some((one) => addresses(one, me)),
    sentAt: message.date * 1000,
    attachments,
  };
}

/** What a changed message says now; `undefined` where no word of it is left, or for the bot's own. */
export function editOf(message: Message, me: User, conversation: ConversationId): ChannelNotice | undefined {
  const text = textOf(message, me);
  if (text === "" || message.from?.id === me.id) return undefined;
  const thread = threadOf(message);
  return {
    account: String(me.id),
    conversation,
    chatType: chatType(message.chat),
    thread: thread === undefined ? null : String(thread),
    sender: senderOf(message, me),
    messageId: messageId(message.chat.id, message.message_id),
    what: { kind: "edited", text },
    at: (message.edit_date ?? message.date) * 1000,
  };
}

/** What somebody's reactions were and are. Telegram does not say in which topic the message is. */
export function reactionsOf(reaction: MessageReaction, me: User, conversation: ConversationId): ChannelNotice[] {
  if (reaction.user?.id === me.id) return [];
  const { user, actor_chat: actor } = reaction;
  const sender = user !== undefined ? personOf(user) : actor !== undefined ? chatAsSender(actor) : undefined;
  if (sender === undefined) return [];
  const [before, after] = [reaction.old_reaction.map(emojiOf), reaction.new_reaction.map(emojiOf)];
  const notice = (emoji: string, added: boolean): ChannelNotice => ({
    account: String(me.id),
    conversation,
    chatType: chatType(reaction.chat),
    sender,
    messageId: messageId(reaction.chat.id, reaction.message_id),
    what: { kind: "reaction", emoji, added },
    at: reaction.date * 1000,
  });
  return [
    ...before.filter((emoji) => !after.includes(emoji)).map((emoji) => notice(emoji, false)),
    ...after.filter((emoji) => !before.includes(emoji)).map((emoji) => notice(emoji, true)),
  ];
}

/** A press of one of the host's buttons. */
export function pressOf(query: CallbackQuery, me: User, conversation: ConversationId): ButtonPress | undefined {
  const { message, data } = query;
  if (message === undefined || data === undefined || !/^[a-zA-Z0-9:-]{1,48}$/.test(data)) return undefined;
  const thread = threadOf(message);
  return {
    account: String(me.id),
    conversation,
    chatType: chatType(message.chat),
    thread: thread === undefined ? null : String(thread),
    sender: personOf(query.from),
    messageId: messageId(message.chat.id, message.message_id),
    button: data,
  };
}

function emojiOf(reaction: ReactionType): string {
  if (reaction.type === "emoji") return reaction.emoji;
  return reaction.type === "paid" ? "⭐" : `custom:${reaction.custom_emoji_id}`;
}

/** Text or caption, without the bot's name behind an order; what is no text and no file is told in brackets. */
function textOf(message: Message, me: User): string {
  const words = withoutMyName(message, me);
  const thing = thingOf(message);
  if (thing === undefined) return words;
  return words === "" ? `[${thing}]` : `[${thing}]\n${words}`;
}

/** `/stop@kata_bot` is `/stop`. */
function withoutMyName(message: Message, me: User): string {
  const words = message.text ?? message.caption ?? "";
  const [entity] = message.entities ?? message.caption_entities ?? [];
  if (entity?.type !== "bot_command" || entity.offset !== 0 || me.username === undefined) return words;
  const order = words.slice(0, entity.length);
  const at = order.indexOf("@");
  return at > 0 && order.slice(at + 1).toLowerCase() === me.username.toLowerCase() ? order.slice(0, at) + words.slice(entity.length) : words;
}

function thingOf(message: Message): string | undefined {
  if (message.sticker !== undefined) return message.sticker.emoji ? `sticker ${message.sticker.emoji}` : "sticker";
  if (message.venue !== undefined) return `place ${message.venue.title}, ${message.venue.address}`;
  if (message.location !== undefined) return `location ${message.location.latitude}, ${message.location.longitude}`;
  if (message.contact !== undefined) return `contact ${[message.contact.first_name, message.contact.last_name].filter((part) => part).join(" ")} ${message.contact.phone_number}`;
  if (message.poll !== undefined) return `poll ${message.poll.question}: ${(message.poll.options ?? []).map((option) => option.text).join(" / ")}`;
  return undefined;
}

/** A message has one file at most. A picture has several sizes, of which the last is the largest. */
function attachmentsOf(message: Message): DraftAttachment[] {
  const picture = message.photo?.at(-1);
  if (picture !== undefined) return [attachment(picture, "image", `photo-${picture.file_unique_id}.jpg`, "image/jpeg")];
  // An animation has a `document` too, for older programs.
  if (message.animation !== undefined) return [attachment(message.animation, "video", `animation-${message.animation.file_unique_id}.mp4`)];
  if (message.video !== undefined) return [attachment(message.video, "video", `video-${message.video.file_unique_id}.mp4`)];
  if (message.video_note !== undefined) return [attachment(message.video_note, "video", `note-${message.video_note.file_unique_id}.mp4`, "video/mp4")];
  if (message.voice !== undefined) return [attachment(message.voice, "voice", `voice-${message.voice.file_unique_id}.ogg`, "audio/ogg")];
  if (message.audio !== undefined) return [attachment(message.audio, "audio", `${message.audio.title ?? `audio-${message.audio.file_unique_id}`}.mp3`)];
  if (message.document !== undefined) return [attachment(message.document, message.document.mime_type?.startsWith("image/") ? "image" : "file", `file-${message.document.file_unique_id}`)];
  return [];
}

function attachment(file: TelegramFile, kind: DraftAttachment["kind"] & string, name: string, mime?: string): DraftAttachment {
  return {
    reference: file.file_id,
    kind,
    name: file.file_name ?? name,
    mime: file.mime_type ?? mime ?? null,
    bytes: file.file_size ?? null,
  };
}

/**
 * The topic. `message_thread_id` alone is not one: in a supergroup without topics it names a chain of replies, and a
 * session per chain of replies would tear a conversation apart.
 */
function threadOf(message: Message): number | undefined {
  const isTopic = message.is_topic_message === true || message.chat.is_forum === true || message.chat.type === "private";
  return isTopic ? message.message_thread_id : undefined;
}

/** The message that is answered. In a topic every message carries the one that opened the topic; that is no reply. */
function repliedTo(message: Message): Message | undefined {
  const answered = message.reply_to_message;
  if (answered === undefined || answered.forum_topic_created !== undefined) return undefined;
  return threadOf(message) === answered.message_id ? undefined : answered;
}

/** Who wrote. An anonymous administrator and a channel write as their chat; `from` is then a bot that stands in. */
function senderOf(message: Message, me: User): Sender {
  if (message.sender_chat !== undefined) return chatAsSender(message.sender_chat);
  if (message.from === undefined) return chatAsSender(message.chat);
  const person = personOf(message.from);
  return message.from.id === me.id ? { ...person, isBot: true } : person;
}

function chatAsSender(chat: Chat): Sender {
  return { id: String(chat.id), name: nameOfChat(chat), isBot: false };
}

function personOf(user: User): Sender {
  const name = [user.first_name, user.last_name].filter((part) => part).join(" ");
  return { id: String(user.id), name: name || user.username || null, isBot: user.is_bot };
}

/** Whether an entity names the bot: a mention, or a command that is not another bot's. */
function addresses(message: Message, me: User): boolean {
  const words = message.text ?? message.caption ?? "";
  const handle = me.username === undefined ? undefined : `@${me.username.toLowerCase()}`;
  return (message.entities ?? message.caption_entities ?? []).some((entity) => names(entity, words, handle, me.id));
}

function names(entity: MessageEntity, words: string, handle: string | undefined, myId: number): boolean {
  const part = words.slice(entity.offset, entity.offset + entity.length).toLowerCase();
  switch (entity.type) {
    case "mention":
      return part === handle;
    case "text_mention":
      return entity.user?.id === myId;
    case "bot_command": {
      const at = part.indexOf("@");
      return at < 0 || part.slice(at) === handle;
    }
    default:
      return false;
  }
}
