/**
 * The chat server as this plugin sees it. Three requests:
 *
 * - `GET  /messages?after=N` answers `[{ id, room, direct, from, name, text }]`, ids growing; it may wait for news.
 * - `POST /messages` with `{ room, text, key }` answers `{ id }`; the same `key` again makes no second message.
 * - Both want `Authorization: Bearer TOKEN`.
 *
 * Put your platform's own in its place.
 */

import type { PluginContext } from "@kata-agents/plugin-sdk";

/** One message of the server. */
export interface ServerMessage {
  id: number;
  room: string;
  direct: boolean;
  from: string;
  name: string;
  text: string;
}

/** The server answered, and not with what was asked for. */
export class ServerError extends Error {
  readonly status: number;
  /** Milliseconds to wait, where the server said so. */
  readonly retryAfterMs: number | undefined;

  constructor(status: number, retryAfterMs?: number) {
    super(`the server answered with ${status}`);
    this.name = "ServerError";
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }
}

/** No token has been set; only a person can mend that. */
export class NoToken extends Error {}

/** Asks the server. Throws `ServerError` when it refuses, whatever `fetch` throws when it does not answer. */
export async function ask(path: string, ctx: PluginContext, init: { method?: string; body?: string } = {}): Promise<unknown> {
  const token = await ctx.secrets.get("token");
  if (token === undefined) throw new NoToken("there is no token");
  const base = String(ctx.config["url"] ?? "").replace(/\/+$/, "");
  const response = await fetch(base + path, {
    ...init,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    signal: ctx.signal,
  });
  if (!response.ok) {
    const seconds = Number(response.headers.get("retry-after"));
    throw new ServerError(response.status, seconds > 0 ? seconds * 1000 : undefined);
  }
  return response.json();
}
