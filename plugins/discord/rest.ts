/**
 * Discord's REST API over `fetch`: one request, three kinds of failure. Waits by itself only as long as a bucket says and a call
 * may take; whether a failure is tried again is decided by whoever calls.
 */

import { Buckets } from "./buckets.ts";

/** Discord answered, and the answer is no. */
export class ApiError extends Error {
  readonly status: number;
  /** Discord's own code, such as 10003 (unknown channel); 0 where the body is not Discord's. */
  readonly code: number;
  /** Milliseconds to wait, on 429. */
  readonly retryAfterMs: number | undefined;

  constructor(what: string, status: number, code: number, message: string, retryAfterMs?: number) {
    super(`${what}: ${status}${code === 0 ? "" : `/${code}`} ${message}`);
    this.name = "ApiError";
    this.status = status;
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}

/** No answer. `sent` is false only when it is known that no request left. */
export class NetworkError extends Error {
  readonly sent: boolean;

  constructor(message: string, sent: boolean) {
    super(message);
    this.name = "NetworkError";
    this.sent = sent;
  }
}

/** Codes of a failed `fetch` after which no request can have left: the host's own, then those of Node, for the tests. */
const NOTHING_LEFT = new Set(["connect", "forbidden", "ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"]);
const USER_AGENT = "DiscordBot (https://github.com/kata-agents, 1.0)";
/** How long a request waits for its bucket before it says that it was too fast. */
const PATIENCE_MS = 12_000;

/** One request. */
export interface Call {
  json?: unknown;
  /** Instead of `json`: a body that is encoded already, with its type. */
  form?: { body: Uint8Array<ArrayBuffer>; type: string };
  signal?: AbortSignal | undefined;
  /** Longest wait for the whole answer, in milliseconds; default 20,000. */
  timeoutMs?: number;
  /** Interactions carry their own token and no global limit. */
  interaction?: boolean;
}

/** What requests of one token share, over all calls of a generation of the plugin. */
export class Rest {
  readonly #base: string;
  readonly #token: string;
  readonly #buckets = new Buckets();
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(apiRoot: string, token: string) {
    this.#base = `${apiRoot.replace(/\/+$/, "").replace(/\/v\d+$/, "")}/v10`;
    this.#token = token.replace(/^Bot\s+/i, "");
  }

  get token(): string {
    return this.#token;
  }

  get<T>(path: string, call: Call = {}): Promise<T> {
    return this.call<T>("GET", path, call);
  }

  /** Sends a request and gives the answer's JSON; nothing for 204. The caller knows the type from Discord's reference. */
  async call<T>(method: string, path: string, call: Call = {}): Promise<T> {
    const { route, major } = routeOf(method, path);
    const key = `${route} ${major}`;
    // Those of one bucket go one after the other, so that its count is right and order is kept.
    const before = this.#turns.get(key) ?? Promise.resolve();
    const mine = before.then(
      () => this.#now<T>(method, path, route, major, call),
      () => this.#now<T>(method, path, route, major, call),
    );
    const settled = mine.then(
      () => undefined,
      () => undefined,
    );
    this.#turns.set(key, settled);
    void settled.then(() => {
      if (this.#turns.get(key) === settled) this.#turns.delete(key);
    });
    return mine;
  }

  async #now<T>(method: string, path: string, route: string, major: string, call: Call): Promise<T> {
    const what = `${method} ${route}`;
    const until = Date.now() + PATIENCE_MS;
    for (;;) {
      if (call.signal?.aborted) throw new NetworkError(`${what}: given up`, false);
      const wait = this.#buckets.take(route, major, Date.now(), call.interaction === true);
      if (wait <= 0) break;
      if (Date.now() + wait > until) throw new ApiError(what, 429, 0, "too many requests", wait);
      await pause(wait, call.signal);
    }
    const abort = new AbortController();
    const forward = () => abort.abort();
    const timer = setTimeout(forward, call.timeoutMs ?? 20_000);
    call.signal?.addEventListener("abort", forward);
    try {
      const headers: Record<string, string> = { "user-agent": USER_AGENT };
      if (call.interaction !== true) headers["authorization"] = `Bot ${this.#token}`;
      const type = call.form?.type ?? (call.json === undefined ? undefined : "application/json");
      if (type !== undefined) headers["content-type"] = type;
      const body = call.form?.body ?? (call.json === undefined ? undefined : JSON.stringify(call.json));
      const response = await fetch(`${this.#base}${path}`, { method, headers, signal: abort.signal, ...(body === undefined ? {} : { body }) });
      return this.#answer<T>(what, route, major, response, await response.text());
    } catch (error) {
      if (error instanceof ApiError || error instanceof NetworkError) throw error;
      throw new NetworkError(`${what}: ${this.#clean(text(error))}`, !nothingLeft(error));
    } finally {
      clearTimeout(timer);
      call.signal?.removeEventListener("abort", forward);
    }
  }

