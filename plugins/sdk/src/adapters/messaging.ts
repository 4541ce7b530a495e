/** `messaging`: reads from the platform. */

import type { ConnectContext, PluginContext } from "../context.ts";
import type { DraftAttachment, Media } from "../generated.ts";

/**
 * Reads from the platform. May not decide who is allowed to write, may not answer by itself, and may not hand in the bot's
 * own messages.
 */
export interface MessagingAdapter {
  /**
   * Runs as long as the channel is connected and ends when `ctx.signal` is aborted. Hands each message to
   * `ctx.receive` and tells the platform that it was taken only after that promise has resolved. A throw is retried by
   * the host with a growing delay; what a person can mend is reported through `ctx.status` instead.
   */
  connect(ctx: ConnectContext): Promise<void>;
  /**
   * Fetches one file of a draft, after its sender was let in; usually one `ctx.media.fetch`. May be called again. Throw
   * `SendError` to say why it cannot be had; `not_found` and `forbidden` are not tried again.
   */
  download?(attachment: DraftAttachment, ctx: PluginContext): Promise<Media>;
  /** Says goodbye to the platform, where that is polite. At most a few seconds; `connect` has already ended. */
  disconnect?(ctx: PluginContext): Promise<void>;
}
