/** People and conversations, as Slack lists them: at most 1,000. */

import type { ConversationId, DirectoryEntry, PluginContext, Sender } from "@kata-agents/plugin-sdk";
import type { SlackApi } from "./api.ts";
import { type Fields, fields, list, text } from "./json.ts";
import { nameOfConversation, nameOfUser } from "./people.ts";
import { identify } from "./setup.ts";

const MOST = 1_000;

export async function self(api: SlackApi, ctx: PluginContext): Promise<Sender> {
  const me = await identify(api, ctx.signal);
  return { id: me.user, name: me.name, isBot: true };
}

/** People with whom the bot has a direct conversation. */
export async function peers(api: SlackApi, ctx: PluginContext): Promise<DirectoryEntry[]> {
  const open = await pages(api, "users.conversations", "channels", { types: "im", limit: 200 }, ctx);
  const people = new Map((await pages(api, "users.list", "members", { limit: 200 }, ctx)).map((user) => [user["id"], user]));
  return open.flatMap((channel) => {
    const user = people.get(channel["user"]);
    const name = nameOfUser(user) ?? text(channel["user"]);
    const id = text(channel["id"]);
    return id === undefined || name === undefined || user?.["is_bot"] === true ? [] : [{ id, name, chatType: "direct" as const }];
  });
}

/** Channels and group messages the bot is in. */
export async function groups(api: SlackApi, ctx: PluginContext): Promise<DirectoryEntry[]> {
  const found = await pages(api, "users.conversations", "channels", { types: "public_channel,private_channel,mpim", exclude_archived: true, limit: 200 }, ctx);
  return found.flatMap((channel) => {
    const id = text(channel["id"]);
    return id === undefined ? [] : [{ id, name: nameOfConversation(channel), chatType: channel["is_mpim"] === true ? ("group" as const) : ("channel" as const) }];
  });
}

export async function members(api: SlackApi, conversation: ConversationId, ctx: PluginContext): Promise<Sender[]> {
  const ids: string[] = [];
  for (let cursor = ""; ids.length < MOST; ) {
    const page = await api.call("conversations.members", { channel: conversation, limit: 200, ...(cursor === "" ? {} : { cursor }) }, { signal: ctx.signal });
    for (const id of Array.isArray(page["members"]) ? page["members"] : []) ids.push(String(id));
    cursor = next(page);
    if (cursor === "") break;
  }
  const people = new Map((await pages(api, "users.list", "members", { limit: 200 }, ctx)).map((user) => [user["id"], user]));
  return ids.slice(0, MOST).map((id) => ({ id, name: nameOfUser(people.get(id)) ?? null, isBot: people.get(id)?.["is_bot"] === true }));
}

async function pages(api: SlackApi, method: string, field: string, params: Fields, ctx: PluginContext): Promise<Fields[]> {
  const found: Fields[] = [];
  for (let cursor = ""; found.length < MOST; ) {
    const page = await api.call(method, { ...params, ...(cursor === "" ? {} : { cursor }) }, { signal: ctx.signal });
    found.push(...list(page[field]));
    cursor = next(page);
    if (cursor === "") break;
  }
  return found.slice(0, MOST);
}

function next(page: Fields): string {
  return text(fields(page["response_metadata"])?.["next_cursor"]) ?? "";
}
