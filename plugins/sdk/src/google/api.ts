/**
 * The door to Google's APIs: the account's token, one renewal after a 401, the budget of quota units, pages.
 * Deliberately absent: waiting and trying again on its own account, except `patiently`, which a tool call asks for.
 */

import { backoff, type Clock, HttpError, NetworkError, request } from "@kata-agents/plugin-sdk/sending";
import type { PluginContext } from "../context.ts";
import { GoogleError, SignInNeeded } from "./failures.ts";
import { text } from "./json.ts";
import type { Quota } from "./quota.ts";

/** The provider's id, as the capability has it. */
const PROVIDER = "google";
/** Longest wait a platform may ask of a tool call, in milliseconds; the call has 60 seconds. */
const TOOL_PATIENCE_MS = 20_000;
/** Tries of one tool call. */
const TOOL_TRIES = 4;

/** One request. */
export interface Ask {
  /** Method's name in Google's reference, for errors. */
  name: string;
  /** Below the root, with its first slash. */
  path: string;
  /** Default `POST` with a body, else `GET`. */
  method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Parameters; a list is one parameter several times, what is undefined is left out. */
  query?: Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;
  /** An object, or JSON made beforehand. */
  body?: Readonly<Record<string, unknown>> | Blob;
  /** Headers beside the sign-in. */
  headers?: Readonly<Record<string, string>>;
  /** Quota units it costs; default 1. */
  units?: number;
  /** Longest wait for the whole answer, in milliseconds; default 30 000. */
  timeoutMs?: number;
}

/** An answer: a JSON object, empty where Google sends none. */
export type Answer = Record<string, unknown>;

/** The door to one of Google's APIs. The plugin needs `oauth:google:…` and `net:` for the host of `root`. */
export class GoogleApi {
  readonly #root: string;
  readonly #quota: Quota;
  readonly #clock: Clock;
  #skew = 0;

  constructor(root: string, quota: Quota, clock: Clock) {
    this.#root = root.replace(/\/+$/, "");
    this.#quota = quota;
    this.#clock = clock;
  }

  /** The time at Google, as far as its answers said; this machine's clock may be wrong. */
  now(): number {
    return this.#clock.now() + this.#skew;
  }

  /** Asks once; after a 401 once more with a renewed token. Rejects with `SignInNeeded`, `GoogleError` or `NetworkError`. */
  async ask(ctx: PluginContext, ask: Ask): Promise<Answer> {
    const token = await tokenOf(ctx);
    await this.#quota.take(ask.units ?? 1, ctx.signal);
    try {
      return await this.#send(ctx, ask, token);
    } catch (error) {
      if (!(error instanceof HttpError) || error.status !== 401) throw meant(ask, error);
    }
    await ctx.oauth.refused(PROVIDER, token).catch(signInError);
    const renewed = await tokenOf(ctx);
    await this.#quota.take(ask.units ?? 1, ctx.signal);
    try {
      return await this.#send(ctx, ask, renewed);
    } catch (error) {
      if (error instanceof HttpError && error.status === 401) throw new SignInNeeded("Google refuses the renewed sign-in, too.");
      throw meant(ask, error);
    }
  }

  /** For a tool call: waits where Google says so, and asks again what only reads. */
  async patiently(ctx: PluginContext, ask: Ask): Promise<Answer> {
    const waits = backoff(Math.random, { firstMs: 1_000, maxMs: TOOL_PATIENCE_MS });
    for (let left = TOOL_TRIES - 1; ; left -= 1) {
      try {
        return await this.ask(ctx, ask);
      } catch (error) {
        const wait = waits.next(error instanceof GoogleError ? (error.retryAfterMs ?? 0) : 0);
        if (left === 0 || ctx.signal.aborted || wait > TOOL_PATIENCE_MS || !againIsSafe(ask, error)) throw error;
        await this.#clock.sleep(wait, ctx.signal);
      }
    }
  }

  async #send(ctx: PluginContext, ask: Ask, token: string): Promise<Answer> {
    const answer = await request(`${this.#root}${ask.path}${queryOf(ask.query)}`, {
      what: ask.name,
      method: ask.method ?? (ask.body === undefined ? "GET" : "POST"),
      headers: { authorization: `Bearer ${token}`, ...ask.headers },
      ...(ask.body === undefined ? {} : { body: ask.body instanceof Blob ? ask.body : { ...ask.body } }),
      signal: ctx.signal,
      secrets: [token],
      timeoutMs: ask.timeoutMs ?? 30_000,
    });
    const date = Date.parse(answer.headers.get("date") ?? "");
    if (!Number.isNaN(date)) this.#skew = date - this.#clock.now();
    return answer.status === 204 || answer.text === "" ? {} : answer.json();
  }
}

/** “Too fast” did nothing yet; of the rest only what reads may be asked again. */
function againIsSafe(ask: Ask, error: unknown): boolean {
  if (error instanceof GoogleError && error.meaning === "limited") return true;
  const reads = (ask.method ?? (ask.body === undefined ? "GET" : "POST")) === "GET";
  if (error instanceof NetworkError) return reads || !error.sent;
  return reads && error instanceof GoogleError && error.meaning === "server";
}

async function tokenOf(ctx: PluginContext): Promise<string> {
  return (await ctx.oauth.token(PROVIDER).catch(signInError)).accessToken;
}

function signInError(error: unknown): never {
  const code = (error as { code?: unknown } | null)?.code;
  if (code === "needs_user") throw new SignInNeeded("Nobody is signed in at Google, or the sign-in was taken back.");
  if (code === "forbidden") throw new SignInNeeded("The plugin may not use the account: grant it the capability `oauth:google`.");
  throw new NetworkError("Google: the sign-in could not be renewed now", false);
}

function meant(ask: Ask, error: unknown): unknown {
  return error instanceof HttpError ? new GoogleError(ask.name, error) : error;
}

function queryOf(query: Ask["query"]): string {
  const parts: string[] = [];
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value === undefined) continue;
    for (const one of Array.isArray(value) ? (value as readonly string[]) : [value]) parts.push(`${name}=${encodeURIComponent(String(one))}`);
  }
  return parts.length === 0 ? "" : `?${parts.join("&")}`;
}

/** Most pages of one list; more is a list that leads in a circle. */
const MOST_PAGES = 200;

/** Asks page after page. An answer that names the page it is ends with an error instead of never. */
export async function* pages(api: GoogleApi, ctx: PluginContext, ask: Ask): AsyncGenerator<Answer, void, undefined> {
  let token: string | undefined;
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const answer = await api.ask(ctx, { ...ask, query: { ...ask.query, pageToken: token } });
    yield answer;
    const next = text(answer["nextPageToken"]);
    if (next === undefined) return;
    if (next === token) throw new NetworkError(`${ask.name}: a page names itself as the next one`, true);
    token = next;
  }
  throw new NetworkError(`${ask.name}: more than ${MOST_PAGES} pages`, true);
}
