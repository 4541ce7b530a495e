/**
 * What must outlive a kill: messages that came and are not handed in yet, who wrote (nobody else is written to), and sends by their key,
 * so that a repeated one has the id it had.
 */

import { createHash } from "node:crypto";
import type { InboundDraft } from "./client.ts";
import { Journal } from "./journal.ts";

/** Sends that are remembered; the host repeats only the newest of a conversation. */
const MOST_SENDS = 2_000;

/** How far a send is: begun, bytes may have left; taken, WhatsApp's server has it. */
export interface Send {
  key: string;
  id: string;
  jid: string;
  text: string;
  taken: boolean;
}

type Line = { came: InboundDraft } | { done: string } | { wrote: string } | { send: Send };

export class Ledger {
  readonly #journal: Journal;
  readonly #waiting = new Map<string, InboundDraft>();
  readonly #people = new Set<string>();
  readonly #sends = new Map<string, Send>();

  constructor(path: string) {
    this.#journal = new Journal(path, (text) => this.#apply(JSON.parse(text) as Line));
  }

  /** A message came: durable when this returns. */
  came(draft: InboundDraft): void {
    if (this.#waiting.has(draft.messageId)) return;
    this.#put({ came: draft });
  }

  /** The app has it. */
  handedIn(draft: InboundDraft): void {
    if (this.#waiting.has(draft.messageId)) this.#put({ done: draft.messageId });
    if (!this.#people.has(draft.conversation)) this.#put({ wrote: draft.conversation });
  }

  /** Not handed in yet, the oldest first. */
  waiting(): InboundDraft[] {
    return [...this.#waiting.values()];
  }

  /** Whether somebody of that conversation has written. */
  knows(conversation: string): boolean {
    return this.#people.has(conversation);
  }

  send(key: string): Send | undefined {
    return this.#sends.get(key);
  }

  /** Begins a send of one part; its id is made of the key, so it is the same on every attempt. */
  begin(key: string, jid: string, text: string): Send {
    const known = this.#sends.get(key);
    if (known !== undefined) return known;
    const send = { key, id: idOf(key), jid, text, taken: false };
    this.#put({ send });
    return send;
  }

  taken(send: Send): void {
    this.#put({ send: { ...send, taken: true } });
  }

  /** Text of a message that was sent; a telephone that could not read it asks for it again. */
  textOf(id: string): string | undefined {
    return [...this.#sends.values()].find((send) => send.id === id)?.text;
  }

  close(): void {
    this.#journal.close();
  }

  #put(line: Line): void {
    this.#journal.append(JSON.stringify(line));
    this.#apply(line);
    if (this.#journal.long) this.#journal.rewrite(this.#lines());
  }

  #apply(line: Line): void {
    if ("came" in line) this.#waiting.set(line.came.messageId, line.came);
    else if ("done" in line) this.#waiting.delete(line.done);
    else if ("wrote" in line) this.#people.add(line.wrote);
    else {
      this.#sends.delete(line.send.key);
      this.#sends.set(line.send.key, line.send);
      for (const oldest of this.#sends.keys()) {
        if (this.#sends.size <= MOST_SENDS) break;
        this.#sends.delete(oldest);
      }
    }
  }

  *#lines(): Generator<string> {
    const lines: Line[] = [...[...this.#people].map((wrote) => ({ wrote })), ...[...this.#waiting.values()].map((came) => ({ came })), ...[...this.#sends.values()].map((send) => ({ send }))];
    for (const line of lines) yield JSON.stringify(line);
  }
}

/** An id as WhatsApp's web client makes them, of the key. */
export function idOf(key: string): string {
  return `3EB0${createHash("sha256").update(key).digest("hex").slice(0, 18).toUpperCase()}`;
}
