/** What a failed look means for the state a person sees, and how long to wait. */

import { googleTrouble, type Trouble } from "@kata-agents/plugin-sdk/google";

/** A calendar of the settings that the account does not have. */
export class CalendarMissing extends Error {
  constructor(name: string) {
    super(`There is no calendar “${name}” in this account.`);
    this.name = "CalendarMissing";
  }
}

/** The session of the settings could not be told. */
export class NotTold extends Error {
  constructor(session: string) {
    super(`The session “${session}” cannot be told: is it still there?`);
    this.name = "NotTold";
  }
}

/** `undefined` for what is neither Google's nor the network's: a fault of this plugin, which the host shall see. */
export function troubleOf(error: unknown): Trouble | undefined {
  if (error instanceof CalendarMissing) return { report: { state: "needs_user", code: "calendar_missing", message: error.message, action: { kind: "configure", field: "calendars" } }, waitMs: undefined };
  if (error instanceof NotTold) return { report: { state: "degraded", code: "not_told", message: error.message }, waitMs: 30_000 };
  return googleTrouble(error, { api: "Calendar API", reading: "calendars" });
}
