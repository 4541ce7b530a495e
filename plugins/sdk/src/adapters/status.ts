/** `status`: looks whether the platform answers. */

import type { PluginContext } from "../context.ts";
import type { Probe } from "../generated.ts";

/** Looks whether the platform answers, apart from the running connection. */
export interface StatusAdapter {
  /** Asks the platform once. May not throw, may not write, may not take longer than ten seconds. */
  probe(ctx: PluginContext): Promise<Probe>;
}
