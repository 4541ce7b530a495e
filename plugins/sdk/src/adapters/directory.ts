/** `directory`: knows people and groups. */

import type { PluginContext } from "../context.ts";
import type { ConversationId, DirectoryEntry, Sender } from "../generated.ts";

/**
 * Knows people and groups. Reads only; may not join, leave or write, and gives at most 1,000 entries: the newest.
 */
export interface DirectoryAdapter {
  /** The bot itself. */
  self(ctx: PluginContext): Promise<Sender>;
  /** People the bot can write to. */
  peers?(ctx: PluginContext): Promise<DirectoryEntry[]>;
  /** Groups and channels the bot is in. */
  groups?(ctx: PluginContext): Promise<DirectoryEntry[]>;
  /** Members of a group. */
  members?(conversation: ConversationId, ctx: PluginContext): Promise<Sender[]>;
}
