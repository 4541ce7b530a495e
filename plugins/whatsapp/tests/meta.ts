/** Meta's side in memory: takes sends, and calls the plugin's route as it does, signed, again until it is answered with 200. */

import type { Channel, PluginContext, Route, RouteResponse } from "@kata-agents/plugin-sdk";
import { type FakeRequest, json, type Loaded } from "@kata-agents/plugin-sdk/testing";

export const PHONE = "100000000000001";
export const TOKEN = "EAA-token-of-the-test";
export const APP_SECRET = "app-secret-of-the-test";
export const CONFIG = { mode: "cloud", phoneNumberId: PHONE, apiRoot: "https://graph.example", apiVersion: "v25.0", template: "", templateLanguage: "en_US" };
export const SECRETS = { accessToken: TOKEN, appSecret: APP_SECRET, verifyToken: "verify-of-the-test" };

export const graphError = (code: number, status = 400, headers: Record<string, string> = {}) =>
  json({ error: { message: "(#" + code + ") no", type: "OAuthException", code, fbtrace_id: "x" } }, status, headers);

/** A webhook's body around messages. */
export function webhook(messages: readonly Record<string, unknown>[], more: Record<string, unknown> = {}): Record<string, unknown> {
  const value = {
    messaging_product: "whatsapp",
    metadata: { display_phone_number: "15550000001", phone_number_id: PHONE },
    contacts: [{ profile: { name: "Ann" }, wa_id: "15551234567" }],
    messages,
    ...more,
  };
  return { object: "whatsapp_business_account", entry: [{ id: "waba", changes: [{ field: "messages", value }] }] };
}

export const textMessage = (id: string, body: string) => ({ from: "15551234567", id, timestamp: "1700000000", type: "text", text: { body } });

/** As Meta signs: HMAC-SHA256 of the raw body with the app's secret. */
export async function signed(body: string, secret = APP_SECRET): Promise<string> {
  const key = await crypto.subtle.importKey("raw", new TextEncoder().encode(secret), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const mac = new Uint8Array(await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(body)));
  return `sha256=${Array.from(mac, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

/** Calls the route; gives the status. */
export async function call(route: Route, ctx: PluginContext, body: string, signature?: string): Promise<number> {
  const headers = { "x-hub-signature-256": signature ?? (await signed(body)) };
  const request = { method: "POST", path: "cloud", query: "", headers, body, bytes: new TextEncoder().encode(body) };
  if (!(await route.verify(request, ctx))) return 401;
  return ((await route.handle(request, ctx)) as RouteResponse).status ?? 200;
}

export class Meta {
  /** Bodies of what was sent, in order. */
  readonly sent: Record<string, unknown>[] = [];
  #up: { route: Route; ctx: PluginContext } | undefined;
  /** What nobody was there for. */
  readonly #waiting: Record<string, unknown>[] = [];

  /** The plugin's channel, with an eye on when it is up. */
  watched(loaded: Loaded): Channel {
    const channel = loaded.channel();
    const [route] = loaded.routes;
    const { messaging } = channel;
    if (route === undefined || messaging === undefined) throw new Error("the plugin has no route");
    return {
      ...channel,
      messaging: {
        ...messaging,
        connect: async (ctx) => {
          this.#up = { route, ctx };
          queueMicrotask(() => this.#waiting.splice(0).forEach((body) => void this.deliver(body)));
          await messaging.connect(ctx).finally(() => (this.#up = undefined));
        },
      },
    };
  }

  /** A person writes. */
  async deliver(body: Record<string, unknown>): Promise<void> {
    if (this.#up === undefined) return void this.#waiting.push(body);
    const status = await call(this.#up.route, this.#up.ctx, JSON.stringify(body));
    if (status !== 200) setTimeout(() => void this.deliver(body), 5_000);
  }

  readonly answer = (request: FakeRequest): Response => {
    if (request.headers["authorization"] !== `Bearer ${TOKEN}`) return graphError(190, 401);
    if (request.method === "GET") return json({ id: PHONE, display_phone_number: "+1 555 000 0001", verified_name: "Kata" });
    const body = request.json();
    if (body["status"] !== undefined) return json({ success: true });
    this.sent.push(body);
    return json({ messaging_product: "whatsapp", contacts: [{ input: body["to"], wa_id: body["to"] }], messages: [{ id: `wamid.${this.sent.length}` }] });
  };
}
