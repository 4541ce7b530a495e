/**
 * Invitations. One is accepted only when the setting `invites` says so of whoever invites; others stay as they are, for the
 * person to accept elsewhere or to allow later. What waits is kept, because the server tells of an invitation once.
 *
 * That the bot is in a room lets nobody talk to the agent: that is the host's decision, message by message.
 */

import type { State } from "@kata-agents/plugin-sdk";
import { type Api, MatrixError, part } from "./api.ts";
import { eventsOf, type RoomEvent } from "./events.ts";
import { type Fields, fields, list, text } from "./json.ts";
import { mayInvite, type Settings } from "./settings.ts";

/** One invitation that waits. */
export interface Invite {
  room: string;
  inviter: string;
  /** The inviter means a direct chat. */
  direct: boolean;
}

const KEY = "invites";
const MAX = 100;

export class Invites {
  readonly #state: State;
  #waiting: Invite[] | undefined;

  constructor(state: State) {
    this.#state = state;
  }

  /** What one sync says: new invitations, and those that were taken back. */
  async take(me: string, invited: Fields, left: readonly string[]): Promise<void> {
    const waiting = await this.list();
    const news = Object.entries(invited).flatMap(([room, value]) => inviteOf(room, me, eventsOfInvite(value)) ?? []);
    if (news.length === 0 && !waiting.some((one) => left.includes(one.room))) return;
    const rooms = new Set([...news.map((one) => one.room), ...left]);
    await this.#write([...waiting.filter((one) => !rooms.has(one.room)), ...news].slice(-MAX));
  }

  /** Accepts those that may be accepted; gives them. What the server refuses is forgotten; what it cannot do now is tried again. */
  async settle(api: Api, settings: Settings, signal: AbortSignal): Promise<Invite[]> {
    const joined: Invite[] = [];
    for (const invite of await this.list()) {
      if (!mayInvite(invite.inviter, settings)) continue;
      try {
        // Rooms since version 12 name no server in their id, so the inviter's says where the room is.
        const via = encodeURIComponent(invite.inviter.slice(invite.inviter.indexOf(":") + 1));
        await api.post(`/_matrix/client/v3/join/${part(invite.room)}?via=${via}&server_name=${via}`, {}, { signal, timeoutMs: 60_000 });
        joined.push(invite);
      } catch (error) {
        if (!(error instanceof MatrixError) || error.tooFast || error.tokenRefused || error.status >= 500) throw error;
      }
      await this.#write((await this.list()).filter((one) => one.room !== invite.room));
    }
    return joined;
  }

  async list(): Promise<Invite[]> {
    return (this.#waiting ??= list(await this.#state.get(KEY)).flatMap((one) => {
      const value = fields(one);
      const [room, inviter] = [text(value["room"]), text(value["inviter"])];
      return room === undefined || inviter === undefined ? [] : [{ room, inviter, direct: value["direct"] === true }];
    }));
  }

  async #write(waiting: Invite[]): Promise<void> {
    if (waiting.length === 0 && this.#waiting?.length === 0) return;
    await this.#state.set(KEY, waiting);
    this.#waiting = waiting;
  }
}

/** Events of an invitation are stripped: they have no id. */
function eventsOfInvite(value: unknown): RoomEvent[] {
  const raw = list(fields(fields(value)["invite_state"])["events"]);
  return eventsOf(raw.map((event, index) => ({ event_id: `stripped-${index}`, ...fields(event) })));
}

function inviteOf(room: string, me: string, events: readonly RoomEvent[]): Invite | undefined {
  const own = events.find((event) => event.type === "m.room.member" && event.stateKey === me && event.content["membership"] === "invite");
  return own === undefined ? undefined : { room, inviter: own.sender, direct: own.content["is_direct"] === true };
}

/** Adds a room to the account's list of direct chats, as any client does that is asked for one. */
export async function listAsDirect(api: Api, me: string, { inviter, room }: Invite, signal: AbortSignal): Promise<void> {
  const path = `/_matrix/client/v3/user/${part(me)}/account_data/m.direct`;
  const before = await api.get(path, { signal }).catch((error: unknown) => {
    if (error instanceof MatrixError && error.status === 404) return {} as Fields;
    throw error;
  });
  const rooms = list(before[inviter]).filter((one) => one !== room);
  await api.put(path, { ...before, [inviter]: [...rooms, room] }, { signal });
}