  #answer<T>(what: string, route: string, major: string, response: Response, body: string): T {
    const now = Date.now();
    const number = (name: string) => numberIn(response.headers.get(name));
    this.#buckets.learn(
      route,
      major,
      {
        bucket: response.headers.get("x-ratelimit-bucket"),
        remaining: number("x-ratelimit-remaining"),
        resetAfter: number("x-ratelimit-reset-after"),
      },
      now,
    );
    const value = parse(body);
    if (response.ok) {
      if (value === undefined && response.status !== 204) throw new NetworkError(`${what}: the answer is not JSON`, true);
      return value as T;
    }
    const object = isObject(value) ? value : {};
    const code = typeof object["code"] === "number" ? object["code"] : 0;
    if (response.status === 429) {
      const seconds = numberIn(object["retry_after"]) ?? number("retry-after") ?? 1;
      const ms = Math.max(Math.ceil(seconds * 1_000), 50);
      const global = object["global"] === true || response.headers.get("x-ratelimit-global") === "true" || value === undefined;
      this.#buckets.refused(route, major, ms, global, now);
      throw new ApiError(what, 429, code, "too many requests", ms);
    }
    const message = typeof object["message"] === "string" ? this.#clean(object["message"]) : `HTTP ${response.status}`;
    throw new ApiError(what, response.status, code, message);
  }

  #clean(message: string): string {
    return message.split(this.#token).join("<token>").slice(0, 200);
  }
}

/**
 * The route of a path: its minor ids become `:id`, its first id stays apart as the major one. An interaction's token never gets
 * into a route, and so into no error.
 */
export function routeOf(method: string, path: string): { route: string; major: string } {
  const parts = (path.split("?")[0] ?? "").split("/").filter((part) => part !== "");
  const [first, id] = parts;
  if (first === "interactions" || first === "webhooks") {
    const rest = parts.slice(3).map((part) => (/^\d+$/.test(part) ? ":id" : part));
    return { route: `${method} /${first}/:id/:token/${rest.join("/")}`, major: parts.slice(1, 3).join("/") };
  }
  const major = (first === "channels" || first === "guilds") && id !== undefined ? id : "";
  const shape = parts.map((part, at) => {
    if (/^\d+$/.test(part)) return ":id";
    return parts[at - 1] === "reactions" ? ":emoji" : part;
  });
  return { route: `${method} /${shape.join("/")}`, major };
}

/** A failure as one sentence, for the log. */
export function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Waits, or ends early when `signal` is aborted. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener("abort", done);
  });
}

function nothingLeft(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const codes = [error, error.cause].map((of) => (isObject(of) ? of["code"] : undefined));
  return codes.some((code) => typeof code === "string" && NOTHING_LEFT.has(code)) || error.message.endsWith(": cannot connect");
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function numberIn(value: unknown): number | undefined {
  if (value === null || value === undefined || value === "") return undefined;
  const number = Number(value);
  return Number.isFinite(number) ? number : undefined;
}
