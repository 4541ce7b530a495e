/** Requests that wait for the agent's answer. One that is given up in time is answered by the outbox in the usual way. */

/** Most requests that wait at once. */
const MOST = 32;

/** One that waits. */
export interface Expected {
  /** The answer, or nothing when it did not come in time. */
  answer: Promise<string | undefined>;
  /** Nobody waits any more. */
  stop(): undefined;
}

export class Waiting {
  readonly #open = new Map<string, (text: string | undefined) => void>();

  /** Waits for the answer to a message; not at all where too many wait already. */
  expect(messageId: string, ms: number): Expected | undefined {
    if (this.#open.size >= MOST || this.#open.has(messageId)) return undefined;
    let end: (text: string | undefined) => void = () => undefined;
    const answer = new Promise<string | undefined>((resolve) => {
      const timer = setTimeout(() => end(undefined), ms);
      end = (text) => {
        clearTimeout(timer);
        this.#open.delete(messageId);
        resolve(text);
      };
      this.#open.set(messageId, (text) => end(text));
    });
    return { answer, stop: () => void end(undefined) as undefined };
  }

  /** Gives an answer to whoever waits for it; whether anybody did. */
  give(messageId: string | null | undefined, text: string): boolean {
    const waiting = messageId === null || messageId === undefined ? undefined : this.#open.get(messageId);
    waiting?.(text);
    return waiting !== undefined;
  }

  /** The channel goes down. */
  stop(): void {
    for (const end of [...this.#open.values()]) end(undefined);
  }
}
