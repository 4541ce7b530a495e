/** A network that answers from a script. */

/** One request of the plugin, read whole. */
export interface FakeRequest {
  /** `GET`, `POST`, … */
  readonly method: string;
  /** Where to. */
  readonly url: URL;
  /** Headers by lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  /** Body as text. */
  readonly body: string;
  /** Body as JSON; throws where it is none. */
  json(): Record<string, unknown>;
  /** Aborted when the plugin no longer wants the answer. */
  readonly signal: AbortSignal | undefined;
}

/** What the platform answers. A throw is what `fetch` rejects with: the network failed. */
export type Answer = (request: FakeRequest) => Response | Promise<Response>;

/** A JSON answer. */
export function json(value: unknown, status = 200, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(value), { status, headers: { "content-type": "application/json", ...headers } });
}

/** The network failed before anything left: what `fetch` rejects with when nobody listens. */
export function refused(): Error {
  return Object.assign(new TypeError("fetch failed: connection refused"), { code: "connect" });
}

/** An answer that never comes: a long poll without news. Ends when the plugin gives the request up. */
export function silence(): Promise<Response> {
  return new Promise<Response>(() => {});
}

/** Requests so far, and the `fetch` that makes them. */
export class FakeNetwork {
  /** Every request, in order. */
  readonly requests: FakeRequest[] = [];
  #answer: Answer;

  constructor(answer: Answer) {
    this.#answer = answer;
  }

  /** Answers another way from now on. */
  answerWith(answer: Answer): void {
    this.#answer = answer;
  }

  /** In the place of the global `fetch`. */
  readonly fetch = async (input: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
    const request = await read(input, init);
    this.requests.push(request);
    const { signal } = request;
    if (signal === undefined) return this.#answer(request);
    if (signal.aborted) throw aborted(signal);
    return new Promise<Response>((resolve, reject) => {
      const stop = () => reject(aborted(signal));
      const ended = () => signal.removeEventListener("abort", stop);
      signal.addEventListener("abort", stop);
      void (async () => this.#answer(request))().then(resolve, reject).finally(ended);
    });
  };
}

function aborted(signal: AbortSignal): unknown {
  const reason: unknown = signal.reason;
  return reason ?? Object.assign(new Error("the request was given up"), { name: "AbortError" });
}

async function read(input: string | URL | Request, init: RequestInit): Promise<FakeRequest> {
  const from = typeof input === "string" || input instanceof URL ? undefined : input;
  const url = new URL(from === undefined ? String(input) : from.url);
  const headers: Record<string, string> = {};
  new Headers(init.headers ?? from?.headers ?? {}).forEach((value, name) => {
    headers[name.toLowerCase()] = value;
  });
  const body = init.body === undefined || init.body === null ? ((await from?.text()) ?? "") : await new Response(init.body).text();
  return {
    method: (init.method ?? from?.method ?? "GET").toUpperCase(),
    url,
    headers,
    body,
    json: () => JSON.parse(body) as Record<string, unknown>,
    signal: init.signal ?? from?.signal ?? undefined,
  };
}
