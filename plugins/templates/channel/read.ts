/** Reads the chat. A message counts as read only when the host has it on disk: the number is kept after `receive`. */

import type { ConnectContext, InboundDraft } from "@kata-agents/plugin-sdk";
import { ask, NoToken, ServerError, type ServerMessage } from "./server.ts";

/** Between two looks. */
const EVERY_MS = 1_000;
/** Longest wait after a failure; it doubles up to here. */
const MAX_WAIT_MS = 30_000;

/** Runs until `ctx.signal` is aborted. */
export async function read(ctx: ConnectContext): Promise<void> {
  ctx.status({ state: "connecting" });
  let after = Number((await ctx.state.get("after")) ?? 0);
  let failures = 0;
  while (!ctx.signal.aborted) {
    try {
      const messages = (await ask(`/messages?after=${after}`, ctx)) as ServerMessage[];
      failures = 0;
      ctx.status({ state: "running" });
      for (const message of messages) {
        // Resolves when the message is stored or refused. Rejects when it could not be stored: then it is asked for again.
        await ctx.receive(draft(message));
        after = message.id;
        await ctx.state.set("after", after);
      }
      await sleep(EVERY_MS, ctx.signal);
    } catch (error) {
      if (ctx.signal.aborted) return;
      failures += 1;
      report(error, ctx);
      await sleep(Math.min(EVERY_MS * 2 ** failures, MAX_WAIT_MS), ctx.signal);
    }
  }
}

/** What the host takes in. What the ids look like is this plugin's business; the host only compares them. */
function draft(message: ServerMessage): InboundDraft {
  return {
    account: "me",
    messageId: String(message.id),
    conversation: message.room,
    chatType: message.direct ? "direct" : "group",
    sender: { id: message.from, name: message.name },
    text: message.text,
    mentionsBot: message.direct,
  };
}

/** Says what is wrong: never the message's text, never the token. */
function report(error: unknown, ctx: ConnectContext): void {
  const action = { kind: "configure", field: "token" } as const;
  if (error instanceof NoToken) return ctx.status({ state: "needs_user", code: "no_token", message: "The server's token is missing.", action });
  if (error instanceof ServerError && error.status === 401) {
    return ctx.status({ state: "needs_user", code: "token_refused", message: "The server refuses the token.", action });
  }
  const code = error instanceof ServerError ? `http_${error.status}` : "unreachable";
  ctx.status({ state: "degraded", code, message: "The server does not answer as it should; it is tried again." });
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
    if (signal.aborted) done();
  });
}
