/**
 * What is known of each room: name, people, whether it is a direct chat, whether it is encrypted. The first sync tells it all,
 * later ones only what changed, so it is kept in the plugin's state, one key a room, and written before the cursor. Names of
 * members come with each sync (`include_redundant_members`) and are kept in memory only, a bounded number of them.
 */

import type { ChatType, State } from "@kata-agents/plugin-sdk";
import { type Api, MatrixError, part } from "./api.ts";
import { clip } from "./content.ts";
import { eventsOf, type RoomEvent } from "./events.ts";
import { type Fields, fields, number, text, texts } from "./json.ts";

/** One room. */
export interface Facts {
  name: string | undefined;
  alias: string | undefined;
  /** Who the room is named after where it has no name. */
  heroes: readonly string[];
  /** People in it or invited. */
  members: number | undefined;
  /** Whoever invited the bot meant a direct chat. */
  direct: boolean;
  encrypted: boolean;
}

const NONE: Facts = { name: undefined, alias: undefined, heroes: [], members: undefined, direct: false, encrypted: false };
const MAX_NAMES = 5_000;
const MAX_ROOMS = 1_000;

export class Rooms {
  readonly #state: State;
  /** The account's id. */
  readonly me: string;
  readonly #facts = new Map<string, Facts>();
  readonly #changed = new Set<string>();
  readonly #names = new Map<string, string | undefined>();
  #directs: Promise<Set<string>> | undefined;

  constructor(state: State, me: string) {
    this.#state = state;
    this.me = me;
  }

  /** What is known; asks the server where nothing is. */
  async facts(room: string, api: Api, signal: AbortSignal): Promise<Facts> {
    const known = await this.#known(room);
    if (known !== undefined) return known;
    const found = await look(api, room, this.me, signal);
    this.#put(room, found);
    return found;
  }

  /** Takes what one sync says of a joined room. */
  async take(room: string, join: Fields): Promise<void> {
    const summary = fields(join["summary"]);
    const before = await this.#known(room);
    const events = [...eventsOf(fields(join["state"])["events"]), ...eventsOf(fields(join["timeline"])["events"]).filter((event) => event.stateKey !== undefined)];
    // A room of which nothing is known and which says nothing of itself is looked up when it speaks.
    if (before === undefined && events.length === 0 && Object.keys(summary).length === 0) return;
    const counted = [number(summary["m.joined_member_count"]), number(summary["m.invited_member_count"])];
    let next: Facts = before ?? NONE;
    if (summary["m.heroes"] !== undefined) next = { ...next, heroes: texts(summary["m.heroes"]).slice(0, 5) };
    if (counted[0] !== undefined) next = { ...next, members: counted[0] + (counted[1] ?? 0) };
    for (const event of events) next = this.#with(room, next, event);
    if (before === undefined || JSON.stringify(next) !== JSON.stringify(before)) this.#put(room, next);
  }

  /** Names of members that came with older events. */
  takeMembers(room: string, events: readonly RoomEvent[]): void {
    for (const event of events) if (event.type === "m.room.member") this.#name(room, event);
  }

  /** The person who invited meant a direct chat. */
  async markDirect(room: string): Promise<void> {
    this.#put(room, { ...((await this.#known(room)) ?? NONE), direct: true });
    await this.flush();
  }

  /** The account's own list of direct chats, `m.direct`. */
  async takeDirects(content: Fields): Promise<void> {
    const rooms = Object.values(content).flatMap(texts).slice(0, MAX_ROOMS);
    this.#directs = Promise.resolve(new Set(rooms));
    await this.#state.set("directs", rooms);
  }

  async forget(room: string): Promise<void> {
    this.#facts.delete(room);
    this.#changed.delete(room);
    await this.#state.delete(`room:${room}`);
  }

