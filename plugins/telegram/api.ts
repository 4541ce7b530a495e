/**
 * The Bot API over `request`: one method, two kinds of failure. Knows nothing of what is sent; what a failure means for a
 * send is decided in `outbound.ts`, for the poll in `poll.ts`.
 */

import { HttpError, NetworkError, request } from "@kata-agents/plugin-sdk/sending";

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

/** How one call is limited. */
export interface CallOptions {
  /** Aborts the call; it then rejects with a `NetworkError`. */
  signal?: AbortSignal;
  /** Longest wait for the whole answer, in milliseconds; default 30 000. */
  timeoutMs?: number;
}

/** A file of a call: sent as `multipart/form-data` beside the parameters, under its name. */
export interface Upload {
  field: string;
  name: string;
  mime: string;
  bytes: Uint8Array<ArrayBuffer>;
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
  async call<T>(method: string, params: Record<string, unknown>, options: CallOptions = {}, files: readonly Upload[] = []): Promise<T> {
    try {
      const answer = await request(`${this.#base}/bot${this.#token}/${method}`, {
        what: method,
        body: files.length > 0 ? formOf(params, files) : params,
        secrets: [this.#token],
        fetch: this.#fetch,
        ...options,
      });
      return this.#result<T>(method, answer.status, answer.json());
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      return this.#result<T>(method, error.status, error.json());
    }
  }

  /** Where a file lies that `getFile` has named. The address holds the token. */
  fileUrl(path: string): string {
    return `${this.#base}/file/bot${this.#token}/${path.split("/").map(encodeURIComponent).join("/")}`;
  }

  /** Takes the token out of a text of somebody else's. */
  clean(message: string): string {
    return message.split(this.#token).join("<token>").slice(0, 200);
  }

  #result<T>(method: string, status: number, answer: Record<string, unknown> | undefined): T {
    if (answer?.["ok"] === true) return answer["result"] as T;
    const parameters = answer?.["parameters"];
    throw new ApiError(
      method,
      numberOrNothing(answer?.["error_code"]) ?? status,
      this.clean(typeof answer?.["description"] === "string" ? answer["description"] : `HTTP ${status}`),
      isObject(parameters) ? parameters : {},
    );
  }
}

/** Whether a failure is one of the Bot API or the network, and not of the host or of this plugin. */
export function isTrouble(error: unknown): error is ApiError | NetworkError {
  return error instanceof ApiError || error instanceof NetworkError;
}

/** Objects are written as JSON within a form, as the Bot API asks for. */
function formOf(params: Record<string, unknown>, files: readonly Upload[]): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(params)) {
    if (value !== undefined) form.append(name, typeof value === "object" ? JSON.stringify(value) : String(value));
  }
  for (const { field, name, mime, bytes } of files) form.append(field, new Blob([bytes], { type: mime }), name);
  return form;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function numberOrNothing(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}
