import type { PluginContext } from "../context.ts";

/** What a look at the platform gave. */
export interface Probe {
  ok: boolean;
  /** How long the platform took, in milliseconds. */
  latencyMs: number;
  /** One sentence for a person. */
  message: string;
}

/** Looks whether the platform answers, apart from the running connection. */
export interface StatusAdapter {
  /** Asks the platform once. Does not throw, does not write. */
  probe(ctx: PluginContext): Promise<Probe>;
}
