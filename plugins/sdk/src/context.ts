/** What the host gives every call into a plugin. Nothing here outlives the call, except through `state`. */

import type { InboundDraft, IngressAnswer } from "./generated.ts";

/** The plugin's own secrets. Reading one needs the capability `secret:name`. */
export interface Secrets {
  /** The secret as the person stored it, or `undefined`. Never log it; never put it into an error. */
  get(name: string): Promise<string | undefined>;
}

/** A small durable key-value store of the plugin. Values are JSON; a write has reached the disk when its promise resolves. */
export interface State {
  /** The value, or `undefined`. Check its shape before use: an older version of the plugin may have written it. */
  get(key: string): Promise<unknown>;
  /** Writes. `value` must survive `JSON.stringify`. */
  set(key: string, value: unknown): Promise<void>;
  /** Removes; a key that is not there is no error. */
  delete(key: string): Promise<void>;
}

/** The plugin's log, rate-limited by the host. No message text, no secrets. */
export interface Logger {
  /** Something failed. */
  error(message: string): void;
  /** Something is odd. */
  warn(message: string): void;
  /** The usual. */
  info(message: string): void;
  /** For the author. */
  debug(message: string): void;
}

/** What a person can do to mend a state; the panel draws a button from it. */
export type UserAction =
  /** Fill in a setting or secret; `field` names it. */
  | { kind: "configure"; field: string }
  /** Sign in again. */
  | { kind: "relogin" };

/** How a part of the plugin stands. `code` is short and stable, `message` is one sentence for a person. */
export type StatusReport =
  /** Up, but not yet talking to the other side. */
  | { state: "connecting"; code?: string; message?: string }
  /** Works. */
  | { state: "running"; code?: string; message?: string }
  /** Works, with something wrong, or tries again by itself. */
  | { state: "degraded"; code: string; message: string }
  /** Waits for a person. */
  | { state: "needs_user"; code: string; message: string; action: UserAction };

/** Given to every call. */
export interface PluginContext {
  /** Settings, checked against the manifest's schema, defaults filled in. */
  readonly config: Readonly<Record<string, unknown>>;
  /** The plugin's secrets. */
  readonly secrets: Secrets;
  /** What the plugin remembers. */
  readonly state: State;
  /** The plugin's log. */
  readonly logger: Logger;
  /** Aborted when the call is no longer wanted: the person stopped the turn, or the plugin is being brought down. */
  readonly signal: AbortSignal;
  /** Says how this part of the plugin stands. Cheap; the host drops repetitions. */
  status(report: StatusReport): void;
}

/** Given to `messaging.connect`. */
export interface ConnectContext extends PluginContext {
  /**
   * Hands a message in. Resolves when it is durable or refused; only then may the platform be told that it was taken.
   * Rejects when it could not be stored: hand the same draft in again later.
   */
  receive(draft: InboundDraft): Promise<IngressAnswer>;
}
