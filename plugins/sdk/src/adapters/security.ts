/** `security`: knows the platform's dangers. */

import type { PluginContext } from "../context.ts";
import type { SecurityWarning } from "../generated.ts";

/** Knows the platform's dangers. Who may write is decided by the host, never by the plugin; nothing here lets anybody in. */
export interface SecurityAdapter {
  /** Whether a group message must address the bot, unless the person says otherwise. Default true. */
  requireMention?: boolean;
  /** What is wrong with the present settings at the platform. May ask the platform; may not change anything there. */
  warnings?(ctx: PluginContext): Promise<SecurityWarning[]>;
}
