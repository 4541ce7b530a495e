/** The part of the Bot API's objects this plugin reads. Fields it does not read are left out; unknown ones are ignored. */

export interface User {
  id: number;
  is_bot: boolean;
  first_name: string;
  last_name?: string;
  username?: string;
  /** Only of the bot itself: privacy mode is off. */
  can_read_all_group_messages?: boolean;
  can_join_groups?: boolean;
}

export interface Chat {
  id: number;
  type: "private" | "group" | "supergroup" | "channel";
  title?: string;
  username?: string;
  first_name?: string;
  last_name?: string;
  is_forum?: boolean;
}

/** Part of a text with a meaning. `offset` and `length` count UTF-16 code units, as JavaScript strings do. */
export interface MessageEntity {
  type: string;
  offset: number;
  length: number;
  url?: string;
  user?: User;
}

/** What all files have. */
export interface TelegramFile {
  file_id: string;
  file_unique_id: string;
  file_size?: number;
  file_name?: string;
  mime_type?: string;
}

export interface Message {
  message_id: number;
  /** Seconds since the epoch. */
  date: number;
  edit_date?: number;
  chat: Chat;
  from?: User;
  /** The channel, or the group an anonymous administrator writes for; then `from` is a stand-in. */
  sender_chat?: Chat;
  message_thread_id?: number;
  is_topic_message?: boolean;
  reply_to_message?: Message;
  forum_topic_created?: unknown;
  /** The same for all messages of an album. */
  media_group_id?: string;
  /** The group has become a supergroup with this id. */
  migrate_to_chat_id?: number;
  text?: string;
  entities?: MessageEntity[];
  caption?: string;
  caption_entities?: MessageEntity[];
  /** Sizes of one picture, the largest last. */
  photo?: TelegramFile[];
  video?: TelegramFile;
  video_note?: TelegramFile;
  animation?: TelegramFile;
  audio?: TelegramFile & { title?: string; performer?: string };
  voice?: TelegramFile;
  document?: TelegramFile;
  sticker?: { emoji?: string };
  location?: { latitude: number; longitude: number };
  venue?: { title: string; address: string };
  contact?: { first_name: string; last_name?: string; phone_number: string };
  poll?: { question: string; options?: { text: string }[] };
}

export type ReactionType = { type: "emoji"; emoji: string } | { type: "custom_emoji"; custom_emoji_id: string } | { type: "paid" };

export interface MessageReaction {
  chat: Chat;
  message_id: number;
  user?: User;
  actor_chat?: Chat;
  date: number;
  old_reaction: ReactionType[];
  new_reaction: ReactionType[];
}

export interface CallbackQuery {
  id: string;
  from: User;
  /** Absent where the message came from another bot's inline mode. */
  message?: Message;
  data?: string;
}

export interface ChatMemberUpdated {
  chat: Chat;
  new_chat_member: { status: string };
}

export interface Update {
  update_id: number;
  message?: Message;
  edited_message?: Message;
  channel_post?: Message;
  edited_channel_post?: Message;
  callback_query?: CallbackQuery;
  message_reaction?: MessageReaction;
  my_chat_member?: ChatMemberUpdated;
}

/** Everything this plugin reads; reactions and memberships are given only to who asks. */
export const ALLOWED_UPDATES = [
  "message",
  "edited_message",
  "channel_post",
  "edited_channel_post",
  "callback_query",
  "message_reaction",
  "my_chat_member",
] as const;
