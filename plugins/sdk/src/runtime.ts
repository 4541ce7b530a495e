/**
 * The only code of the SDK that runs. The host serves the same values inside a plugin's runtime; this file is what
 * tests and editors see.
 */

import type { PluginModule } from "./api.ts";
import type { Connect } from "./socket.ts";
import type { SendError as SendErrorFields, SendErrorCode } from "./generated.ts";

/**
 * Opens a TCP connection; see `Connect`. Without a host, as in a test outside `FakeHost.run`, it throws.
 */
export const connect: Connect = (address, options) => {
  const host = (globalThis as { [key: symbol]: { connect: Connect } | undefined })[Symbol.for("kata:sdk")];
  if (host === undefined) throw new Error("connect: there is no host here; a test runs it in FakeHost.run");
  return host.connect(address, options);
};

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
