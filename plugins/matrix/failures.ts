/** What a failure means to the host. Decided here and nowhere else. */

import { SendError } from "@kata-agents/plugin-sdk";
import { MatrixError, NetworkError } from "./api.ts";

/** A failure as one sentence, for the log. */
export function words(error: unknown): string {
  return error instanceof Error ? error.message : "something failed";
}

/** There is nobody signed in: the outbox keeps what it has until a person has signed in again. */
export function signedOut(message = "nobody is signed in at the Matrix server"): SendError {
  return new SendError({ code: "unauthorized", message, certain: true });
}

/** For `outbound`. Every send carries a transaction id, so whatever is not certain is safely sent again. */
export function sendError(error: unknown): SendError {
  if (error instanceof SendError) return error;
  if (error instanceof NetworkError) return new SendError({ code: "unreachable", message: `Matrix: ${error.message}`, certain: !error.sent });
  if (!(error instanceof MatrixError)) return new SendError({ code: "unreachable", message: "the send failed in the plugin", certain: false });
  const message = `Matrix: ${error.reason}`;
  if (error.tooFast) return new SendError({ code: "rate_limited", message, retryAfterMs: error.retryAfterMs ?? 5_000, certain: true });
  if (error.status >= 500) return new SendError({ code: "unreachable", message, certain: false });
  if (error.tokenRefused) return new SendError({ code: "unauthorized", message, certain: true });
  if (error.status === 403) return new SendError({ code: "forbidden", message, certain: true });
  if (error.status === 404) return new SendError({ code: "not_found", message, certain: true });
  return new SendError({ code: "invalid", message, certain: true });
}
