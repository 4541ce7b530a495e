/** Names of people and conversations, looked up once and kept for a while. A name that cannot be had holds no message up. */

import type { ChatType } from "@kata-agents/plugin-sdk";
import { Names, systemClock } from "@kata-agents/plugin-sdk/sending";
import type { SlackApi } from "./api.ts";
import { chatTypeOf } from "./inbound.ts";
import { type Fields, fields, text, textAt } from "./json.ts";

/** Slack wants its acknowledgement within three seconds; a name may take one of them. */
const LOOKUP_MS = 1_000;

export class People {
  readonly #users: Names;
  readonly #conversations: Names;

  constructor(api: SlackApi) {
    const options = { timeoutMs: LOOKUP_MS };
    this.#users = new Names(async (user) => nameOfUser(fields((await api.call("users.info", { user }, options))["user"])), { clock: systemClock });
    const lookup = async (channel: string) => {
      const found = fields((await api.call("conversations.info", { channel }, options))["channel"]);
      return found === undefined ? undefined : writtenDown(found);
    };
    this.#conversations = new Names(lookup, { clock: systemClock });
  }

  user(id: string): Promise<string | null> {
    return this.#users.get(id);
  }

  /** Name and kind of a conversation; a direct one is called as the person is. */
  async conversation(id: string): Promise<{ name: string | null; chatType: ChatType }> {
    if (id.startsWith("D")) return { name: null, chatType: "direct" };
    const found = await this.#conversations.get(id);
    if (found === null) return { name: null, chatType: chatTypeOf(id) };
    return { name: found.slice(1), chatType: found.startsWith("g") ? "group" : "channel" };
  }

  /** Names of all, by id; those without one are left out. */
  async all(users: readonly string[], channels: readonly string[]): Promise<Map<string, string>> {
    const names = new Map<string, string>();
    const note = (id: string, name: string | null) => void (name === null || names.set(id, name));
    await Promise.all([
      ...users.map(async (id) => note(id, await this.user(id))),
      ...channels.map(async (id) => note(id, (await this.conversation(id)).name)),
    ]);
    return names;
  }
}

/** What a person is called: as they want to be, else as they are. */
export function nameOfUser(user: Fields | undefined): string | undefined {
  if (user === undefined) return undefined;
  return textAt(user, "profile", "display_name") ?? textAt(user, "profile", "real_name") ?? text(user["real_name"]) ?? text(user["name"]);
}

export function nameOfConversation(channel: Fields): string {
  const name = text(channel["name"]) ?? text(channel["id"]) ?? "";
  return channel["is_mpim"] === true ? name.replace(/^mpdm-/, "").replace(/-\d+$/, "").replaceAll("--", ", ") : `#${name}`;
}

/** Kind and name in one text, for the cache: `c#general`, `gann, bob`. */
function writtenDown(channel: Fields): string {
  return (channel["is_mpim"] === true ? "g" : "c") + nameOfConversation(channel);
}
