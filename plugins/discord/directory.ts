/** People and channels the bot knows. Reads only. */

import type { DirectoryEntry, PluginContext, Sender } from "@kata-agents/plugin-sdk";
import { senderOf } from "./inbound.ts";
import type { Rest } from "./rest.ts";
import type { Channel, Guild, User } from "./types.ts";
import { Kind } from "./world.ts";

const MAX_GUILDS = 25;
const MAX_ENTRIES = 1_000;

export async function self(rest: Rest, ctx: PluginContext): Promise<Sender> {
  return senderOf(await rest.get<User>("/users/@me", { signal: ctx.signal }));
}

/** Text channels of the servers the bot is in. */
export async function groups(rest: Rest, ctx: PluginContext): Promise<DirectoryEntry[]> {
  const guilds = await rest.get<Guild[]>(`/users/@me/guilds?limit=${MAX_GUILDS}`, { signal: ctx.signal });
  const entries: DirectoryEntry[] = [];
  for (const guild of guilds.slice(0, MAX_GUILDS)) {
    const channels = await rest.get<Channel[]>(`/guilds/${guild.id}/channels`, { signal: ctx.signal });
    for (const { id, type, name } of channels) {
      if (type !== Kind.text && type !== Kind.announcement) continue;
      entries.push({ id, name: `#${name ?? id} (${guild.name ?? guild.id})`, chatType: "channel" });
    }
    if (entries.length >= MAX_ENTRIES) break;
  }
  return entries.slice(0, MAX_ENTRIES);
}
