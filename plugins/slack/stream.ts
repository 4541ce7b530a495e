/**
 * An answer while it is written. In a thread Slack streams it itself (`chat.startStream`), where the workspace has that;
 * elsewhere one message is edited, at most once a second. Either way the message becomes the answer: `outbound.ts` ends the
 * stream and writes the whole answer into it.
 *
 * Source: docs.slack.dev/reference/methods/chat.startStream, …/chat.appendStream, …/chat.stopStream (text is Markdown, at
 * most 12,000 characters a call).
 */

import type { PlatformMessageId, PluginContext, StreamPreview } from "@kata-agents/plugin-sdk";
import { type SlackApi, sendError, SlackError } from "./api.ts";
import { messageId, mustPlace, targetOf } from "./ids.ts";
import { text } from "./json.ts";
import type { Places } from "./memory.ts";
import { render, TEXT_AIM } from "./render.ts";

/** Streams that stand open; older ones are forgotten, and Slack ends them by itself. */
const MAX_OPEN = 64;
/** Errors that say that this workspace, app or conversation has no streams. */
const NONE = new Set([
  "unknown_method", "method_not_supported_for_channel_type", "feature_not_enabled", "not_allowed", "missing_scope", "access_denied", "channel_type_not_supported",
  "missing_recipient_team_id", "missing_recipient_user_id", "no_permission", "team_not_found", "user_not_found", "invalid_arguments",
]);

export class Streams {
  /** What each open stream has said. */
  readonly #said = new Map<PlatformMessageId, string>();
  #native = true;

  async show(api: SlackApi, places: Places, preview: StreamPreview, ctx: PluginContext): Promise<PlatformMessageId | null> {
    if (preview.text.trim() === "") return preview.messageId;
    try {
      if (preview.messageId === null) return (await this.#start(api, places, preview, ctx)) ?? (await this.#post(api, preview, ctx));
      const said = this.#said.get(preview.messageId);
      if (said !== undefined && preview.text.startsWith(said)) {
        await this.#append(api, preview.messageId, preview.text, said, ctx);
        return preview.messageId;
      }
      // What was said is not the beginning of what is said now: a stream cannot take back, an edit can.
      if (said !== undefined) await this.finish(api, preview.messageId, ctx);
      const { channel, ts } = mustPlace(preview.messageId);
      await api.call("chat.update", { channel, ts, text: shown(preview.text) }, { signal: ctx.signal });
      return preview.messageId;
    } catch (error) {
      throw sendError(error);
    }
  }

  /** Ends a stream, where it is one that stands open. */
  async finish(api: SlackApi, id: PlatformMessageId, ctx: PluginContext): Promise<void> {
    if (!this.#said.has(id)) return;
    const { channel, ts } = mustPlace(id);
    await api.call("chat.stopStream", { channel, ts }, { signal: ctx.signal }).catch((error: unknown) => {
      if (!(error instanceof SlackError) || error.error === "ratelimited") throw error;
    });
    this.#said.delete(id);
  }

  async #start(api: SlackApi, places: Places, { route, text: markdown }: StreamPreview, ctx: PluginContext): Promise<PlatformMessageId | undefined> {
    const target = targetOf(route);
    if (!this.#native || target.thread_ts === undefined) return undefined;
    const reader = route.replyTo === null || route.replyTo === undefined ? undefined : places.of(route.replyTo)?.user;
    const recipient = reader === undefined ? {} : { recipient_user_id: reader, recipient_team_id: route.account };
    try {
      const answer = await api.call("chat.startStream", { ...target, ...recipient, markdown_text: markdown.slice(0, 12_000) }, { signal: ctx.signal });
      const id = messageId(target.channel, text(answer["ts"]) ?? "");
      this.#keep(id, markdown.slice(0, 12_000));
      return id;
    } catch (error) {
      if (!(error instanceof SlackError) || !NONE.has(error.error)) throw error;
      this.#native = false;
      ctx.logger.info(`Slack does not stream here (${error.error}); previews are edits`);
      return undefined;
    }
  }

  async #append(api: SlackApi, id: PlatformMessageId, whole: string, said: string, ctx: PluginContext): Promise<void> {
    const more = whole.slice(said.length, said.length + 12_000);
    if (more === "") return;
    const { channel, ts } = mustPlace(id);
    await api.call("chat.appendStream", { channel, ts, markdown_text: more }, { signal: ctx.signal });
    this.#keep(id, said + more);
  }

  async #post(api: SlackApi, { route, text: markdown }: StreamPreview, ctx: PluginContext): Promise<PlatformMessageId> {
    const target = targetOf(route);
    const answer = await api.call("chat.postMessage", { ...target, text: shown(markdown), unfurl_links: false, unfurl_media: false }, { signal: ctx.signal });
    return messageId(text(answer["channel"]) ?? target.channel, text(answer["ts"]) ?? "");
  }

  #keep(id: PlatformMessageId, said: string): void {
    this.#said.delete(id);
    this.#said.set(id, said);
    for (const oldest of this.#said.keys()) {
      if (this.#said.size <= MAX_OPEN) break;
      this.#said.delete(oldest);
    }
  }
}

/** What an edited preview shows: as much as one message takes. */
function shown(markdown: string): string {
  return render(markdown, TEXT_AIM)[0]?.text ?? "…";
}
