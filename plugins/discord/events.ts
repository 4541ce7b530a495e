/** What each event of the gateway leads to. Throws where it has to be tried again; `gateway.ts` decides how often. */

import type { ConnectContext, NoticeKind, Sender } from "@kata-agents/plugin-sdk";
import { missed } from "./catchup.ts";
import { draftOf, emojiText, isFromPerson, isHeldBack, type Me, readable, senderOf } from "./inbound.ts";
import type { Ledger } from "./ledger.ts";
import { ApiError, type Rest, text } from "./rest.ts";
import { after } from "./snowflake.ts";
import type { Channel, Guild, Message, Reaction, Role } from "./types.ts";
import { nameOf, type World } from "./world.ts";

/** Kinds of channel people write in: text, announcements, and threads of both (Discord, “Channel Types”). */
const WRITTEN_IN: ReadonlySet<number> = new Set([0, 5, 10, 11, 12]);

/** The host could not take something in; the same is handed in again. */
export class NotStored extends Error {}

/** Messages whose writer is remembered, so that a deletion can say whose it was. */
const MAX_RECENT = 1_000;

/** Everything events are dealt with by. */
export class Events {
  readonly #ctx: ConnectContext;
  readonly #rest: Rest;
  readonly #world: World;
  readonly #ledger: Ledger;
  readonly #recent = new Map<string, Sender>();
  readonly #noticed = new Map<string, true>();
  /** Channels whose history could not be read yet: their place stays where it is. */
  readonly behind = new Set<string>();
  /** Set when Discord held a text back. */
  contentMissing = false;
  me: Me;

  constructor(ctx: ConnectContext, rest: Rest, world: World, ledger: Ledger, me: Me) {
    this.#ctx = ctx;
    this.#rest = rest;
    this.#world = world;
    this.#ledger = ledger;
    this.me = me;
  }

  async handle(type: string, data: unknown): Promise<void> {
    if (typeof data !== "object" || data === null) return;
    switch (type) {
      case "GUILD_CREATE":
        return this.#guild(data as Guild);
      case "GUILD_ROLE_CREATE":
      case "GUILD_ROLE_UPDATE":
        return this.#world.takeRole(data as { guild_id: string; role: Role });
      case "CHANNEL_CREATE":
      case "CHANNEL_UPDATE":
      case "THREAD_CREATE":
      case "THREAD_UPDATE":
        return this.#world.takeChannel(data as Channel);
      case "THREAD_LIST_SYNC":
        for (const thread of (data as { threads?: Channel[] }).threads ?? []) this.#world.takeChannel(thread);
        return;
      case "CHANNEL_DELETE":
      case "THREAD_DELETE":
        this.#world.dropChannel((data as Channel).id);
        return this.#ledger.forget((data as Channel).id);
      case "MESSAGE_CREATE":
        return this.message(data as Message);
      case "MESSAGE_UPDATE":
        return this.#edited(data as Message);
      case "MESSAGE_DELETE": {
        const { id, channel_id, guild_id } = data as Message;
        return this.#deleted(id, channel_id, guild_id);
      }
      case "MESSAGE_DELETE_BULK": {
        const { ids, channel_id, guild_id } = data as { ids: string[]; channel_id: string; guild_id?: string };
        for (const id of ids) await this.#deleted(id, channel_id, guild_id);
        return;
      }
      case "MESSAGE_REACTION_ADD":
      case "MESSAGE_REACTION_REMOVE":
        return this.#reaction(data as Reaction, type === "MESSAGE_REACTION_ADD");
    }
  }

