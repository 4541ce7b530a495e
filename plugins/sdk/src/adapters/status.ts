/** `status`: looks whether the platform answers. */

import type { PluginContext } from "../context.ts";

/** What a look at the platform gave. */
export interface Probe {
  /** Whether the channel could work now. */
  ok: boolean;
  /** How long the platform took, in milliseconds. */
  latencyMs: number;
  /** One sentence for a person. */
  message: string;
}

/** Looks whether the platform answers, apart from the running connection. */
export interface StatusAdapter {
  /** Asks the platform once. May not throw, may not write, may not take longer than ten seconds. */
  probe(ctx: PluginContext): Promise<Probe>;
}
