/** `security`: knows the platform's dangers. */

import type { PluginContext } from "../context.ts";

/** One thing a person should know before they open the channel to others. */
export interface SecurityWarning {
  /** Short and stable. */
  code: string;
  /** One sentence. */
  message: string;
}

/** Knows the platform's dangers. Who may write is decided by the host, never by the plugin; nothing here lets anybody in. */
export interface SecurityAdapter {
  /** Whether a group message must address the bot, unless the person says otherwise. Default true. */
  requireMention?: boolean;
  /** What is wrong with the present settings at the platform. May ask the platform; may not change anything there. */
  warnings?(ctx: PluginContext): Promise<SecurityWarning[]>;
}
