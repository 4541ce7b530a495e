/**
 * The client-server API over `fetch`: one request, two kinds of failure. Knows nothing of sign-ins (`session.ts` gives the
 * token and mends it) nor of what is sent; what a failure means to the host is decided in `failures.ts`.
 *
 * Source of every path and error code here: the Matrix specification v1.15, client-server API.
 */

import { type Fields, number, parseObject, text } from "./json.ts";

/** The server answered, and the answer is no. */
export class MatrixError extends Error {
  /** HTTP status. */
  readonly status: number;
  /** `errcode`, or `""` where the answer is not the API's. */
  readonly errcode: string;
  /** The server's sentence, at most 200 characters. */
  readonly reason: string;
  /** Milliseconds to wait, on 429: `retry_after_ms`, or the header `Retry-After`. */
  readonly retryAfterMs: number | undefined;
  /** The session is over, and the device is kept: a refresh or a new sign-in goes on where it was. */
  readonly softLogout: boolean;

  constructor(status: number, body: Fields, retryAfter: string | null) {
    const errcode = text(body["errcode"]) ?? "";
    const reason = (text(body["error"]) ?? `HTTP ${status}`).slice(0, 200);
    super(errcode === "" ? reason : `${errcode}: ${reason}`);
    this.name = "MatrixError";
    this.status = status;
    this.errcode = errcode;
    this.reason = reason;
    this.softLogout = body["soft_logout"] === true;
    this.retryAfterMs = number(body["retry_after_ms"]) ?? waitOf(retryAfter);
  }

  /** The token is not, or no longer, one of this server's. */
  get tokenRefused(): boolean {
    return this.errcode === "M_UNKNOWN_TOKEN" || this.errcode === "M_MISSING_TOKEN" || (this.status === 401 && this.errcode === "");
  }

  get tooFast(): boolean {
    return this.status === 429 || this.errcode === "M_LIMIT_EXCEEDED";
  }
}

/** No answer. `sent` is false only when it is known that no request left. */
export class NetworkError extends Error {
  readonly sent: boolean;
  /** The answer was larger than the host takes. */
  readonly tooLarge: boolean;
  /** The host may not be reached: the address is not granted. */
  readonly forbidden: boolean;

  constructor(message: string, sent: boolean, kind: "network" | "too_large" | "forbidden" = "network") {
    super(message);
    this.name = "NetworkError";
    this.sent = sent;
    this.tooLarge = kind === "too_large";
    this.forbidden = kind === "forbidden";
  }
}

/** Codes of a failed `fetch` after which no request can have left: the host's own, then those of Node, for the tests. */
const NOTHING_LEFT = new Set(["connect", "forbidden", "ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"]);

/** How one request is made. */
export interface Ask {
  query?: Readonly<Record<string, string | undefined>>;
  /** Sent as JSON. */
  json?: unknown;
  /** Sent as they are, with their media type. */
  bytes?: { data: Uint8Array<ArrayBuffer>; mime: string };
  /** Aborts the request; it then rejects with a `NetworkError`. */
  signal?: AbortSignal;
  /** Longest wait for the whole answer, in milliseconds; default 30 000. */
  timeoutMs?: number;
}

export class Api {
  /** Where the server's API is, without a slash at its end. */
  readonly base: string;
  /** Goes along as `Authorization`; none for what everybody may ask. */
  readonly token: string | undefined;

  constructor(base: string, token?: string) {
    this.base = base.replace(/\/+$/, "");
    this.token = token;
  }

  get(path: string, ask: Ask = {}): Promise<Fields> {
    return this.request("GET", path, ask);
  }

  post(path: string, json: unknown, ask: Ask = {}): Promise<Fields> {
    return this.request("POST", path, { ...ask, json });
  }

  put(path: string, json: unknown, ask: Ask = {}): Promise<Fields> {
    return this.request("PUT", path, { ...ask, json });
  }

  /** One request below the base; `path` begins with a slash and is encoded already. */
  async request(method: string, path: string, ask: Ask = {}): Promise<Fields> {
    const abort = new AbortController();
    const forward = () => abort.abort();
    const timer = setTimeout(forward, ask.timeoutMs ?? 30_000);
    if (ask.signal?.aborted) abort.abort();
    ask.signal?.addEventListener("abort", forward);
    try {
      const response = await fetch(`${this.base}${path}${queryOf(ask.query)}`, { ...this.#init(method, ask), signal: abort.signal });
      return answerOf(response, await response.text());
    } catch (error) {
      if (error instanceof MatrixError || error instanceof NetworkError) throw error;
      throw this.#network(error, abort.signal.aborted && !ask.signal?.aborted);
    } finally {
      clearTimeout(timer);
      ask.signal?.removeEventListener("abort", forward);
    }
  }

  #init(method: string, ask: Ask): RequestInit {
    const headers: Record<string, string> = {};
    if (this.token !== undefined) headers["authorization"] = `Bearer ${this.token}`;
    if (ask.bytes !== undefined) {
      headers["content-type"] = ask.bytes.mime;
      return { method, headers, body: ask.bytes.data };
    }
    if (ask.json === undefined) return { method, headers };
    headers["content-type"] = "application/json";
    return { method, headers, body: JSON.stringify(ask.json) };
  }

  #network(error: unknown, late: boolean): NetworkError {
    const words = late ? "no answer in time" : this.#clean(error instanceof Error ? error.message : "the request failed");
    const codes = codesOf(error);
    if (codes.includes("forbidden")) return new NetworkError(words, false, "forbidden");
    if (words.includes("the answer is over")) return new NetworkError(words, true, "too_large");
    return new NetworkError(words, !codes.some((code) => NOTHING_LEFT.has(code)));
  }

  /** Error texts of the network layer are the host's; this is for the day when one of them shows a header. */
  #clean(message: string): string {
    return (this.token === undefined ? message : message.split(this.token).join("<token>")).slice(0, 200);
  }
}

function answerOf(response: Response, body: string): Fields {
  const answer = parseObject(body);
  if (response.ok && answer !== undefined) return answer;
  if (response.ok) throw new NetworkError("the answer is no JSON object", true);
  throw new MatrixError(response.status, answer ?? {}, response.headers.get("retry-after"));
}

function queryOf(query: Ask["query"]): string {
  const given = Object.entries(query ?? {}).filter((pair): pair is [string, string] => pair[1] !== undefined);
  if (given.length === 0) return "";
  return `?${given.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&")}`;
}

/** `Retry-After` in seconds; a date is not worth reading, because every Matrix server gives seconds. */
function waitOf(header: string | null): number | undefined {
  const seconds = header === null ? Number.NaN : Number(header);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined;
}

function codesOf(error: unknown): string[] {
  if (!(error instanceof Error)) return [];
  const cause: unknown = error.cause;
  return [error, cause].flatMap((one) => {
    const code: unknown = typeof one === "object" && one !== null && "code" in one ? one.code : undefined;
    return typeof code === "string" ? [code] : [];
  });
}

/** One part of a path: ids hold `!`, `$`, `@` and `:`, and since room version 12 no domain need follow. */
export function part(id: string): string {
  return encodeURIComponent(id);
}
