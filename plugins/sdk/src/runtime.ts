/**
 * The only code of the SDK that runs. The host serves the same two values inside a plugin's runtime; this file is what
 * tests and editors see.
 */

import type { PluginModule } from "./api.ts";
import type { SendError as SendErrorFields, SendErrorCode } from "./generated.ts";

/** Gives a plugin's default export its types. Returns its argument. */
export function definePlugin(plugin: PluginModule): PluginModule {
  return plugin;
}

/**
 * Why a send failed; the only error `outbound` may throw on purpose. Anything else that is thrown counts as
 * `unreachable` with `certain: false`.
 *
 * `message` is shown to a person: no message text, no token.
 */
export class SendError extends Error {
  /** Reason, from the closed set. */
  readonly code: SendErrorCode;
  /** How long the host waits before the next attempt, in milliseconds. */
  readonly retryAfterMs: number | null;
  /** True when trying again cannot make a second copy. False when the platform may already have the message. */
  readonly certain: boolean;

  constructor(fields: SendErrorFields) {
    super(fields.message);
    this.name = "SendError";
    this.code = fields.code;
    this.retryAfterMs = fields.retryAfterMs ?? null;
    this.certain = fields.certain;
  }
}
