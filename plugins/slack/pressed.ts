/** What the person who pressed a button sees: one sentence that only they see; and the buttons go when the question is settled. */

import type { PressAnswer } from "@kata-agents/plugin-sdk";
import type { SlackApi } from "./api.ts";
import { withoutButtons } from "./blocks.ts";
import { type Fields, fields, text, textAt } from "./json.ts";

export async function answered(api: SlackApi, payload: Fields, answer: PressAnswer): Promise<void> {
  const channel = textAt(payload, "channel", "id") ?? textAt(payload, "container", "channel_id");
  const ts = textAt(payload, "message", "ts") ?? textAt(payload, "container", "message_ts");
  const user = textAt(payload, "user", "id");
  if (channel === undefined || ts === undefined || user === undefined) return;
  const message = fields(payload["message"]);
  const thread = text(message?.["thread_ts"]);
  const blocks = Array.isArray(message?.["blocks"]) ? withoutButtons(message["blocks"]) : [];
  if (answer.done) await api.call("chat.update", { channel, ts, text: text(message?.["text"]) ?? answer.text, blocks });
  await api.call("chat.postEphemeral", { channel, user, text: answer.text, ...(thread === undefined ? {} : { thread_ts: thread }) });
}