  /** A message, as it came or out of the history. */
  async message(message: Message, live = true): Promise<void> {
    for (const user of message.mentions ?? []) this.#world.takePerson(user.id, nameOf(user, user.member?.nick));
    const direct = message.guild_id === undefined && (live || this.#ledger.isDirect(message.channel_id));
    if (isFromPerson(message, this.me)) await this.#take(message, direct);
    if (message.author !== undefined) this.#remember(message.id, senderOf(message.author, message.member?.nick));
    if (!live || !this.behind.has(message.channel_id)) this.#ledger.saw(message.channel_id, message.id, direct);
  }

  async #take(message: Message, direct: boolean): Promise<void> {
    if (message.author !== undefined) this.#world.takePerson(message.author.id, nameOf(message.author, message.member?.nick));
    if (isHeldBack(message, this.me)) {
      this.contentMissing = true;
      return;
    }
    if (message.guild_id !== undefined && message.content && !(message.mentions ?? []).some((user) => user.id === this.me.id)) this.contentMissing = false;
    const place = await this.#world.placeOf(message.channel_id, message.guild_id, direct ? message.author : undefined, this.#rest, this.me.id);
    const draft = draftOf(message, place, this.#world, this.me);
    if (draft === undefined) return;
    try {
      await this.#ctx.receive(draft);
    } catch (error) {
      throw new NotStored(text(error));
    }
  }

  /** Reads what was missed in conversations between two: no event tells of them. */
  async directs(): Promise<void> {
    for (const channel of this.#ledger.directs()) await this.#catchUp(channel);
  }

  /** Tries again where the history could not be read. */
  async again(): Promise<void> {
    for (const channel of [...this.behind]) await this.#catchUp(channel);
  }

  async #guild(guild: Guild): Promise<void> {
    if (guild.unavailable === true) return;
    this.#world.takeGuild(guild, this.me.id);
    for (const channel of [...(guild.channels ?? []), ...(guild.threads ?? [])]) {
      const last = this.#ledger.last(channel.id);
      const newest = channel.last_message_id;
      if (last === undefined) {
        // A channel in which nothing was written yet is as old as its own id.
        if (WRITTEN_IN.has(channel.type ?? 0)) this.#ledger.begin(channel.id, typeof newest === "string" ? newest : channel.id);
      } else if (typeof newest !== "string" || after(newest, last)) await this.#catchUp(channel.id, guild.id);
    }
  }

  async #catchUp(channel: string, guild?: string): Promise<void> {
    const last = this.#ledger.last(channel);
    if (last === undefined || this.#ctx.signal.aborted) return;
    let found: Message[];
    try {
      found = await missed(this.#rest, channel, last, this.#ctx.signal);
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) throw error;
      this.behind.add(channel);
      this.#ctx.logger.warn(`the history of a channel could not be read, it is tried again: ${text(error)}`);
      return;
    }
    // Messages of the history do not say which server they are of.
    for (const message of found) await this.message(guild === undefined ? message : { ...message, guild_id: guild }, false);
    this.behind.delete(channel);
  }

  async #edited(message: Message): Promise<void> {
    // An embed that Discord adds later is an update without a time of editing.
    if (!message.edited_timestamp || message.content === undefined || !isFromPerson(message, this.me)) return;
    if (message.author === undefined) return;
    const words = readable(message.content, message, this.#world, this.me);
    const writer = senderOf(message.author, message.member?.nick);
    await this.#once(`e${message.id}${message.edited_timestamp}`, () =>
      this.#notice(message.id, message.channel_id, message.guild_id, writer, { kind: "edited", text: words }),
    );
  }

  async #deleted(id: string, channel: string, guild: string | undefined): Promise<void> {
    const sender = this.#recent.get(id);
    // Whose it was is not said; of those nobody remembers, nothing can be told.
    if (sender === undefined || sender.isBot === true) return;
    await this.#once(`d${id}`, () => this.#notice(id, channel, guild, sender, { kind: "deleted" }));
  }

  async #reaction(reaction: Reaction, added: boolean): Promise<void> {
    if (reaction.user_id === this.me.id || reaction.member?.user?.bot === true) return;
    const user = reaction.member?.user;
    const name = user === undefined ? this.#world.personName(reaction.user_id) : nameOf(user, reaction.member?.nick);
    if (name !== null) this.#world.takePerson(reaction.user_id, name);
    const sender: Sender = { id: reaction.user_id, name, isBot: false };
    await this.#notice(reaction.message_id, reaction.channel_id, reaction.guild_id, sender, { kind: "reaction", emoji: emojiText(reaction.emoji), added });
  }

  async #notice(messageId: string, channel: string, guild: string | undefined, sender: Sender, what: NoticeKind): Promise<void> {
    const direct = guild === undefined ? { id: sender.id, username: sender.name ?? sender.id } : undefined;
    const { conversation, thread, chatType } = await this.#world.placeOf(channel, guild, direct, this.#rest, this.me.id);
    try {
      await this.#ctx.notice({ account: this.me.id, conversation, chatType, thread, sender, messageId, what, at: Date.now() });
    } catch (error) {
      throw new NotStored(text(error));
    }
  }

  #remember(id: string, sender: Sender): void {
    this.#recent.set(id, sender);
    trim(this.#recent);
  }

  /** The same edit or deletion may come twice; the host hears of it once. */
  async #once(key: string, tell: () => Promise<void>): Promise<void> {
    if (this.#noticed.has(key)) return;
    await tell();
    this.#noticed.set(key, true);
    trim(this.#noticed);
  }
}

function trim(map: Map<string, unknown>): void {
  if (map.size <= MAX_RECENT) return;
  const oldest = map.keys().next().value;
  if (oldest !== undefined) map.delete(oldest);
}
