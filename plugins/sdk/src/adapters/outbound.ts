/** `outbound`: writes to the platform; the one part every channel has. */

import type { PluginContext } from "../context.ts";
import type { OutboundMessage, PlatformMessageId, Receipt, ReplyRoute, StreamPreview } from "../generated.ts";

/**
 * Writes to the platform. The host calls `send` one at a time per conversation, in order, and tries again what failed.
 * A method may not write anywhere but to the given route, may not try again by itself for longer than its call, and
 * throws nothing but `SendError` on purpose.
 */
export interface OutboundAdapter {
  /**
   * Sends Markdown, rendered by the plugin, with its files and buttons. With `replaces` the preview of that id becomes the
   * first platform message: it is edited, or removed where that is all the platform can do. Text that needs several platform messages gives several ids, in order.
   * Must be safe to call again with the same `idempotencyKey` after an error with `certain: true`.
   */
  send(message: OutboundMessage, ctx: PluginContext): Promise<Receipt>;
  /** Replaces the text of a message this channel sent. The same text again is no error. */
  edit?(messageId: PlatformMessageId, message: OutboundMessage, ctx: PluginContext): Promise<void>;
  /**
   * Shows an answer that is still being written; needs `capabilities.stream`. Returns the id of what is shown, or nothing for
   * a preview that goes by itself. A failure is logged and ends the previews of this answer; nothing is lost by it.
   */
  stream?(preview: StreamPreview, ctx: PluginContext): Promise<PlatformMessageId | null | undefined>;
  /** Removes a message this channel sent; one that is gone already is no error. */
  delete?(messageId: PlatformMessageId, route: ReplyRoute, ctx: PluginContext): Promise<void>;
  /** Sets the bot's reaction, or takes it back with `null`. */
  react?(messageId: PlatformMessageId, emoji: string | null, route: ReplyRoute, ctx: PluginContext): Promise<void>;
}
