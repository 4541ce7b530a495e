/**
 * What the bot knows of its chats, since the Bot API cannot be asked: those it was written to from, for the directory, and
 * groups that became supergroups. Such a group goes on as the conversation it was, so that its people, its binding and its
 * session stay; only what is sent goes to the new id.
 */

import type { ChatType, ConversationId, DirectoryEntry, State } from "@kata-agents/plugin-sdk";
import type { Chat } from "./types.ts";

const KEY = "chats";
/** More would be looked at by nobody; the one that was new first goes. */
const MAX_CHATS = 500;

interface Known {
  [id: ConversationId]: { name: string; type: ChatType; now?: number };
}

export class Chats {
  readonly #state: State;
  #known: Promise<Known> | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(state: State) {
    this.#state = state;
  }

  /** The conversation a chat belongs to. */
  async conversation(chat: number): Promise<ConversationId> {
    for (const [id, { now }] of Object.entries(await this.#load())) if (now === chat) return id;
    return String(chat);
  }

  /** The chat a conversation is today. */
  async chat(conversation: number): Promise<number> {
    return (await this.#load())[String(conversation)]?.now ?? conversation;
  }

  /** A message came from there. Writes only what is new. */
  async seen(chat: Chat): Promise<void> {
    const id = await this.conversation(chat.id);
    const before = (await this.#load())[id];
    const next = { name: nameOfChat(chat) ?? id, type: chatType(chat) };
    if (before?.name === next.name && before.type === next.type) return;
    await this.#change((known) => ({ ...known, [id]: { ...before, ...next } }));
  }

  /** The bot is no longer in it. */
  async left(chat: Chat): Promise<void> {
    const id = await this.conversation(chat.id);
    await this.#change(({ [id]: _, ...others }) => others);
  }

  /** A group became a supergroup. */
  async moved(from: number, to: number): Promise<void> {
    const id = await this.conversation(from);
    const before = (await this.#load())[id];
    if (before?.now === to) return;
    await this.#change((known) => ({ ...known, [id]: { ...(before ?? { name: id, type: "group" as const }), now: to } }));
  }

  /** Those of a kind, for the directory. */
  async list(wanted: (type: ChatType) => boolean): Promise<DirectoryEntry[]> {
    return Object.entries(await this.#load())
      .filter(([, { type }]) => wanted(type))
      .map(([id, { name, type }]) => ({ id, name, chatType: type }))
      .toReversed();
  }

  #load(): Promise<Known> {
    this.#known ??= this.#state.get(KEY).then(readKnown);
    return this.#known;
  }

  #change(change: (known: Known) => Known): Promise<void> {
    const work = async () => {
      const known = Object.fromEntries(Object.entries(change(await this.#load())).slice(-MAX_CHATS));
      await this.#state.set(KEY, known);
      this.#known = Promise.resolve(known);
    };
    const result = this.#turn.then(work, work);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}

export function chatType(chat: Chat): ChatType {
  if (chat.type === "private") return "direct";
  return chat.type === "channel" ? "channel" : "group";
}

export function nameOfChat(chat: Chat): string | null {
  const name = chat.title ?? [chat.first_name, chat.last_name].filter((part) => part).join(" ");
  return name || chat.username || null;
}

function readKnown(value: unknown): Known {
  if (typeof value !== "object" || value === null) return {};
  const known: Known = {};
  for (const [id, entry] of Object.entries(value as Record<string, unknown>)) {
    if (typeof entry !== "object" || entry === null) continue;
    const { name, type, now } = entry as Record<string, unknown>;
    if (typeof name !== "string" || (type !== "direct" && type !== "group" && type !== "channel")) continue;
    known[id] = { name, type, ...(typeof now === "number" ? { now } : {}) };
  }
  return known;
}
