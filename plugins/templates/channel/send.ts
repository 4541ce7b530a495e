/** Writes to the chat. Which failure means what to the host is decided here. */

import { type OutboundMessage, type PluginContext, type Receipt, SendError } from "@kata-agents/plugin-sdk";
import { ask, NoToken, ServerError } from "./server.ts";

/** Sends one text. The host has cut it to `textMax` and tries again what failed. */
export async function send(message: OutboundMessage, ctx: PluginContext): Promise<Receipt> {
  try {
    const body = JSON.stringify({ room: message.route.conversation, text: message.text, key: message.idempotencyKey });
    const answer = (await ask("/messages", ctx, { method: "POST", body })) as { id: number };
    return { messageIds: [String(answer.id)] };
  } catch (error) {
    throw sendError(error);
  }
}

/** `certain` is true where the message has certainly not reached the platform. */
function sendError(error: unknown): SendError {
  if (error instanceof NoToken) return new SendError({ code: "unauthorized", message: "The server's token is missing.", certain: true });
  if (!(error instanceof ServerError)) {
    // The code is the host's own: the connection was not made, so nothing can have left.
    const certain = error instanceof Error && (error as { code?: unknown }).code === "connect";
    return new SendError({ code: "unreachable", message: "The server does not answer.", certain });
  }
  const { message, status } = error;
  if (status === 429) return new SendError({ code: "rate_limited", message, retryAfterMs: error.retryAfterMs ?? 1_000, certain: true });
  if (status === 401) return new SendError({ code: "unauthorized", message, certain: true });
  if (status === 403) return new SendError({ code: "forbidden", message, certain: true });
  if (status === 404) return new SendError({ code: "not_found", message, certain: true });
  if (status >= 500) return new SendError({ code: "unreachable", message, certain: false });
  return new SendError({ code: "invalid", message, certain: true });
}
