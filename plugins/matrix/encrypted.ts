/**
 * Rooms whose messages this version cannot read. Who writes there is told so, once per room: the transaction id is the room's,
 * so that the server drops a second one even if the note of the first is lost. The set-up's audit names these rooms.
 */

import type { PluginContext } from "@kata-agents/plugin-sdk";
import { type Api, MatrixError, part } from "./api.ts";
import { fields, number } from "./json.ts";
import type { Settings } from "./settings.ts";

const KEY = "encrypted";
const MAX = 500;
const WORDS =
  "This room is encrypted, and this version of Kata Agents cannot read encrypted messages: I have not seen what was written here. " +
  "Please write to me in a room without encryption (in a new chat, switch encryption off before it begins).";

/** Rooms in which somebody was told, with the time. */
export async function encryptedRooms(ctx: Pick<PluginContext, "state">): Promise<Map<string, number>> {
  const kept = Object.entries(fields(await ctx.state.get(KEY)));
  return new Map(kept.flatMap(([room, at]) => (number(at) === undefined ? [] : [[room, number(at) ?? 0] as const])));
}

export async function tellEncrypted(ctx: PluginContext, api: Api, room: string, { msgtype }: Pick<Settings, "msgtype">): Promise<void> {
  const told = await encryptedRooms(ctx);
  if (told.has(room)) return;
  const path = `/_matrix/client/v3/rooms/${part(room)}/send/m.room.message/${part(`kata-encrypted-${room}`)}`;
  try {
    await api.put(path, { msgtype, body: WORDS, "m.mentions": {} }, { signal: ctx.signal });
  } catch (error) {
    // Not allowed to write there: then the audit alone can say it.
    if (!(error instanceof MatrixError) || error.tooFast || error.tokenRefused || error.status >= 500) throw error;
  }
  ctx.logger.warn("a room is encrypted; its messages cannot be read, and it was told so");
  await ctx.state.set(KEY, Object.fromEntries([...told, [room, Date.now()] as const].slice(-MAX)));
}
