/**
 * “is typing…” under a thread. Slack has no typing signal for apps but the status of an assistant's thread, which goes by
 * itself when the answer comes; where the app, the plan or the conversation has none, nothing is shown.
 *
 * Source: docs.slack.dev/reference/methods/assistant.threads.setStatus.
 */

import type { PluginContext, ReplyRoute } from "@kata-agents/plugin-sdk";
import { type SlackApi, SlackError } from "./api.ts";
import { targetOf } from "./ids.ts";

/** How long a refusal is remembered. */
const REST_MS = 3600_000;

export class Typing {
  #until = 0;

  async show(api: SlackApi, route: ReplyRoute, ctx: PluginContext): Promise<void> {
    const { channel, thread_ts } = targetOf(route);
    if (thread_ts === undefined || Date.now() < this.#until) return;
    try {
      await api.call("assistant.threads.setStatus", { channel_id: channel, thread_ts, status: "is typing…" }, { signal: ctx.signal, timeoutMs: 5_000 });
    } catch (error) {
      // An answer of “no” is one for this app and workspace; it is not asked at every message.
      if (!(error instanceof SlackError) || error.error === "ratelimited") throw error;
      this.#until = Date.now() + REST_MS;
      ctx.logger.debug(`no typing signal: ${error.error}`);
    }
  }
}
