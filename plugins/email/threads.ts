/**
 * Threads, in the plugin's state: who is in one, its subject, and the ids an answer refers to. A message joins a thread only if
 * its writer is in it already; somebody else who names its ids begins one of their own, so that knowing an id opens nothing.
 */

import type { State } from "@kata-agents/plugin-sdk";

/** One thread. */
export interface Thread {
  root: string;
  subject: string;
  /** Addresses of those in it. */
  people: string[];
  /** Ids in order, the newest last. */
  ids: string[];
  /** Who wrote which of the newest ids. */
  from: Record<string, string>;
  /** Who wrote last. */
  last: string;
  /** The name of whoever wrote last. */
  name: string | null;
}

const MOST_THREADS = 500;
const MOST_IDS = 30;
const MOST_PEOPLE = 50;
const MOST_SENT = 400;

const ORDER = "threads";
const SENT = "sent";

function threadOf(value: unknown): Thread | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { root, subject, people, ids, from, last, name } = value as Record<string, unknown>;
  const texts = (list: unknown): list is string[] => Array.isArray(list) && list.every((one) => typeof one === "string");
  if (typeof root !== "string" || typeof subject !== "string" || typeof last !== "string" || !texts(people) || !texts(ids)) return undefined;
  const known = typeof from === "object" && from !== null ? (from as Record<string, string>) : {};
  return { root, subject, people, ids, from: known, last, name: typeof name === "string" ? name : null };
}

const pairs = (value: unknown): [string, string][] =>
  Array.isArray(value) ? value.filter((one): one is [string, string] => Array.isArray(one) && typeof one[0] === "string" && typeof one[1] === "string") : [];

export class Threads {
  readonly #state: State;
  /** Reads and writes in turn: reading mail and sending it go side by side. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(state: State) {
    this.#state = state;
  }

  /** The thread of that root. */
  async get(root: string): Promise<Thread | undefined> {
    return threadOf(await this.#state.get(`t:${root}`));
  }

  /** Takes a message into its thread, and says which. */
  join(message: { id: string; ancestors: readonly string[]; sender: string; name: string | null; others: readonly string[]; subject: string }): Promise<Thread> {
    return this.#inTurn(async () => {
      const thread = await this.#find(message.ancestors, message.sender);
      const joined: Thread = thread ?? { root: message.id, subject: message.subject, people: [], ids: [], from: {}, last: message.sender, name: message.name };
      if (!joined.ids.includes(message.id)) joined.ids = [...joined.ids, message.id].slice(-MOST_IDS);
      joined.people = [...new Set([message.sender, ...joined.people, ...message.others])].slice(0, MOST_PEOPLE);
      joined.from = Object.fromEntries([...Object.entries(joined.from).filter(([id]) => joined.ids.includes(id)), [message.id, message.sender]]);
      joined.last = message.sender;
      joined.name = message.name;
      await this.#keep(joined, thread === undefined);
      return joined;
    });
  }

  /** Notes a message that was sent, so that an answer to it finds its thread. */
  sent(thread: Thread, id: string): Promise<void> {
    return this.#inTurn(async () => {
      const known = (await this.get(thread.root)) ?? thread;
      if (!known.ids.includes(id)) known.ids = [...known.ids, id].slice(-MOST_IDS);
      const fresh = threadOf(await this.#state.get(`t:${thread.root}`)) === undefined;
      await this.#keep(known, fresh);
      const sent = pairs(await this.#state.get(SENT)).filter(([one]) => one !== id);
      await this.#state.set(SENT, [...sent, [id, thread.root]].slice(-MOST_SENT));
    });
  }

  async #find(ancestors: readonly string[], sender: string): Promise<Thread | undefined> {
    const sent = new Map(pairs(await this.#state.get(SENT)));
    for (const id of [...ancestors.slice(-MOST_IDS).reverse(), ancestors[0] ?? ""]) {
      const thread = (await this.get(id)) ?? (await this.get(sent.get(id) ?? ""));
      if (thread?.people.includes(sender) === true) return thread;
    }
    return undefined;
  }

  async #keep(thread: Thread, fresh: boolean): Promise<void> {
    await this.#state.set(`t:${thread.root}`, thread);
    if (!fresh) return;
    const order = await this.#state.get(ORDER);
    const roots = (Array.isArray(order) ? order.filter((one): one is string => typeof one === "string") : []).filter((one) => one !== thread.root);
    roots.push(thread.root);
    for (const gone of roots.splice(0, Math.max(0, roots.length - MOST_THREADS))) await this.#state.delete(`t:${gone}`);
    await this.#state.set(ORDER, roots);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work, work);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}
