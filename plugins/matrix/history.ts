/** What a sync left out: events between two places of a room's timeline, read backwards by `/messages` and given in order. */

import { type Api, MatrixError, part } from "./api.ts";
import { eventsOf, type RoomEvent } from "./events.ts";
import { text } from "./json.ts";

/** Kinds of events this plugin reads from a timeline. */
export const TYPES = [
  "m.room.message",
  "m.sticker",
  "m.reaction",
  "m.room.redaction",
  "m.room.encrypted",
  "m.room.encryption",
  "m.room.member",
  "m.room.name",
  "m.room.canonical_alias",
] as const;

/** How far back is read. */
export interface Bounds {
  /** Most events. */
  events: number;
  /** Nothing written before this, in milliseconds since the epoch. */
  notBefore: number;
  /** Token at which what is known begins. */
  to?: string | undefined;
  /** The first event that is too old; it is left out, and so is everything before it. */
  stop?: (event: RoomEvent) => boolean;
}

export interface Gap {
  /** In order, the oldest first. */
  events: RoomEvent[];
  /** Members who wrote them. */
  members: RoomEvent[];
  /** Something older is missing, because a bound was met. */
  cut: boolean;
}

const PAGE = 100;
/** A page may hold nothing of what is asked for; this many in a row are enough. */
const MAX_PAGES = 200;

export async function gap(api: Api, room: string, from: string, bounds: Bounds, signal: AbortSignal): Promise<Gap> {
  const newestFirst: RoomEvent[] = [];
  const members: RoomEvent[] = [];
  const filter = JSON.stringify({ types: TYPES, lazy_load_members: true, include_redundant_members: true });
  const end = (cut: boolean): Gap => ({ events: newestFirst.reverse(), members, cut });
  let place: string | undefined = from;
  for (let page = 0; page < MAX_PAGES && place !== undefined; page += 1) {
    const answer = await pageOf(api, room, { dir: "b", from: place, to: bounds.to, limit: String(PAGE), filter }, signal);
    if (answer === undefined) return end(false);
    members.push(...answer.members);
    for (const event of answer.events) {
      if (bounds.stop?.(event) === true) return end(false);
      if (newestFirst.length >= bounds.events || event.at < bounds.notBefore) return end(true);
      newestFirst.push(event);
    }
    place = answer.next === place || answer.next === bounds.to ? undefined : answer.next;
  }
  return end(place !== undefined);
}

async function pageOf(api: Api, room: string, query: Record<string, string | undefined>, signal: AbortSignal) {
  try {
    const answer = await api.get(`/_matrix/client/v3/rooms/${part(room)}/messages`, { query, signal });
    return { events: eventsOf(answer["chunk"]), members: eventsOf(answer["state"]), next: text(answer["end"]) };
  } catch (error) {
    // Thrown out of the room meanwhile.
    if (error instanceof MatrixError && (error.status === 403 || error.status === 404)) return undefined;
    throw error;
  }
}
