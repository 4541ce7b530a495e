/** `outbound`: writes to the platform; the one part every channel has. */

import type { PluginContext } from "../context.ts";
import type { OutboundMessage, PlatformMessageId, Receipt, ReplyRoute } from "../generated.ts";

/**
 * Writes to the platform. The host calls `send` one at a time per conversation, in order, and tries again what failed.
 * A method may not write anywhere but to the given route, may not try again by itself for longer than its call, and
 * throws nothing but `SendError` on purpose.
 */
export interface OutboundAdapter {
  /**
   * Sends Markdown, rendered by the plugin. Text that needs several platform messages gives several ids, in order.
   * Must be safe to call again with the same `idempotencyKey` after an error with `certain: true`.
   */
  send(message: OutboundMessage, ctx: PluginContext): Promise<Receipt>;
  /** Replaces the text of a message this channel sent. The same text again is no error. */
  edit?(messageId: PlatformMessageId, message: OutboundMessage, ctx: PluginContext): Promise<void>;
  /** Removes a message this channel sent; one that is gone already is no error. */
  delete?(messageId: PlatformMessageId, route: ReplyRoute, ctx: PluginContext): Promise<void>;
  /** Sets the bot's reaction, or takes it back with `null`. */
  react?(messageId: PlatformMessageId, emoji: string | null, route: ReplyRoute, ctx: PluginContext): Promise<void>;
}
