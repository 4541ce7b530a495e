/** The route Meta calls: the challenge when the webhook is registered, then events, signed over the raw body with the app's secret. */

import type { ConnectContext, PluginContext, RouteRequest, RouteResponse } from "@kata-agents/plugin-sdk";
import { eventsOf } from "./cloud-inbound.ts";
import { phoneOf, secretOf } from "./cloud-settings.ts";

/** What the route works with; `connected` is there while the channel is up. */
export interface Door {
  connected: ConnectContext | undefined;
}

async function hmac(secret: string): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", new TextEncoder().encode(secret), { name: "HMAC", hash: "SHA-256" }, false, ["sign", "verify"]);
}

/** Whether two texts are the same, in a time that says nothing about where they differ. */
async function same(a: string, b: string): Promise<boolean> {
  const key = await hmac("compare");
  const encoder = new TextEncoder();
  return crypto.subtle.verify("HMAC", key, await crypto.subtle.sign("HMAC", key, encoder.encode(a)), encoder.encode(b));
}

/** Whether it is Meta who calls. */
export async function verify(request: RouteRequest, ctx: PluginContext): Promise<boolean> {
  if (request.method === "GET") {
    const wanted = await secretOf(ctx, "verifyToken");
    const query = new URLSearchParams(request.query);
    return wanted !== undefined && query.get("hub.mode") === "subscribe" && same(query.get("hub.verify_token") ?? "", wanted);
  }
  const secret = await secretOf(ctx, "appSecret");
  const match = /^sha256=([0-9a-f]{64})$/i.exec(request.headers["x-hub-signature-256"] ?? "");
  if (secret === undefined || match === null) return false;
  const signature = Uint8Array.from((match[1] ?? "").match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  return crypto.subtle.verify("HMAC", await hmac(secret), signature, request.bytes);
}

/** Takes a verified request. Meta calls again, for days, until it is answered with 200; what was taken then is dropped by its id. */
export async function handle(request: RouteRequest, ctx: PluginContext, door: Door): Promise<RouteResponse> {
  if (request.method === "GET") {
    return { status: 200, headers: { "content-type": "text/plain" }, body: (new URLSearchParams(request.query).get("hub.challenge") ?? "").slice(0, 200) };
  }
  const host = door.connected;
  if (host === undefined) return { status: 503, headers: { "retry-after": "10" } };
  let body: unknown;
  try {
    body = JSON.parse(request.body);
  } catch {
    return { status: 400, body: "no JSON" };
  }
  try {
    for (const event of eventsOf(body, phoneOf(ctx))) {
      if (event.kind === "message") await host.receive(event.draft);
      else if (event.kind === "notice") await host.notice(event.notice);
      else if (event.kind === "press") await host.press(event.press);
      else ctx.logger.warn(`WhatsApp did not deliver a message (${event.code ?? "no code"})${event.code === 131_047 ? ": more than 24 hours since the person wrote last; set a template" : ""}`);
    }
  } catch (error) {
    ctx.logger.warn(`not_stored: ${error instanceof Error ? error.name : "error"}; Meta is told to call again`);
    return { status: 503, headers: { "retry-after": "10" } };
  }
  return { status: 200 };
}
