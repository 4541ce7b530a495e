/**
 * Sends whose answer was lost. Discord drops a second copy by its nonce for some minutes only; after an outage that was longer, what
 * was sent then is looked for in the channel before it is sent again.
 */

import type { State } from "@kata-agents/plugin-sdk";
import type { Rest } from "./rest.ts";
import { idAt } from "./snowflake.ts";
import type { Message } from "./types.ts";

const KEY = "doubts";
const MAX = 64;
/** As long as this a nonce certainly counts. */
const NONCE_MS = 60_000;
/** Their clock and ours. */
const SLACK_MS = 30_000;

type Notes = Record<string, number>;

export class Doubts {
  readonly #state: State;
  /** Conversations send side by side; their notes share one value, so they are taken in turn. */
  #turn: Promise<unknown> = Promise.resolve();
  #notes: Notes | undefined;

  constructor(state: State) {
    this.#state = state;
  }

  /** The answer to this one was lost. */
  note(nonce: string): Promise<void> {
    return this.#change((notes) => {
      notes[nonce] ??= Date.now();
    });
  }

  /** This one is out. */
  async settle(nonce: string): Promise<void> {
    if (this.#notes !== undefined && this.#notes[nonce] === undefined) return;
    await this.#change((notes) => void delete notes[nonce]);
  }

  /** The message an earlier try made after all, where the nonce can no longer tell. */
  async find(nonce: string, rest: Rest, channel: string, me: string, content: string, signal: AbortSignal): Promise<Message | undefined> {
    const since = (await this.#load())[nonce];
    if (since === undefined || Date.now() - since < NONCE_MS) return undefined;
    const found = await rest.get<Message[]>(`/channels/${channel}/messages?after=${idAt(since - SLACK_MS)}&limit=100`, { signal });
    return found.findLast((message) => message.author?.id === me && message.content?.trim() === content.trim());
  }

  #change(how: (notes: Notes) => void): Promise<void> {
    const mine = this.#turn.then(async () => {
      const notes = { ...(await this.#load()) };
      const before = JSON.stringify(notes);
      how(notes);
      if (JSON.stringify(notes) === before) return;
      this.#notes = Object.fromEntries(Object.entries(notes).slice(-MAX));
      await this.#state.set(KEY, this.#notes);
    });
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  async #load(): Promise<Notes> {
    if (this.#notes !== undefined) return this.#notes;
    const value = await this.#state.get(KEY);
    const entries = typeof value === "object" && value !== null ? Object.entries(value) : [];
    return (this.#notes = Object.fromEntries(entries.filter((entry): entry is [string, number] => typeof entry[1] === "number")));
  }
}
