/**
 * Google's APIs over `request`: the account's token, one renewal after a 401, what a failure means, and a budget of quota units.
 * The plugins `gmail` and `calendar` have this very file each, since a plugin's modules lie in its own folder; a test holds them equal.
 * Deliberately absent: waiting and trying again on its own account, except `patiently`, which a tool call asks for.
 */

import type { PluginContext } from "@kata-agents/plugin-sdk";
import { backoff, type Clock, HttpError, NetworkError, request } from "@kata-agents/plugin-sdk/sending";

/** The provider's id, as the capability has it. */
const PROVIDER = "google";
/** Longest wait a platform may ask of a tool call, in milliseconds; the call has 60 seconds. */
const TOOL_PATIENCE_MS = 20_000;
/** Tries of one tool call. */
const TOOL_TRIES = 4;
/** Wait where Google says “too fast” and not how long. */
const LIMITED_MS = 5_000;
/** https://developers.google.com/workspace/gmail/api/guides/handle-errors and the same page of Calendar. */
const LIMITED = new Set(["rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded", "dailyLimitExceeded", "calendarUsageLimitsExceeded", "RATE_LIMIT_EXCEEDED"]);
const SCOPES = new Set(["insufficientPermissions", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"]);

/** Nobody is signed in, or Google no longer takes the sign-in: only a person can mend it, and nothing is asked until then. */
export class SignInNeeded extends Error {
  constructor(why: string) {
    super(why);
    this.name = "SignInNeeded";
  }
}

/** What an answer means. */
export type Meaning = "limited" | "scope" | "forbidden" | "missing" | "gone" | "conflict" | "invalid" | "server";

/** Google answered, and the answer is no. */
export class GoogleError extends Error {
  readonly status: number;
  /** Google's own word, such as `notFound`. */
  readonly reason: string;
  readonly meaning: Meaning;
  /** Google's sentence, for the model; it may repeat what was asked, so it is neither logged nor part of `message`. */
  readonly detail: string;
  readonly retryAfterMs: number | undefined;

  constructor(what: string, error: HttpError) {
    const body = error.json()?.["error"];
    const said = isObject(body) ? body : {};
    const reason = reasonOf(said);
    super(`${what}: HTTP ${error.status}${reason === "" ? "" : ` (${reason})`}`);
    this.name = "GoogleError";
    this.status = error.status;
    this.reason = reason;
    this.meaning = meaningOf(error.status, reason);
    this.detail = typeof said["message"] === "string" ? said["message"].slice(0, 300) : "";
    this.retryAfterMs = this.meaning === "limited" ? (error.retryAfterMs ?? LIMITED_MS) : error.retryAfterMs;
  }
}

function reasonOf(said: Record<string, unknown>): string {
  for (const list of [said["errors"], said["details"]]) {
    if (!Array.isArray(list)) continue;
    for (const one of list) if (isObject(one) && typeof one["reason"] === "string") return one["reason"].slice(0, 60);
  }
  return typeof said["status"] === "string" ? said["status"].slice(0, 60) : "";
}

function meaningOf(status: number, reason: string): Meaning {
  if (status === 429 || (status === 403 && LIMITED.has(reason))) return "limited";
  if (status === 403) return SCOPES.has(reason) ? "scope" : "forbidden";
  if (status === 404) return "missing";
  if (status === 410) return "gone";
  if (status === 409 || status === 412) return "conflict";
  return status >= 500 || status === 408 ? "server" : "invalid";
}

/** Units a minute, given back evenly. Who finds none left waits for its share, in the order of asking. */
export class Quota {
  readonly #perMinute: number;
  readonly #clock: Clock;
  #left: number;
  #at: number;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(perMinute: number, clock: Clock) {
    this.#perMinute = perMinute;
    this.#clock = clock;
    this.#left = perMinute;
    this.#at = clock.now();
  }

  /** Takes units, waiting until there are as many. */
  take(units: number, signal: AbortSignal): Promise<void> {
    const work = async () => {
      this.#refill();
      const wanted = Math.min(units, this.#perMinute);
      if (this.#left < wanted) await this.#clock.sleep(Math.ceil(((wanted - this.#left) * 60_000) / this.#perMinute), signal);
      this.#refill();
      this.#left -= wanted;
    };
    const result = this.#turn.then(work, work);
    this.#turn = result;
    return result;
  }

  #refill(): void {
    const now = this.#clock.now();
    // A clock that was set back gives nothing, and takes nothing either.
    this.#left = Math.min(this.#perMinute, this.#left + (Math.max(0, now - this.#at) * this.#perMinute) / 60_000);
    this.#at = now;
  }
}

/** One request. */
export interface Ask {
  /** Method's name in Google's reference, for errors. */
  name: string;
  /** Below the root, with its first slash. */
  path: string;
  method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  query?: Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;
  /** An object, or JSON made beforehand. */
  body?: Readonly<Record<string, unknown>> | Blob;
  headers?: Readonly<Record<string, string>>;
  /** Quota units it costs; default 1. */
  units?: number;
  timeoutMs?: number;
}

export type Answer = Record<string, unknown>;

/** The door to one of Google's APIs. */
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

/** Whether a failure passes by itself. */
export function isTransient(error: unknown): boolean {
  return error instanceof NetworkError || (error instanceof GoogleError && (error.meaning === "limited" || error.meaning === "server"));
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

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The objects of a list in an answer; what does not fit is left out. */
export function objects(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** A text of an answer, or nothing. */
export function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
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

/** What a failure is to the model: what was wrong, and what to do. */
export function said(error: unknown, doing: string): Error {
  if (error instanceof SignInNeeded) return new Error(`${doing}: nobody is signed in at Google. Ask the person to sign in again under Sources.`);
  if (error instanceof NetworkError) {
    return new Error(error.sent ? `${doing}: Google did not answer, and nobody knows whether it happened. Look before you try again.` : `${doing}: Google cannot be reached now. Nothing was changed.`);
  }
  if (!(error instanceof GoogleError)) return error instanceof Error ? error : new Error(`${doing}: it failed.`);
  const words = error.detail === "" ? "" : ` Google says: ${error.detail}`;
  switch (error.meaning) {
    case "limited":
      return new Error(`${doing}: Google asks to go slower. Nothing was changed; try again in a minute.`);
    case "scope":
      return new Error(`${doing}: the sign-in does not allow it. Ask the person to sign in again and to leave every box ticked.`);
    case "forbidden":
      return new Error(`${doing}: this account may not do that.${words}`);
    case "missing":
    case "gone":
      return new Error(`${doing}: there is no such thing (any more).${words}`);
    case "conflict":
      return new Error(`${doing}: somebody changed it in the meantime. Read it again, then decide anew.`);
    case "server":
      return new Error(`${doing}: Google failed (HTTP ${error.status}), and it may have happened all the same. Look before you try again.`);
    case "invalid":
      return new Error(`${doing}: Google does not take it.${words}`);
  }
}
