/**
 * Single sign-on: the person's browser goes to the server, signs in there, and is led back to this plugin's own path at the
 * gateway (`/hooks/matrix/signed-in`) with a login token, which is exchanged at once. The path takes only what carries the
 * word of a sign-in that was begun here, within ten minutes, once; so no page can sign the agent in as somebody else.
 */

import type { PluginContext, Route, RouteRequest } from "@kata-agents/plugin-sdk";
import { words } from "./failures.ts";
import { NotSignedIn, type Session } from "./session.ts";

const MAX_AGE_MS = 10 * 60_000;

export class SingleSignOn {
  readonly #session: Session;
  #begun: { word: string; at: number } | undefined;

  constructor(session: Session) {
    this.#session = session;
  }

  /** Address to open; the same while one sign-in is on its way. Nothing while the gateway does not listen. */
  async begin(base: string, ctx: PluginContext): Promise<string | undefined> {
    const back = await ctx.routeUrl("signed-in");
    if (back === undefined) return undefined;
    if (this.#begun === undefined || Date.now() - this.#begun.at > MAX_AGE_MS / 2) this.#begun = { word: newWord(), at: Date.now() };
    const url = `${back}?word=${this.#begun.word}`;
    return `${base}/_matrix/client/v3/login/sso/redirect?redirectUrl=${encodeURIComponent(url)}`;
  }

  /** Where the browser comes back to. */
  get route(): Route {
    return {
      path: "signed-in",
      methods: ["GET"],
      verify: (request) => this.#isBegun(request),
      handle: (request, ctx) => this.#back(request, ctx),
    };
  }

  #isBegun({ query }: RouteRequest): boolean {
    const begun = this.#begun;
    const word = new URLSearchParams(query).get("word") ?? "";
    return begun !== undefined && Date.now() - begun.at <= MAX_AGE_MS && alike(word, begun.word);
  }

  async #back({ query }: RouteRequest, ctx: PluginContext): Promise<{ status: number; headers: Record<string, string>; body: string }> {
    const token = new URLSearchParams(query).get("loginToken");
    this.#begun = undefined;
    if (token === null || token === "") return page(400, "The server gave no login token. Begin again in Kata Agents.");
    try {
      const { userId } = await this.#session.loginWithToken(ctx, token);
      return page(200, `Signed in as ${userId}. You can close this page.`);
    } catch (error) {
      ctx.logger.warn(`single sign-on: ${words(error)}`);
      const why = error instanceof NotSignedIn ? error.message : "The server does not answer.";
      return page(502, `${why} Begin again in Kata Agents.`);
    }
  }
}

function page(status: number, sentence: string) {
  const safe = sentence.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  const headers = { "content-type": "text/html; charset=utf-8", "cache-control": "no-store", "referrer-policy": "no-referrer" };
  return { status, headers, body: `<!doctype html><meta charset="utf-8"><title>Kata Agents</title><p>${safe}</p>\n` };
}

function newWord(): string {
  return [...crypto.getRandomValues(new Uint8Array(24))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Compares without telling by its time how much is right. */
function alike(one: string, other: string): boolean {
  let different = one.length ^ other.length;
  for (let at = 0; at < other.length; at += 1) different |= one.charCodeAt(at % Math.max(one.length, 1)) ^ other.charCodeAt(at);
  return different === 0;
}
