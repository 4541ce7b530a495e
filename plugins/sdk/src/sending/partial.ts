/**
 * Sends that stopped half way: which messages of a text are already out. Without this, trying again after the second of
 * three messages met a 429 would repeat the first.
 */

import type { State } from "../context.ts";
import type { PlatformMessageId } from "../generated.ts";

const KEY = "partial-sends";
/** Older ones belong to sends the host has given up. */
const MAX_ENTRIES = 64;

type Entries = Record<string, PlatformMessageId[]>;

/**
 * Which platform messages of a send are out, by its `idempotencyKey`; kept in the plugin's state under `partial-sends`.
 * Write after each message but the last, forget after the last.
 */
export class PartialSends {
  readonly #state: State;
  /** Conversations send side by side; their notes share one value, so they are taken in turn. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(state: State) {
    this.#state = state;
  }

  /** Ids of the messages that are out already. */
  read(key: string): Promise<PlatformMessageId[]> {
    return this.#inTurn(async () => (await this.#load())[key] ?? []);
  }

  /** Notes them. */
  write(key: string, ids: readonly PlatformMessageId[]): Promise<void> {
    return this.#inTurn(async () => {
      const { [key]: _, ...others } = await this.#load();
      const kept = Object.entries(others).slice(-(MAX_ENTRIES - 1));
      await this.#state.set(KEY, Object.fromEntries([...kept, [key, [...ids]]]));
    });
  }

  /** The send is complete. */
  forget(key: string): Promise<void> {
    return this.#inTurn(async () => {
      const { [key]: _, ...others } = await this.#load();
      await this.#state.set(KEY, others);
    });
  }

  async #load(): Promise<Entries> {
    const value = await this.#state.get(KEY);
    if (typeof value !== "object" || value === null) return {};
    return Object.fromEntries(
      Object.entries(value).filter((entry): entry is [string, string[]] => {
        const ids: unknown = entry[1];
        return Array.isArray(ids) && ids.every((id) => typeof id === "string");
      }),
    );
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work, work);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}
