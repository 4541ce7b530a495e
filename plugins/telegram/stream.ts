/**
 * An answer while it is written. In a private chat Telegram has drafts for that (`sendMessageDraft`), which go by themselves
 * and are followed by the message. In a group it is a message that is edited and becomes the answer; that costs of the few
 * messages a minute a group takes, so a person must ask for it (`groupPreviews`).
 */

import type { PlatformMessageId, StreamPreview } from "@kata-agents/plugin-sdk";
import { ApiError } from "./api.ts";
import { editText, type Line, replyTo, sendError, type Target, targetOf, withPlainFallback } from "./outbound.ts";
import { partsOf } from "./render.ts";
import { messageId, messageOf } from "./route.ts";
import type { Message } from "./types.ts";

/** A group takes about twenty messages a minute, edits included (https://grammy.dev/advanced/flood). */
const GROUP_INTERVAL_MS = 4_000;

/** When a preview of a group was last changed, by its id; one entry for each answer being written. */
const MAX_ANSWERS = 200;

export class Previews {
  readonly #edited = new Map<PlatformMessageId, number>();
  /** The server does not know drafts. */
  #noDrafts = false;

  async show(line: Line, preview: StreamPreview, options: { groups: boolean; now: number }): Promise<PlatformMessageId | null> {
    const [part] = partsOf(preview.text);
    if (part === undefined) return preview.messageId ?? null;
    const target = await targetOf(preview.route, line);
    const { api, ctx } = line;
    try {
      if (target.chat_id > 0) {
        if (this.#noDrafts) return null;
        const draft = { ...target, draft_id: numberOf(preview.key) };
        await withPlainFallback(part, "text", (content) => api.call("sendMessageDraft", { ...draft, ...content }, { signal: ctx.signal, timeoutMs: 5000 }));
        return null;
      }
      if (!options.groups) return null;
      return await this.#inGroup(line, preview, target, options.now, part);
    } catch (error) {
      if (target.chat_id > 0 && error instanceof ApiError && error.code === 404) {
        this.#noDrafts = true;
        return null;
      }
      throw sendError(error);
    }
  }

  async #inGroup(line: Line, preview: StreamPreview, target: Target, now: number, part: { text: string; plain: string }): Promise<PlatformMessageId> {
    const shown = preview.messageId ?? undefined;
    const place = shown === undefined ? undefined : messageOf(shown);
    if (shown !== undefined && place !== undefined) {
      if (now - (this.#edited.get(shown) ?? 0) < GROUP_INTERVAL_MS) return shown;
      this.#note(shown, now);
      await editText(line, place, part, {});
      return shown;
    }
    const message = await withPlainFallback(part, "text", (content) =>
      line.api.call<Message>("sendMessage", { ...target, ...replyTo(preview.route, target), ...content }, { signal: line.ctx.signal }),
    );
    const id = messageId(message.chat.id, message.message_id);
    this.#note(id, now);
    return id;
  }

  #note(id: PlatformMessageId, now: number): void {
    this.#edited.delete(id);
    this.#edited.set(id, now);
    for (const oldest of this.#edited.keys()) {
      if (this.#edited.size <= MAX_ANSWERS) break;
      this.#edited.delete(oldest);
    }
  }
}

/** A draft's number: not zero, the same for one answer. FNV-1a of its key. */
function numberOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < key.length; at += 1) hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193);
  return (hash >>> 1) || 1;
}
