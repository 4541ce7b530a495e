/** The part of the Bot API's objects this plugin reads. Fields it does not read are left out; unknown ones are ignored. */

export interface User {
  id: number;
  is_bot: boolean;
  first_name: string;
  last_name?: string;
  username?: string;
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

export interface Message {
  message_id: number;
  /** Seconds since the epoch. */
  date: number;
  chat: Chat;
  from?: User;
  /** The channel, or the group an anonymous administrator writes for; then `from` is a stand-in. */
  sender_chat?: Chat;
  message_thread_id?: number;
  is_topic_message?: boolean;
  reply_to_message?: Message;
  forum_topic_created?: unknown;
  text?: string;
  entities?: MessageEntity[];
  caption?: string;
  caption_entities?: MessageEntity[];
  photo?: unknown;
  video?: unknown;
  video_note?: unknown;
  animation?: unknown;
  audio?: unknown;
  voice?: unknown;
  document?: { file_name?: string };
  sticker?: { emoji?: string };
  location?: unknown;
  contact?: unknown;
  poll?: unknown;
}

export interface Update {
  update_id: number;
  message?: Message;
  channel_post?: Message;
}
