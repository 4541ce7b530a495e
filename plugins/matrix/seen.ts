/**
 * Which events went by lately: who wrote them, so that an answer to the bot is known as one and nobody edits what another has
 * written; what a reaction stood for, so that taking it back says something; and which were handed in already, so that a batch
 * that is tried again, or events that come twice, say nothing twice. In memory, the newest few thousand; messages are told
 * apart by the host on its disk besides.
 */

import { type Api, MatrixError, part } from "./api.ts";
import { eventOf, relationOf, type RoomEvent } from "./events.ts";

/** What is remembered of an event. */
export interface Trace {
  sender: string;
  /** What a reaction stood under, and which. */
  reaction: { target: string; key: string } | undefined;
  /** The message an edit belongs to. */
  replaces: string | undefined;
}

const MAX = 4_000;

export class Seen {
  readonly #traces = new Map<string, Trace>();
  readonly #done = new Set<string>();

  /** Notes an event that came by. */
  note(event: RoomEvent): void {
    if (this.#traces.has(event.id)) return;
    const { reaction, replaces } = relationOf(event.content);
    this.#traces.set(event.id, { sender: event.sender, reaction: event.type === "m.reaction" ? reaction : undefined, replaces });
    trim(this.#traces);
  }

  /** What came by. */
  trace(id: string): Trace | undefined {
    return this.#traces.get(id);
  }

  /** As `trace`; asks the server where it has not come by. */
  async find(room: string, id: string, api: Api, signal: AbortSignal): Promise<Trace | undefined> {
    const known = this.#traces.get(id);
    if (known !== undefined) return known;
    try {
      const event = eventOf(await api.get(`/_matrix/client/v3/rooms/${part(room)}/event/${part(id)}`, { signal, timeoutMs: 10_000 }));
      if (event !== undefined) this.note(event);
    } catch (error) {
      // An event that is gone, or from before the bot came, is not to be had; that is no reason to stop.
      if (!(error instanceof MatrixError) || error.tooFast || error.tokenRefused || error.status >= 500) throw error;
    }
    return this.#traces.get(id);
  }

  /** Whether the event was handed in. */
  isDone(id: string): boolean {
    return this.#done.has(id);
  }

  done(id: string): void {
    this.#done.add(id);
    trim(this.#done);
  }
}

function trim(of: { size: number; keys(): Iterator<string>; delete(key: string): boolean }): void {
  if (of.size <= MAX) return;
  const oldest = of.keys().next();
  if (oldest.done !== true) of.delete(oldest.value);
}
