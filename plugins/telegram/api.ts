/**
 * The Bot API over `fetch`: one method, two kinds of failure. Knows nothing of what is sent; what a failure means for a
 * send is decided in `outbound.ts`, for the poll in `poll.ts`.
 */

/** The server answered, and the answer is no. */
export class ApiError extends Error {
  /** `error_code`, or the HTTP status where the body is not the API's. */
  readonly code: number;
  /** The server's sentence, at most 200 characters. */
  readonly description: string;
  /** Seconds to wait, on 429. */
  readonly retryAfter: number | undefined;
  /** The group became a supergroup with this id. */
  readonly migrateToChatId: number | undefined;

  constructor(method: string, code: number, description: string, parameters: Record<string, unknown> = {}) {
    super(`${method}: ${code} ${description}`);
    this.name = "ApiError";
    this.code = code;
    this.description = description;
    this.retryAfter = numberOrNothing(parameters["retry_after"]);
    this.migrateToChatId = numberOrNothing(parameters["migrate_to_chat_id"]);
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

/** How one call is limited. */
export interface CallOptions {
  /** Aborts the call; it then rejects with a `NetworkError`. */
  signal?: AbortSignal;
  /** Longest wait for the whole answer, in milliseconds; default 30 000. */
  timeoutMs?: number;
}

export class BotApi {
  readonly #base: string;
  readonly #token: string;
  readonly #fetch: typeof fetch;

  constructor(apiRoot: string, token: string, fetchImpl: typeof fetch = (input, init) => fetch(input, init)) {
    this.#base = apiRoot.replace(/\/+$/, "");
    this.#token = token;
    this.#fetch = fetchImpl;
  }

  /** Calls a method and gives its `result`. The caller knows the result's type from the Bot API's reference. */
  async call<T>(method: string, params: Record<string, unknown>, options: CallOptions = {}): Promise<T> {
    const abort = new AbortController();
    const forward = () => abort.abort();
    const timer = setTimeout(forward, options.timeoutMs ?? 30_000);
    if (options.signal?.aborted) abort.abort();
    options.signal?.addEventListener("abort", forward);
    try {
      const response = await this.#fetch(`${this.#base}/bot${this.#token}/${method}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(params),
        signal: abort.signal,
      });
      return this.#result<T>(method, response.status, await response.text());
    } catch (error) {
      if (error instanceof ApiError || error instanceof NetworkError) throw error;
      throw new NetworkError(`${method}: ${this.#clean(text(error))}`, !nothingLeft(error));
    } finally {
      clearTimeout(timer);
      options.signal?.removeEventListener("abort", forward);
    }
  }

  #result<T>(method: string, status: number, body: string): T {
    const answer = parseObject(body);
    if (answer === undefined) {
      if (status >= 200 && status < 300) throw new NetworkError(`${method}: the answer is not JSON`, true);
      throw new ApiError(method, status, `HTTP ${status}`);
    }
    if (answer["ok"] === true) return answer["result"] as T;
    const parameters = answer["parameters"];
    throw new ApiError(
      method,
      numberOrNothing(answer["error_code"]) ?? status,
      this.#clean(typeof answer["description"] === "string" ? answer["description"] : `HTTP ${status}`),
      isObject(parameters) ? parameters : {},
    );
  }

  /** The token stands in the URL, so an error text of the network layer may carry it. */
  #clean(message: string): string {
    return message.split(this.#token).join("<token>").slice(0, 200);
  }
}

/** A failure as one sentence, for the log. */
export function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function nothingLeft(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const codes = [error, error.cause].map((of) => (isObject(of) ? of["code"] : undefined));
  return codes.some((code) => typeof code === "string" && NOTHING_LEFT.has(code)) || error.message.endsWith(": cannot connect");
}

function parseObject(body: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function numberOrNothing(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}
