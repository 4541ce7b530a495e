/** What Google's answers mean: to the plugin, to the person who sees a state, and to the model. */

import { type HttpError, NetworkError } from "@kata-agents/plugin-sdk/sending";
import type { StatusReport } from "../context.ts";
import { isObject } from "./json.ts";

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
  /** HTTP status. */
  readonly status: number;
  /** Google's own word, such as `notFound`. */
  readonly reason: string;
  /** What to make of it. */
  readonly meaning: Meaning;
  /** Google's sentence, for the model; it may repeat what was asked, so it is neither logged nor part of `message`. */
  readonly detail: string;
  /** How long to wait before the next attempt, in milliseconds, where that is known. */
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

/** Whether a failure passes by itself. */
export function isTransient(error: unknown): boolean {
  return error instanceof NetworkError || (error instanceof GoogleError && (error.meaning === "limited" || error.meaning === "server"));
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

/** A state for the person, and whether to go on. */
export interface Trouble {
  /** The state to show. */
  report: StatusReport;
  /** `undefined` for “waits for a person”, else the least time until the next look, in milliseconds. */
  waitMs: number | undefined;
}

/**
 * What a failed look means for the state a person sees, and how long to wait: `api` as in “the Gmail API”, `reading` as in “does not
 * allow reading mail”. `undefined` for what is neither Google's nor the network's: a fault of the plugin, which the host shall see.
 */
export function googleTrouble(error: unknown, { api, reading }: { api: string; reading: string }): Trouble | undefined {
  if (error instanceof SignInNeeded) return { report: { state: "needs_user", code: "signed_out", message: error.message, action: { kind: "relogin" } }, waitMs: undefined };
  if (error instanceof NetworkError) return { report: { state: "degraded", code: "unreachable", message: "Google cannot be reached; it is tried again." }, waitMs: 0 };
  if (!(error instanceof GoogleError)) return undefined;
  switch (error.meaning) {
    case "limited":
      return { report: { state: "degraded", code: "rate_limited", message: "Google asks to go slower." }, waitMs: error.retryAfterMs ?? LIMITED_MS };
    case "scope":
      return {
        report: { state: "needs_user", code: "scope_missing", message: `The sign-in does not allow reading ${reading}. Sign in again, and leave every box ticked.`, action: { kind: "relogin" } },
        waitMs: undefined,
      };
    case "forbidden":
      return { report: { state: "degraded", code: "forbidden", message: `Google refuses: is the ${api} switched on for the app's project, and does the organisation allow the app?` }, waitMs: 300_000 };
    default:
      return { report: { state: "degraded", code: "google_failed", message: `Google answers with ${error.status}; it is tried again.` }, waitMs: error.retryAfterMs ?? 0 };
  }
}
