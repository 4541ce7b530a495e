/** Members of a room by name, for mentions in what the agent writes. Asked for only when there is an `@`, and kept for a while. */

import { MatrixError, NetworkError, part } from "./api.ts";
import { fields, text } from "./json.ts";
import type { SignedIn } from "./session.ts";

/** Who can be mentioned: names in lower case, and ids. Two of one name are nobody. */
export interface Members {
  byName: ReadonlyMap<string, string>;
  nameOf: ReadonlyMap<string, string>;
}

export const NOBODY: Members = { byName: new Map(), nameOf: new Map() };
const FRESH_MS = 5 * 60_000;
const MAX_ROOMS = 50;
/** In larger rooms a name says little, and the list is long. */
const MAX_MEMBERS = 500;

export class People {
  readonly #rooms = new Map<string, { at: number; members: Members }>();

  /** Members of a room; nobody where they cannot be had. */
  async of(room: string, { api }: SignedIn, signal: AbortSignal): Promise<Members> {
    const known = this.#rooms.get(room);
    if (known !== undefined && Date.now() - known.at < FRESH_MS) return known.members;
    let members = NOBODY;
    try {
      members = membersOf((await api.get(`/_matrix/client/v3/rooms/${part(room)}/joined_members`, { signal, timeoutMs: 10_000 }))["joined"]);
    } catch (error) {
      if (error instanceof MatrixError && error.tokenRefused) throw error;
      if (!(error instanceof MatrixError || error instanceof NetworkError)) throw error;
      return NOBODY;
    }
    this.#rooms.delete(room);
    this.#rooms.set(room, { at: Date.now(), members });
    const oldest = this.#rooms.keys().next();
    if (this.#rooms.size > MAX_ROOMS && oldest.done !== true) this.#rooms.delete(oldest.value);
    return members;
  }
}

/** Reads `joined_members`. */
export function membersOf(joined: unknown): Members {
  const all = Object.entries(fields(joined));
  if (all.length > MAX_MEMBERS) return NOBODY;
  const byName = new Map<string, string>();
  const nameOf = new Map<string, string>();
  const twice = new Set<string>();
  for (const [user, profile] of all) {
    const name = text(fields(profile)["display_name"]) ?? user.slice(1, user.indexOf(":"));
    nameOf.set(user, name);
    const key = name.toLowerCase();
    if (byName.has(key)) twice.add(key);
    byName.set(key, user);
  }
  for (const key of twice) byName.delete(key);
  return { byName, nameOf };
}
