/**
 * One HTTP request as a channel makes it: with a time limit and an end, two kinds of failure, and what each of them means for
 * a send. Tries nothing again; the host and the plugin's own loop do that.
 */

import { SendError } from "@kata-agents/plugin-sdk";
import type { SendErrorCode } from "../generated.ts";

/** No answer. `sent` is false only when it is known that no request left. */
export class NetworkError extends Error {
  /** Whether bytes may have left. */
  readonly sent: boolean;

  constructor(message: string, sent: boolean) {
    super(message);
    this.name = "NetworkError";
    this.sent = sent;
  }
}

/** The server answered, and the answer is no. */
export class HttpError extends Error {
  /** HTTP status. */
  readonly status: number;
  /** The answer, at most 64 KiB; it may hold anything, so it is not part of `message`. */
  readonly body: string;
  /** How long to wait before the next attempt, in milliseconds, where the server says so. */
  readonly retryAfterMs: number | undefined;

  constructor(what: string, status: number, body: string, retryAfterMs?: number) {
    super(`${what}: HTTP ${status}`);
    this.name = "HttpError";
    this.status = status;
    this.body = body;
    this.retryAfterMs = retryAfterMs;
  }

  /** The body as a JSON object, or `undefined`. */
  json(): Record<string, unknown> | undefined {
    return objectOf(this.body);
  }
}

/** How one request is made. */
export interface RequestOptions {
  /** What it is, for errors: a method's name. Default the host and path. */
  what?: string;
  /** Default `POST` with a body, else `GET`. */
  method?: string;
  /** Headers. */
  headers?: Readonly<Record<string, string>>;
  /** Body; a plain object is sent as JSON. */
  body?: BodyInit | Readonly<Record<string, unknown>>;
  /** Ends it; it then rejects with a `NetworkError`. */
  signal?: AbortSignal;
  /** Longest wait for the whole answer, in milliseconds; default 30 000. */
  timeoutMs?: number;
  /** Texts that no error may show, such as a token that stands in the address. */
  secrets?: readonly string[];
  /** Default the global one. */
  fetch?: typeof fetch;
}

/** An answer with a status of 200 to 299. */
export interface HttpAnswer {
  /** HTTP status. */
  status: number;
  /** Headers. */
  headers: Headers;
  /** The body. */
  text: string;
  /** The body as a JSON object; a `NetworkError` where it is none, since nobody knows then what happened. */
  json(): Record<string, unknown>;
}

/** Codes of a failed `fetch` after which no request can have left: the host's own, then those of Node, for the tests. */
const NOTHING_LEFT = new Set(["connect", "forbidden", "ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"]);
const MAX_ERROR_BODY = 64 * 1024;

/** Makes a request. Rejects with a `NetworkError` or an `HttpError`. */
export async function request(url: string, options: RequestOptions = {}): Promise<HttpAnswer> {
  const what = options.what ?? placeOf(url);
  const clean = (message: string) => (options.secrets ?? []).reduce((text, secret) => (secret === "" ? text : text.split(secret).join("<secret>")), message).slice(0, 200);
  const abort = new AbortController();
  const forward = () => abort.abort();
  const timer = setTimeout(forward, options.timeoutMs ?? 30_000);
  if (options.signal?.aborted) abort.abort();
  options.signal?.addEventListener("abort", forward);
  try {
    const response = await (options.fetch ?? fetch)(url, { ...initOf(options), signal: abort.signal });
    const text = await response.text();
    if (!response.ok) throw new HttpError(what, response.status, text.slice(0, MAX_ERROR_BODY), retryAfter(response.headers.get("retry-after"), Date.now()));
    return { status: response.status, headers: response.headers, text, json: () => answerOf(what, text) };
  } catch (error) {
    if (error instanceof HttpError) throw error;
    throw new NetworkError(`${what}: ${clean(messageOf(error))}`, !nothingLeft(error));
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener("abort", forward);
  }
}

function initOf({ method, headers, body }: RequestOptions): RequestInit {
  if (body === undefined) return { method: method ?? "GET", headers: { ...headers } };
  const plain = Object.getPrototypeOf(body) === Object.prototype;
  return {
    method: method ?? "POST",
    headers: plain ? { "content-type": "application/json", ...headers } : { ...headers },
    body: plain ? JSON.stringify(body) : (body as BodyInit),
  };
}

/** `Retry-After` in milliseconds: seconds, or a date. */
export function retryAfter(value: string | null, now: number): number | undefined {
  if (value === null || value.trim() === "") return undefined;
  const seconds = Number(value);
  if (Number.isFinite(seconds)) return seconds < 0 ? 0 : Math.ceil(seconds * 1000);
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** What a channel adds to the usual meaning of a failure. */
export interface SendErrorOptions {
  /** Name of the platform, for the person. */
  platform: string;
  /** Says what an answer means where that is more than its status; nothing: the usual. */
  meaning?(error: HttpError): { code: SendErrorCode; message: string; retryAfterMs?: number; certain?: boolean } | undefined;
}

/**
 * What a failure means for a send: an answer of 5xx or none at all may have sent it, 429 and the other 4xx have not. Gives a
 * `SendError` as it is.
 */
export function sendErrorOf(error: unknown, { platform, meaning }: SendErrorOptions): SendError {
  if (error instanceof SendError) return error;
  if (error instanceof NetworkError) return new SendError({ code: "unreachable", message: `${platform}: ${error.message}`, certain: !error.sent });
  if (!(error instanceof HttpError)) return new SendError({ code: "unreachable", message: `${platform}: the send failed in the plugin`, certain: false });
  const said = meaning?.(error);
  if (said !== undefined) {
    const { retryAfterMs, certain = true, ...fields } = said;
    return new SendError({ ...fields, certain, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
  }
  const message = `${platform}: HTTP ${error.status}`;
  if (error.status === 429) return new SendError({ code: "rate_limited", message, retryAfterMs: error.retryAfterMs ?? 1000, certain: true });
  if (error.status >= 500 || error.status === 408) return new SendError({ code: "unreachable", message, certain: false });
  const code = ({ 401: "unauthorized", 403: "forbidden", 404: "not_found" } as const)[error.status as 401 | 403 | 404] ?? "invalid";
  return new SendError({ code, message, certain: true });
}

/** A failure as one sentence, for the log. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function nothingLeft(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const codes = [error, error.cause].map((of) => (typeof of === "object" && of !== null ? (of as { code?: unknown }).code : undefined));
  return codes.some((code) => typeof code === "string" && NOTHING_LEFT.has(code)) || error.message.endsWith(": cannot connect");
}

function answerOf(what: string, text: string): Record<string, unknown> {
  const answer = objectOf(text);
  if (answer === undefined) throw new NetworkError(`${what}: the answer is no JSON object`, true);
  return answer;
}

function objectOf(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function placeOf(url: string): string {
  try {
    const { host, pathname } = new URL(url);
    return host + pathname;
  } catch {
    return "request";
  }
}
