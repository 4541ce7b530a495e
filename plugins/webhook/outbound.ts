/**
 * Answers: into the response of a request that waits for one, else by POST to the address of the settings. Receivers must drop
 * a second request with the same `Idempotency-Key`; with that, a send whose answer was lost can be repeated.
 */

import { type Media, type OutboundMessage, type PluginContext, type Receipt, SendError } from "@kata-agents/plugin-sdk";
import type { Door } from "./inbound.ts";
import { secretOf, settingsOf } from "./settings.ts";
import { signKata } from "./signature.ts";


/** Longest answer of a receiver that is looked at, characters. */
const LONGEST_ANSWER = 64 * 1024;
/** Longest wait for the receiver. */
const TIMEOUT_MS = 20_000;
/** Bytes of files that fit into one request beside the text. */
export const FILES_MAX = 900_000;

/** Sends one message. */
export async function send(message: OutboundMessage, ctx: PluginContext, door: Pick<Door, "waiting" | "refused">): Promise<Receipt> {
  const files = message.attachments ?? [];
  if (files.length === 0 && door.waiting.give(message.route.replyTo, message.text)) return { messageIds: [message.idempotencyKey] };
  const { outUrl } = settingsOf(ctx);
  const secret = await secretOf(ctx);
  // Nothing is lost: the outbox keeps what needs a person.
  if (outUrl === undefined) throw wrong("unauthorized", "there is no address for answers: set outUrl");
  if (secret === undefined) throw wrong("unauthorized", "there is no secret to sign with: set signingSecret");
  const body = new TextEncoder().encode(JSON.stringify(await json(message, files, ctx)));
  const abort = new AbortController();
  const forward = () => abort.abort();
  const timer = setTimeout(forward, TIMEOUT_MS);
  ctx.signal.addEventListener("abort", forward);
  if (ctx.signal.aborted) abort.abort();
  try {
    const response = await fetch(outUrl, {
      method: "POST",
      redirect: "manual",
      headers: {
        "content-type": "application/json",
        "idempotency-key": message.idempotencyKey,
        "x-kata-signature": await signKata(secret, body, Date.now()),
      },
      body,
      signal: abort.signal,
    });
    door.refused = response.status === 401;
    if (response.ok) return { messageIds: [idIn((await response.text()).slice(0, LONGEST_ANSWER)) ?? message.idempotencyKey] };
    await response.body?.cancel();
    throw refusal(response);
  } catch (error) {
    if (error instanceof SendError) throw error;
    const code = error instanceof Error ? (error as { code?: unknown }).code : undefined;
    const certain = code === "connect" || code === "forbidden";
    throw new SendError({ code: "unreachable", message: "the address for answers does not answer", certain });
  } finally {
    clearTimeout(timer);
    ctx.signal.removeEventListener("abort", forward);
  }
}

async function json(message: OutboundMessage, files: readonly Media[], ctx: PluginContext): Promise<Record<string, unknown>> {
  const { account, conversation, thread, replyTo } = message.route;
  const total = files.reduce((sum, file) => sum + file.bytes, 0);
  if (total > FILES_MAX) throw wrong("invalid", `the files have ${total} bytes; at most ${FILES_MAX} fit into a request`);
  const attachments = [];
  for (const { id, name, mime, kind } of files) attachments.push({ name, mime, kind, base64: base64(await ctx.media.read(id)) });
  return {
    id: message.idempotencyKey,
    account,
    conversation,
    thread: thread ?? null,
    replyTo: replyTo ?? null,
    text: message.text,
    ...(attachments.length === 0 ? {} : { attachments }),
  };
}

function base64(bytes: Uint8Array): string {
  let binary = "";
  for (let at = 0; at < bytes.length; at += 8192) binary += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(binary);
}

/** The receiver's own id of the message, where it gives one. */
function idIn(text: string): string | undefined {
  try {
    const { id } = JSON.parse(text) as { id?: unknown };
    return typeof id === "string" && id !== "" && id.length <= 200 ? id : undefined;
  } catch {
    return undefined;
  }
}

const wrong = (code: "unauthorized" | "invalid" | "not_found" | "forbidden", message: string) => new SendError({ code, message, certain: true });

/** What a status means. Only those that say “later” are tried again. */
export function refusal(response: Response): SendError {
  const { status } = response;
  const message = `the address for answers said ${status}`;
  if (status === 429 || status === 503) {
    return new SendError({ code: "rate_limited", message, retryAfterMs: retryAfter(response.headers.get("retry-after")), certain: true });
  }
  if (status >= 500 || status === 408 || status === 425) return new SendError({ code: "unreachable", message, certain: false });
  if (status === 401) return wrong("unauthorized", message);
  if (status === 403) return wrong("forbidden", message);
  if (status === 404 || status === 410) return wrong("not_found", message);
  if (status < 400) return wrong("invalid", `${message}: redirects are not followed`);
  return wrong("invalid", message);
}

/** Seconds, or a date (RFC 9110, 10.2.3). */
function retryAfter(header: string | null): number {
  const seconds = Number(header);
  if (header !== null && Number.isFinite(seconds) && seconds >= 0) return Math.min(seconds * 1000, 3_600_000) || 1_000;
  const date = Date.parse(header ?? "");
  return Number.isNaN(date) ? 1_000 : Math.min(Math.max(date - Date.now(), 1_000), 3_600_000);
}
