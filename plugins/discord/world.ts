/**
 * Names and places: which channel is a thread of which, what servers and roles are called. Filled by the gateway's events, looked
 * up over REST where an event has not told (after a resume nothing is told again), and bounded.
 */

import type { ChatType } from "@kata-agents/plugin-sdk";
import { ApiError, type Rest } from "./rest.ts";
import type { Channel, Guild, Role, User } from "./types.ts";

const MAX_CHANNELS = 10_000;
const MAX_GUILDS = 500;
const MAX_PEOPLE = 2_000;

/** Discord's numbers for kinds of channels. */
export const Kind = { text: 0, direct: 1, group: 3, announcement: 5, announcementThread: 10, publicThread: 11, privateThread: 12 } as const;

/** Where something was written, as the host knows places. */
export interface Place {
  conversation: string;
  thread: string | null;
  chatType: ChatType;
  name: string | null;
}

interface KnownGuild {
  name: string | null;
  roles: Map<string, string>;
  /** The bot's own role. */
  ownRole: string | undefined;
}

export class World {
  readonly #channels = new Map<string, Channel>();
  readonly #guilds = new Map<string, KnownGuild>();
  readonly #people = new Map<string, string>();

  /** A server with everything that is in it. */
  takeGuild(guild: Guild, me: string): void {
    const roles = new Map<string, string>();
    let ownRole: string | undefined;
    for (const role of guild.roles ?? []) {
      roles.set(role.id, role.name);
      if (role.tags?.bot_id === me) ownRole = role.id;
    }
    put(this.#guilds, guild.id, { name: guild.name ?? null, roles, ownRole }, MAX_GUILDS);
    for (const channel of [...(guild.channels ?? []), ...(guild.threads ?? [])]) this.takeChannel({ ...channel, guild_id: guild.id });
  }

  takeRole({ guild_id, role }: { guild_id: string; role: Role }): void {
    this.#guilds.get(guild_id)?.roles.set(role.id, role.name);
  }

  /** A channel as it is now. */
  takeChannel(channel: Channel): void {
    // Only what is read later: a server's channels carry much more.
    const { id, type, guild_id, name, parent_id } = channel;
    const kept: Channel = { id, type, name: name ?? null, parent_id: parent_id ?? null };
    if (guild_id !== undefined) kept.guild_id = guild_id;
    if (channel.recipients !== undefined) kept.recipients = channel.recipients.map(({ id: who, username, global_name }) => ({ id: who, username, global_name: global_name ?? null }));
    put(this.#channels, id, kept, MAX_CHANNELS);
  }

  dropChannel(id: string): void {
    this.#channels.delete(id);
  }

  /** What a person is called, for events that say only an id. */
  takePerson(id: string, name: string): void {
    put(this.#people, id, name, MAX_PEOPLE);
  }

  personName(id: string): string | null {
    return this.#people.get(id) ?? null;
  }

  channelName(id: string): string | undefined {
    return this.#channels.get(id)?.name ?? undefined;
  }

  roleName(guild: string | undefined, role: string): string | undefined {
    return guild === undefined ? undefined : this.#guilds.get(guild)?.roles.get(role);
  }

  /** The role that came with the bot when it joined; people mention it by mistake. */
  isOwnRole(guild: string | undefined, role: string): boolean {
    return guild !== undefined && this.#guilds.get(guild)?.ownRole === role;
  }

  /** Where a channel's messages belong. `direct` names who writes, where the channel is not known and no server is. */
  async placeOf(channel: string, guild: string | undefined, direct: User | undefined, rest: Rest, me: string): Promise<Place> {
    const found = this.#channels.get(channel) ?? (guild === undefined && direct !== undefined ? undefined : await this.#ask(channel, rest));
    if (found === undefined && guild === undefined) return { conversation: channel, thread: null, chatType: "direct", name: direct === undefined ? null : nameOf(direct) };
    const at = found?.guild_id ?? guild;
    if (at !== undefined && !this.#guilds.has(at)) await this.#askGuild(at, rest, me);
    return this.#place(channel, found, at);
  }

  #place(id: string, channel: Channel | undefined, guild: string | undefined): Place {
    const server = guild === undefined ? null : (this.#guilds.get(guild)?.name ?? null);
    const within = (name: string | null | undefined) => {
      const hash = name ? `#${name}` : null;
      return hash !== null && server !== null ? `${hash} (${server})` : (hash ?? server);
    };
    if (channel === undefined) return { conversation: id, thread: null, chatType: "channel", name: server };
    if (channel.type === Kind.direct) {
      const [other] = channel.recipients ?? [];
      return { conversation: id, thread: null, chatType: "direct", name: other === undefined ? null : nameOf(other) };
    }
    if (channel.type === Kind.group) return { conversation: id, thread: null, chatType: "group", name: channel.name ?? null };
    if (isThread(channel.type) && channel.parent_id) {
      const parent = this.#channels.get(channel.parent_id)?.name;
      const name = [parent ? `#${parent}` : undefined, channel.name ?? undefined].filter((part) => part !== undefined).join(" › ");
      return { conversation: channel.parent_id, thread: id, chatType: "channel", name: server === null ? name || null : `${name} (${server})` };
    }
    return { conversation: id, thread: null, chatType: "channel", name: within(channel.name) };
  }

  async #ask(id: string, rest: Rest): Promise<Channel | undefined> {
    try {
      const channel = await rest.get<Channel>(`/channels/${id}`, { timeoutMs: 10_000 });
      this.takeChannel(channel);
      if (isThread(channel.type) && channel.parent_id && !this.#channels.has(channel.parent_id)) await this.#ask(channel.parent_id, rest);
      return channel;
    } catch (error) {
      // What may not be seen stays without a name; what could not be asked is asked again with the next message.
      if (error instanceof ApiError && (error.status === 403 || error.status === 404)) return undefined;
      throw error;
    }
  }

  async #askGuild(id: string, rest: Rest, me: string): Promise<void> {
    try {
      this.takeGuild({ ...(await rest.get<Guild>(`/guilds/${id}`, { timeoutMs: 10_000 })), id }, me);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      put(this.#guilds, id, { name: null, roles: new Map(), ownRole: undefined }, MAX_GUILDS);
    }
  }
}

/** The name people see. */
export function nameOf(user: User, nick?: string | null): string {
  return nick || user.global_name || user.username;
}

export function isThread(type: number): boolean {
  return type === Kind.announcementThread || type === Kind.publicThread || type === Kind.privateThread;
}

function put<V>(map: Map<string, V>, key: string, value: V, most: number): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= most) return;
  const oldest = map.keys().next().value;
  if (oldest !== undefined) map.delete(oldest);
}
