/**
 * Requests from outside. `verify` looks at the signature alone; `handle` reads the JSON, hands it in, and answers with what came
 * of it. Only a message that is on the host's disk is answered with a status that says it was taken, so a sender that tries
 * again on anything else loses nothing.
 */

import type { ConnectContext, InboundDraft, IngressAnswer, PluginContext, RouteRequest, RouteResponse } from "@kata-agents/plugin-sdk";
import { BadRequest, draftOf, parseMapping } from "./mapping.ts";
import { secretOf, settingsOf } from "./settings.ts";
import { HUB_HEADER, hex, KATA_HEADER, parseKata, verifyHub, verifyKata } from "./signature.ts";
import type { Waiting } from "./waiting.ts";

/** How long a request is kept for its answer; the host ends a call after 30 seconds. */
export const PATIENCE_MS = 25_000;
/** Signatures that are remembered; more than a person's automation makes within the tolerance. */
const MOST_SEEN = 4_096;

/** Signatures that were taken, so that a request that was listened in on cannot be used again. */
export class Seen {
  readonly #until = new Map<string, number>();

  /** Whether it was taken within its time. */
  has(signature: string, now: number): boolean {
    return (this.#until.get(signature) ?? 0) > now;
  }

  /** Remembers one until its time makes it worthless. */
  add(signature: string, until: number, now: number): void {
    for (const [old, end] of this.#until) {
      if (end > now && this.#until.size < MOST_SEEN) break;
      this.#until.delete(old);
    }
    this.#until.set(signature, until);
  }
}

/** What the route works with. `connected` is there while the channel is up. */
export interface Door {
  connected: ConnectContext | undefined;
  readonly seen: Seen;
  /** Whether the receiver of answers refused the last signature. */
  refused: boolean;
  readonly waiting: Waiting;
}

/** Whether the request is from somebody who knows the secret, and not too old. */
export async function verify(request: RouteRequest, ctx: PluginContext): Promise<boolean> {
  const secret = await secretOf(ctx);
  if (secret === undefined) return false;
  const { signature, toleranceMs } = settingsOf(ctx);
  if (signature === "github") return verifyHub(request.headers[HUB_HEADER], secret, request.bytes);
  return verifyKata(request.headers[KATA_HEADER], secret, request.bytes, Date.now(), toleranceMs);
}

const answer = (status: number, body: Record<string, unknown>, headers: Record<string, string> = {}): RouteResponse => ({
  status,
  headers: { "content-type": "application/json", ...headers },
  body: JSON.stringify(body),
});

/** Takes a verified request in. */
export async function handle(request: RouteRequest, ctx: PluginContext, door: Door): Promise<RouteResponse> {
  const settings = settingsOf(ctx);
  const now = Date.now();
  const signed = settings.signature === "kata" ? parseKata(request.headers[KATA_HEADER]) : undefined;
  const signature = signed === undefined ? undefined : `${signed.time}.${signed.digests.join()}`;
  if (signature !== undefined && door.seen.has(signature, now)) return answer(409, { error: "this request was taken already" });
  const host = door.connected;
  if (host === undefined) return answer(503, { error: "the channel is not up" }, { "retry-after": "5" });
  let draft: InboundDraft;
  try {
    draft = draftOf(parsed(request.body), {
      mapping: parseMapping(settings.mapping),
      chatType: settings.chatType,
      fallbackId: await fallbackId(request, signature),
      now,
    });
  } catch (error) {
    if (error instanceof BadRequest) return answer(400, { error: error.message });
    throw error;
  }
  const reply = settings.answerInResponse ? door.waiting.expect(draft.messageId, PATIENCE_MS) : undefined;
  let taken: IngressAnswer;
  try {
    taken = await host.receive(draft);
  } catch (error) {
    reply?.stop();
    ctx.logger.warn(`not_stored: ${error instanceof Error ? error.name : "error"}; the sender is told to try again`);
    return answer(503, { error: "the message could not be stored; send it again" }, { "retry-after": "5" });
  }
  if (signature !== undefined && signed !== undefined) door.seen.add(signature, Number(signed.time) * 1000 + settings.toleranceMs, now);
  const told = { id: draft.messageId, outcome: taken.outcome };
  if (taken.outcome === "duplicate") {
    reply?.stop();
    return answer(200, told);
  }
  if (taken.outcome === "refused") {
    // A stranger is told his pairing code by a reply; all other refusals have none.
    const text = taken.code === "pairing_required" ? await reply?.answer : reply?.stop();
    return answer(403, { ...told, code: taken.code, ...(text === undefined ? {} : { text }) });
  }
  const text = await reply?.answer;
  return text === undefined ? answer(202, told) : answer(200, { ...told, text });
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw new BadRequest("the body is no JSON");
  }
}

/** An id for a message that brings none: the service's own of this delivery, else a digest of what was signed. */
async function fallbackId(request: RouteRequest, signature: string | undefined): Promise<string> {
  const given = request.headers["idempotency-key"] ?? request.headers["x-github-delivery"];
  if (given !== undefined && given.length > 0 && given.length <= 200) return given;
  if (signature !== undefined) return `sha-${hex(new Uint8Array(await digest(new TextEncoder().encode(signature)))).slice(0, 40)}`;
  return `sha-${hex(new Uint8Array(await digest(request.bytes))).slice(0, 40)}`;
}

function digest(bytes: Uint8Array<ArrayBuffer>): Promise<ArrayBuffer> {
  return crypto.subtle.digest("SHA-256", bytes);
}
