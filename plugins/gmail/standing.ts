/** What a failed look means for the state a person sees, and how long to wait. Shared by the service and the channel. */

import type { StatusReport } from "@kata-agents/plugin-sdk";
import { GoogleError, SignInNeeded } from "./google.ts";
import { NetworkError } from "@kata-agents/plugin-sdk/sending";

/** A label of the settings that the account does not have. */
export class LabelMissing extends Error {
  readonly field: "label" | "channelLabel";

  constructor(field: "label" | "channelLabel", name: string) {
    super(name === "" ? "Choose a label." : `There is no label “${name}” in this account.`);
    this.name = "LabelMissing";
    this.field = field;
  }
}

/** The host could not store what was handed in. */
export class NotStored extends Error {
  constructor() {
    super("the host could not store a message");
    this.name = "NotStored";
  }
}

/** The session of the settings could not be told. */
export class NotTold extends Error {
  constructor(session: string) {
    super(`The session “${session}” cannot be told: is it still there?`);
    this.name = "NotTold";
  }
}

/** A state, and whether to go on: `undefined` for “waits for a person”, else the least time until the next look. */
export interface Trouble {
  report: StatusReport;
  waitMs: number | undefined;
}

/** `undefined` for what is neither Google's nor the network's: a fault of this plugin, which the host shall see. */
export function troubleOf(error: unknown): Trouble | undefined {
  if (error instanceof SignInNeeded) return { report: { state: "needs_user", code: "signed_out", message: error.message, action: { kind: "relogin" } }, waitMs: undefined };
  if (error instanceof LabelMissing) return { report: { state: "needs_user", code: "label_missing", message: error.message, action: { kind: "configure", field: error.field } }, waitMs: undefined };
  if (error instanceof NotTold) return { report: { state: "degraded", code: "not_told", message: error.message }, waitMs: 30_000 };
  if (error instanceof NotStored) return { report: { state: "degraded", code: "not_stored", message: "A message could not be stored; it is tried again." }, waitMs: 5_000 };
  if (error instanceof NetworkError) return { report: { state: "degraded", code: "unreachable", message: "Google cannot be reached; it is tried again." }, waitMs: 0 };
  if (!(error instanceof GoogleError)) return undefined;
  switch (error.meaning) {
    case "limited":
      return { report: { state: "degraded", code: "rate_limited", message: "Google asks to go slower." }, waitMs: error.retryAfterMs ?? 5_000 };
    case "scope":
      return {
        report: { state: "needs_user", code: "scope_missing", message: "The sign-in does not allow reading mail. Sign in again, and leave every box ticked.", action: { kind: "relogin" } },
        waitMs: undefined,
      };
    case "forbidden":
      return { report: { state: "degraded", code: "forbidden", message: "Google refuses: is the Gmail API switched on for the app's project, and does the organisation allow the app?" }, waitMs: 300_000 };
    default:
      return { report: { state: "degraded", code: "google_failed", message: `Google answers with ${error.status}; it is tried again.` }, waitMs: error.retryAfterMs ?? 0 };
  }
}
