/** From Telegram's message to the draft the host takes in. Pure; what the ids look like is known here and in `route.ts` only. */

import type { ChatType, InboundDraft, Sender } from "@kata-agents/plugin-sdk";
import { messageId } from "./route.ts";
import type { Chat, Message, MessageEntity, Update, User } from "./types.ts";

/** What an update says to the bot, or `undefined` for what is no message: edits, joins, pins, polls closing. */
export function draftOf(update: Update, me: User): InboundDraft | undefined {
  const message = update.message ?? update.channel_post;
  if (message === undefined) return undefined;
  const text = textOf(message);
  if (text === "") return undefined;
  const answered = repliedTo(message);
  const thread = threadOf(message);
  return {
    account: String(me.id),
    messageId: messageId(message.chat.id, message.message_id),
    conversation: String(message.chat.id),
    conversationName: nameOfChat(message.chat),
    chatType: chatType(message.chat),
    thread: thread === undefined ? null : String(thread),
    sender: senderOf(message, me),
    text,
    replyTo: answered === undefined ? null : messageId(message.chat.id, answered.message_id),
    mentionsBot: message.chat.type === "private" || answered?.from?.id === me.id || addresses(message, me),
    sentAt: message.date * 1000,
  };
}

/** Text or caption; an attachment the bot cannot read is named, so that the agent knows that there is one. */
function textOf(message: Message): string {
  const words = message.text ?? message.caption ?? "";
  const attachment = attachmentOf(message);
  if (attachment === undefined) return words;
  return words === "" ? `[${attachment}]` : `[${attachment}]\n${words}`;
}

function attachmentOf(message: Message): string | undefined {
  if (message.photo !== undefined) return "photo";
  if (message.animation !== undefined) return "animation";
  if (message.video !== undefined) return "video";
  if (message.video_note !== undefined) return "video note";
  if (message.voice !== undefined) return "voice message";
  if (message.audio !== undefined) return "audio";
  if (message.document !== undefined) return message.document.file_name ? `file ${message.document.file_name}` : "file";
  if (message.sticker !== undefined) return message.sticker.emoji ? `sticker ${message.sticker.emoji}` : "sticker";
  if (message.location !== undefined) return "location";
  if (message.contact !== undefined) return "contact";
  if (message.poll !== undefined) return "poll";
  return undefined;
}

function chatType(chat: Chat): ChatType {
  if (chat.type === "private") return "direct";
  return chat.type === "channel" ? "channel" : "group";
}

function nameOfChat(chat: Chat): string | null {
  const name = chat.title ?? [chat.first_name, chat.last_name].filter((part) => part).join(" ");
  return name || chat.username || null;
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
  const chat = message.sender_chat;
  if (chat !== undefined) return { id: String(chat.id), name: nameOfChat(chat), isBot: false };
  const from = message.from;
  if (from === undefined) return { id: String(message.chat.id), name: nameOfChat(message.chat), isBot: false };
  const name = [from.first_name, from.last_name].filter((part) => part).join(" ");
  return { id: String(from.id), name: name || from.username || null, isBot: from.is_bot || from.id === me.id };
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
