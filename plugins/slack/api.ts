/**
 * Slack's Web API: one call, two kinds of failure, and the waits Slack asked for, by method. Knows nothing of what is sent;
 * what a failure means for a send is said at the end, what it means for the connection in `listen.ts`.
 *
 * Source: docs.slack.dev/apis/web-api and …/rate-limits: every method takes a form; a refusal is HTTP 200 with `ok: false`, a
 * 429 carries `Retry-After` in seconds and counts for that method and workspace only.
 */

import { SendError } from "@kata-agents/plugin-sdk";
import { HttpError, NetworkError, request, sendErrorOf } from "@kata-agents/plugin-sdk/sending";

/** Slack answered, and the answer is no. */
export class SlackError extends Error {
  /** The method. */
  readonly method: string;
  /** Slack's own word, such as `channel_not_found`. */
  readonly error: string;
  /** The scope that is missing, on `missing_scope`. */
  readonly needed: string | undefined;
  /** How long to wait, on `ratelimited`. */
  readonly retryAfterMs: number | undefined;

  constructor(method: string, error: string, more: { needed?: string; retryAfterMs?: number } = {}) {
    super(`${method}: ${error}${more.needed === undefined ? "" : ` (the scope “${more.needed}” is missing)`}`);
    this.name = "SlackError";
    this.method = method;
    this.error = error;
    this.needed = more.needed;
    this.retryAfterMs = more.retryAfterMs;
  }
}

/** Errors after which nothing works until a person has mended the token. */
const BAD_TOKEN = new Set(["invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive", "not_allowed_token_type", "org_login_required", "ekm_access_denied"]);

/** Whether the token itself is refused. */
export function refusesToken(error: unknown): boolean {
  return error instanceof SlackError && BAD_TOKEN.has(error.error);
}

/** How one call is limited. */
export interface CallOptions {
  signal?: AbortSignal;
  /** Longest wait for the whole answer, in milliseconds; default 15 000. */
  timeoutMs?: number;
}

export type Answer = Readonly<Record<string, unknown>>;

/** Methods that Slack asked to leave alone, until when. Shared by the calls of one plugin, whose token is one. */
export class Pauses {
  readonly #until = new Map<string, number>();

  /** How long is left, in milliseconds. */
  left(method: string): number {
    return Math.max(0, (this.#until.get(method) ?? 0) - Date.now());
  }

  note(method: string, ms: number): void {
    this.#until.set(method, Date.now() + ms);
  }
}

export class SlackApi {
  /** Scopes of the token, as the last answer said them; nothing before the first one, and where Slack does not say. */
  scopes: readonly string[] | undefined;
  readonly #root: string;
  readonly #token: string;
  readonly #pauses: Pauses;

  constructor(root: string, token: string, pauses: Pauses) {
    this.#root = root.endsWith("/") ? root : `${root}/`;
    this.#token = token;
    this.#pauses = pauses;
  }

  /** Calls a method. Fields that are `undefined` are left out; lists and objects are sent as JSON, as Slack's own clients do. */
  async call(method: string, fields: Readonly<Record<string, unknown>> = {}, options: CallOptions = {}): Promise<Answer> {
    const left = this.#pauses.left(method);
    if (left > 0) throw new SlackError(method, "ratelimited", { retryAfterMs: left });
    const form = new URLSearchParams();
    for (const [name, value] of Object.entries(fields)) {
      if (value !== undefined && value !== null) form.set(name, typeof value === "object" ? JSON.stringify(value) : String(value));
    }
    try {
      const answer = await request(`${this.#root}${method}`, {
        what: method,
        method: "POST",
        headers: { authorization: `Bearer ${this.#token}`, "content-type": "application/x-www-form-urlencoded; charset=utf-8" },
        body: form.toString(),
        secrets: [this.#token],
        timeoutMs: options.timeoutMs ?? 15_000,
        ...(options.signal === undefined ? {} : { signal: options.signal }),
      });
      const scopes = answer.headers.get("x-oauth-scopes");
      if (scopes !== null) this.scopes = scopes.split(",").map((scope) => scope.trim()).filter((scope) => scope !== "");
      return this.#taken(method, answer.json());
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      if (error.status === 429) throw this.#tooFast(method, error.retryAfterMs ?? 1_000);
      const body = error.json();
      if (body?.["ok"] === false) return this.#taken(method, body);
      throw error;
    }
  }

  /** The token, for a download. */
  get authorization(): string {
    return `Bearer ${this.#token}`;
  }

  #taken(method: string, answer: Answer): Answer {
    if (answer["ok"] === true) return answer;
    const error = typeof answer["error"] === "string" ? answer["error"].slice(0, 100) : "unknown_error";
    if (error === "ratelimited" || error === "rate_limited") throw this.#tooFast(method, 1_000);
    const needed = typeof answer["needed"] === "string" ? answer["needed"].slice(0, 200) : undefined;
    throw new SlackError(method, error, needed === undefined ? {} : { needed });
  }

  #tooFast(method: string, ms: number): SlackError {
    this.#pauses.note(method, ms);
    return new SlackError(method, "ratelimited", { retryAfterMs: ms });
  }
}

const NOT_FOUND = new Set(["channel_not_found", "message_not_found", "thread_not_found", "user_not_found", "is_archived", "file_not_found", "no_reaction"]);
const FORBIDDEN = new Set([
  "not_in_channel", "missing_scope", "restricted_action", "restricted_action_read_only_channel", "restricted_action_thread_only_channel", "cant_update_message",
  "cant_delete_message", "edit_window_closed", "access_denied", "no_permission", "user_is_restricted", "cannot_dm_bot", "messages_tab_disabled", "team_access_not_granted",
]);
const SERVER = new Set(["internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"]);

/** What a failure means for a send. */
export function sendError(error: unknown): SendError {
  if (!(error instanceof SlackError)) return sendErrorOf(error, { platform: "Slack" });
  const message = `Slack: ${error.message}`;
  if (error.error === "ratelimited") return new SendError({ code: "rate_limited", message, retryAfterMs: error.retryAfterMs ?? 1_000, certain: true });
  if (refusesToken(error)) return new SendError({ code: "unauthorized", message, certain: true });
  // Slack says itself that it does not know how far it came.
  if (SERVER.has(error.error)) return new SendError({ code: "unreachable", message, certain: false });
  const code = NOT_FOUND.has(error.error) ? "not_found" : FORBIDDEN.has(error.error) ? "forbidden" : "invalid";
  return new SendError({ code, message, certain: true });
}

/** A failure that has no answer, or one that says nothing about what was asked. */
export function passes(error: unknown): boolean {
  if (error instanceof NetworkError) return true;
  if (error instanceof HttpError) return error.status >= 500 || error.status === 408;
  return error instanceof SlackError && (error.error === "ratelimited" || SERVER.has(error.error));
}
