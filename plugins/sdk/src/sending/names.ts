/** Names for ids: asked once, kept for a while, and few enough to keep. */

import type { Clock } from "./clock.ts";

/** Bounds of the cache. */
export interface NamesOptions {
  /** Time. */
  clock: Clock;
  /** Most names; the one that was longest not asked for goes. Default 500. */
  max?: number;
  /** How long a name is kept, in milliseconds; default six hours. */
  forMs?: number;
  /** How long it is kept that there is none, in milliseconds; default five minutes. */
  missingForMs?: number;
}

interface Entry {
  name: Promise<string | null>;
  until: number;
}

/** A bounded cache of lookups. A lookup that fails gives `null`: a message without its writer's name is a message. */
export class Names {
  readonly #lookup: (id: string) => Promise<string | null | undefined>;
  readonly #options: Required<NamesOptions>;
  /** In the order they were last asked for. */
  readonly #entries = new Map<string, Entry>();

  /** `lookup` asks the platform. */
  constructor(lookup: (id: string) => Promise<string | null | undefined>, options: NamesOptions) {
    this.#lookup = lookup;
    this.#options = { max: 500, forMs: 6 * 3600_000, missingForMs: 300_000, ...options };
  }

  /** The name of `id`. Never rejects; those who ask at the same time share one lookup. */
  get(id: string): Promise<string | null> {
    const known = this.#entries.get(id);
    if (known !== undefined && known.until > this.#options.clock.now()) {
      this.#keep(id, known);
      return known.name;
    }
    const entry: Entry = { name: Promise.resolve(null), until: Number.POSITIVE_INFINITY };
    entry.name = this.#ask(id, entry);
    this.#keep(id, entry);
    return entry.name;
  }

  /** Keeps a name that an event brought along. */
  set(id: string, name: string): void {
    this.#keep(id, { name: Promise.resolve(name), until: this.#options.clock.now() + this.#options.forMs });
  }

  async #ask(id: string, entry: Entry): Promise<string | null> {
    let name: string | null = null;
    try {
      name = (await this.#lookup(id)) || null;
    } catch {
      // It is asked again when `missingForMs` has passed.
    }
    const { clock, forMs, missingForMs } = this.#options;
    entry.until = clock.now() + (name === null ? missingForMs : forMs);
    return name;
  }

  #keep(id: string, entry: Entry): void {
    this.#entries.delete(id);
    this.#entries.set(id, entry);
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#options.max) break;
      this.#entries.delete(oldest);
    }
  }
}
