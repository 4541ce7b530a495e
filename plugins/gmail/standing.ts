/** What a failed look means for the state a person sees, and how long to wait. Shared by the service and the channel. */

import { googleTrouble, type Trouble } from "@kata-agents/plugin-sdk/google";

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

/** `undefined` for what is neither Google's nor the network's: a fault of this plugin, which the host shall see. */
export function troubleOf(error: unknown): Trouble | undefined {
  if (error instanceof LabelMissing) return { report: { state: "needs_user", code: "label_missing", message: error.message, action: { kind: "configure", field: error.field } }, waitMs: undefined };
  if (error instanceof NotTold) return { report: { state: "degraded", code: "not_told", message: error.message }, waitMs: 30_000 };
  if (error instanceof NotStored) return { report: { state: "degraded", code: "not_stored", message: "A message could not be stored; it is tried again." }, waitMs: 5_000 };
  return googleTrouble(error, { api: "Gmail API", reading: "mail" });
}