  /** Writes what changed. */
  async flush(): Promise<void> {
    for (const room of [...this.#changed]) {
      const facts = this.#facts.get(room);
      if (facts !== undefined) await this.#state.set(`room:${room}`, facts);
      this.#changed.delete(room);
    }
  }

  /** Name of a member, if it has come by. */
  name(room: string, user: string): string | undefined {
    return this.#names.get(`${room} ${user}`);
  }

  /** As `name`; asks the server where it has not. */
  async nameOf(room: string, user: string, api: Api, signal: AbortSignal): Promise<string | undefined> {
    const key = `${room} ${user}`;
    if (this.#names.has(key)) return this.#names.get(key);
    const found = await state(api, room, "m.room.member", user, signal);
    this.#remember(key, text(found["displayname"]));
    return this.#names.get(key);
  }

  /**
   * A direct chat is one that was meant as one, or has no name, and in which nobody else is: whoever joins makes a group of
   * it, so that nothing is said as if to one person.
   */
  async chatType(room: string, facts: Facts): Promise<ChatType> {
    const directs = await (this.#directs ??= this.#state.get("directs").then((value) => new Set(texts(value))));
    const meant = facts.direct || directs.has(room) || (facts.name === undefined && facts.alias === undefined);
    return meant && (facts.members ?? 2) <= 2 ? "direct" : "group";
  }

  /** Name to show. */
  async title(room: string, facts: Facts, api: Api, signal: AbortSignal): Promise<string | null> {
    const given = facts.name ?? facts.alias;
    if (given !== undefined) return clip(given, 200);
    const names: string[] = [];
    for (const hero of facts.heroes.filter((user) => user !== this.me).slice(0, 3)) names.push((await this.nameOf(room, hero, api, signal)) ?? hero);
    if (names.length === 0) return null;
    const more = (facts.members ?? 0) - 1 - names.length;
    return clip(more > 0 ? `${names.join(", ")} and ${more} more` : names.join(", "), 200);
  }

  #with(room: string, facts: Facts, event: RoomEvent): Facts {
    switch (event.type) {
      case "m.room.name":
        return { ...facts, name: text(event.content["name"]) };
      case "m.room.canonical_alias":
        return { ...facts, alias: text(event.content["alias"]) };
      case "m.room.encryption":
        return { ...facts, encrypted: true };
      case "m.room.member":
        this.#name(room, event);
        return event.stateKey === this.me && (event.content["is_direct"] === true || event.before["is_direct"] === true) ? { ...facts, direct: true } : facts;
      default:
        return facts;
    }
  }

  #name(room: string, event: RoomEvent): void {
    if (event.stateKey !== undefined) this.#remember(`${room} ${event.stateKey}`, text(event.content["displayname"]));
  }

  #remember(key: string, name: string | undefined): void {
    this.#names.delete(key);
    this.#names.set(key, name === undefined ? undefined : clip(name, 100));
    for (const oldest of this.#names.keys()) {
      if (this.#names.size <= MAX_NAMES) break;
      this.#names.delete(oldest);
    }
  }

  async #known(room: string): Promise<Facts | undefined> {
    const had = this.#facts.get(room);
    if (had !== undefined) return had;
    const kept = await this.#state.get(`room:${room}`);
    if (typeof kept !== "object" || kept === null) return undefined;
    const value = fields(kept);
    const found: Facts = {
      name: text(value["name"]),
      alias: text(value["alias"]),
      heroes: texts(value["heroes"]),
      members: number(value["members"]),
      direct: value["direct"] === true,
      encrypted: value["encrypted"] === true,
    };
    this.#cache(room, found);
    return found;
  }

  #put(room: string, facts: Facts): void {
    this.#changed.add(room);
    this.#cache(room, facts);
  }

  #cache(room: string, facts: Facts): void {
    this.#facts.delete(room);
    this.#facts.set(room, facts);
    if (this.#facts.size <= MAX_ROOMS) return;
    const spare = [...this.#facts.keys()].find((other) => !this.#changed.has(other));
    if (spare !== undefined) this.#facts.delete(spare);
  }
}

/** A room that no sync has told about: one asked for by the directory, or known only since before a damaged state. */
async function look(api: Api, room: string, me: string, signal: AbortSignal): Promise<Facts> {
  const of = (type: string, key = "") => state(api, room, type, key, signal);
  const [name, alias, encryption, own] = [await of("m.room.name"), await of("m.room.canonical_alias"), await of("m.room.encryption"), await of("m.room.member", me)];
  const people = Object.keys(fields((await api.get(`/_matrix/client/v3/rooms/${part(room)}/joined_members`, { signal }))["joined"]));
  return {
    name: text(name["name"]),
    alias: text(alias["alias"]),
    heroes: people.filter((user) => user !== me).sort().slice(0, 5),
    members: people.length,
    direct: own["is_direct"] === true,
    encrypted: text(encryption["algorithm"]) !== undefined,
  };
}

/** Content of one state event; none where there is none, or where it may not be seen. */
async function state(api: Api, room: string, type: string, key: string, signal: AbortSignal): Promise<Fields> {
  try {
    return await api.get(`/_matrix/client/v3/rooms/${part(room)}/state/${type}/${part(key)}`, { signal });
  } catch (error) {
    if (error instanceof MatrixError && (error.status === 404 || error.status === 403)) return {};
    throw error;
  }
}
