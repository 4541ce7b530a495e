/** What is wrong with the bot's settings at Discord. Asks and changes nothing. */

import type { PluginContext, SecurityWarning } from "@kata-agents/plugin-sdk";
import { AppFlag } from "./protocol.ts";
import { ApiError, type Rest } from "./rest.ts";
import type { Application } from "./types.ts";

/** Permissions a bot that only talks does not need, and what whoever steals its token could do with them. */
const TOO_MUCH: readonly (readonly [bigint, string])[] = [
  [1n << 3n, "Administrator"],
  [1n << 1n, "Kick Members"],
  [1n << 2n, "Ban Members"],
  [1n << 4n, "Manage Channels"],
  [1n << 5n, "Manage Server"],
  [1n << 13n, "Manage Messages"],
  [1n << 17n, "Mention Everyone"],
  [1n << 28n, "Manage Roles"],
  [1n << 29n, "Manage Webhooks"],
];

export async function warnings(rest: Rest, ctx: PluginContext): Promise<SecurityWarning[]> {
  const found: SecurityWarning[] = [];
  const { signal } = ctx;
  const app = await rest.get<Application>("/applications/@me", { signal }).catch(nothing);
  if (app !== undefined) {
    const flags = app.flags ?? 0;
    const content = (flags & AppFlag.messageContent) !== 0;
    if (!content && ctx.config["reads"] !== "addressed") {
      found.push({ code: "message_content_off", message: "The Message Content Intent is off, and the settings ask for all messages: Discord will refuse the connection." });
    }
    if (content && ctx.config["reads"] === "addressed") {
      found.push({ code: "message_content_unused", message: "The Message Content Intent is on, and the settings do not use it. Switch it off in the developer portal." });
    }
    if ((flags & AppFlag.members) !== 0) found.push({ code: "members_intent", message: "The Server Members Intent is on; this channel does not use it." });
    if ((flags & AppFlag.presence) !== 0) found.push({ code: "presence_intent", message: "The Presence Intent is on; this channel does not use it." });
    if (app.bot_public === true) {
      found.push({ code: "public_bot", message: "Anybody may add this bot to a server. Switch “Public Bot” off in the developer portal if it is only yours." });
    }
  }
  const guilds = await rest.get<{ name?: string; permissions?: string }[]>("/users/@me/guilds?limit=200", { signal }).catch(nothing);
  for (const { name, permissions } of Array.isArray(guilds) ? guilds : []) {
    if (permissions === undefined || !/^\d+$/.test(permissions)) continue;
    const has = BigInt(permissions);
    const names = TOO_MUCH.filter(([bit]) => (has & bit) !== 0n).map(([, what]) => what);
    // An administrator has every bit; that one says it all.
    if (names[0] === "Administrator") {
      found.push({ code: "administrator", message: `In “${name ?? "a server"}” the bot is an administrator. Take that permission from its role: it only needs to read and write.` });
    } else if (names.length > 0) {
      found.push({ code: "permissions_too_broad", message: `In “${name ?? "a server"}” the bot may do more than it needs: ${names.join(", ")}.` });
    }
  }
  return found;
}

/** What may not be asked gives no warning; what cannot be reached is an error. */
function nothing(error: unknown): undefined {
  if (error instanceof ApiError && (error.status === 403 || error.status === 404)) return undefined;
  throw error;
}
