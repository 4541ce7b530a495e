/** The part of Discord's objects this plugin reads. Fields it does not read are left out; unknown ones are ignored. */

/** A 64-bit id as decimal text; it holds the time it was made (`snowflake.ts`). */
export type Snowflake = string;

export interface User {
  id: Snowflake;
  username: string;
  global_name?: string | null;
  bot?: boolean;
}

export interface Member {
  nick?: string | null;
  user?: User;
}

export interface Role {
  id: Snowflake;
  name: string;
  tags?: { bot_id?: Snowflake };
}

/** A text channel, a thread, a category, a conversation between two: Discord has one object for all. */
export interface Channel {
  id: Snowflake;
  type: number;
  guild_id?: Snowflake;
  name?: string | null;
  parent_id?: Snowflake | null;
  last_message_id?: Snowflake | null;
  recipients?: User[];
}

export interface Guild {
  id: Snowflake;
  name?: string;
  unavailable?: boolean;
  channels?: Channel[];
  threads?: Channel[];
  roles?: Role[];
}

export interface Attachment {
  id: Snowflake;
  filename: string;
  content_type?: string;
  size?: number;
  url: string;
}

export interface Message {
  id: Snowflake;
  channel_id: Snowflake;
  guild_id?: Snowflake;
  type?: number;
  author?: User;
  member?: Member;
  content?: string;
  timestamp?: string;
  edited_timestamp?: string | null;
  webhook_id?: Snowflake;
  mentions?: (User & { member?: Member })[];
  mention_roles?: Snowflake[];
  attachments?: Attachment[];
  embeds?: unknown[];
  components?: unknown[];
  sticker_items?: { name: string }[];
  poll?: { question?: { text?: string } };
  flags?: number;
  message_reference?: { message_id?: Snowflake; type?: number };
  referenced_message?: Message | null;
  message_snapshots?: { message?: { content?: string } }[];
  reactions?: { me?: boolean; emoji: Emoji }[];
}

export interface Emoji {
  id?: Snowflake | null;
  name?: string | null;
}

export interface Reaction {
  user_id: Snowflake;
  channel_id: Snowflake;
  message_id: Snowflake;
  guild_id?: Snowflake;
  member?: Member;
  emoji: Emoji;
}

export interface Interaction {
  id: Snowflake;
  application_id: Snowflake;
  type: number;
  token: string;
  guild_id?: Snowflake;
  channel_id?: Snowflake;
  channel?: Channel;
  member?: Member;
  user?: User;
  message?: Message;
  data?: { name?: string; custom_id?: string; options?: { name: string; value?: unknown }[] };
}

/** `GET /applications/@me`. */
export interface Application {
  id: Snowflake;
  name?: string;
  flags?: number;
  bot_public?: boolean;
}

/** `GET /gateway/bot`. */
export interface GatewayInfo {
  url: string;
  session_start_limit?: { total?: number; remaining?: number; reset_after?: number; max_concurrency?: number };
}
