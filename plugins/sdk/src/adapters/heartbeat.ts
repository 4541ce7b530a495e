/** `heartbeat`: shows that somebody is writing. */

import type { PluginContext } from "../context.ts";
import type { ReplyRoute } from "../generated.ts";

/** Shows that somebody is writing. */
export interface HeartbeatAdapter {
  /**
   * Shows or keeps up the typing signal; the host repeats it before `capabilities.typingTtlMs` has passed. A failure is
   * logged and holds nothing up; it may not send a message.
   */
  typing(route: ReplyRoute, ctx: PluginContext): Promise<void>;
}
