/** What the host gives every call into a plugin. Nothing here outlives the call, except through `state`. */

import type { InboundDraft, IngressAnswer, SessionId, SessionSubmitted, SessionSummary } from "./generated.ts";

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

/** Sessions of the person. */
export interface Sessions {
  /** Sessions, newest first, at most 200. Needs the capability `sessions:read`. */
  list(): Promise<SessionSummary[]>;
  /**
   * Submits a text to a session, as if it had been typed there. Resolves when it is durable, before the agent answers.
   * Needs `sessions:submit`. The same `idempotencyKey` (1 to 512 bytes) again is the same input: use one for whatever
   * may be tried twice.
   */
  submit(session: SessionId, text: string, options?: { idempotencyKey?: string }): Promise<SessionSubmitted>;
}

/** One entry of a folder. */
export interface FileEntry {
  /** Name. */
  name: string;
  /** What it is; anything else is not listed. */
  kind: "file" | "folder";
  /** Length; 0 for a folder. */
  bytes: number;
}

/**
 * One folder. A path has names with `/` between them, below the folder; nothing leads out, no link either. A file has at
 * most 1 MiB. Rejects with `code`: `forbidden`, `invalid`, `not_found`, `failed`.
 */
export interface Folder {
  /** A file's bytes. */
  read(path: string): Promise<Uint8Array<ArrayBuffer>>;
  /** A file's text. */
  readText(path: string): Promise<string>;
  /** Writes a file whole, and the folders above it; on the disk when it resolves. A crash leaves the old one or the new one. */
  write(path: string, data: string | ArrayBuffer | ArrayBufferView): Promise<void>;
  /** What is in a folder, in order of name, at most 1,000; without a path the folder itself. */
  list(path?: string): Promise<FileEntry[]>;
  /** Removes a file or an empty folder; what is not there is no error. */
  delete(path: string): Promise<void>;
}

/** The plugin's files. */
export interface Files {
  /** The plugin's own folder, `services/PLUGIN` of the home; at most 64 MiB. Needs `files:state`. */
  readonly state: Folder;
  /**
   * The workspace the plugin was found in, else the active one. Needs `files:workspace:ro` to read, `files:workspace:rw`
   * to write. The folders `sessions` and `extensions` are not there.
   */
  readonly workspace: Folder;
}

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
  /** The person's sessions. */
  readonly sessions: Sessions;
  /** The plugin's files. */
  readonly files: Files;
  /** Aborted when the call is no longer wanted: the person stopped the turn, or the plugin is being brought down. */
  readonly signal: AbortSignal;
  /** Says how this part of the plugin stands. Cheap; the host drops repetitions. */
  status(report: StatusReport): void;
  /**
   * Tells the window and other clients something, as the event `plugin_event`. `name` has 1 to 64 bytes, `payload` is JSON
   * of at most 16 KiB, and there are at most 600 a minute. Nothing is kept: who is not connected does not hear of it.
   */
  emit(name: string, payload?: unknown): Promise<void>;
}

/** Given to `messaging.connect`. */
export interface ConnectContext extends PluginContext {
  /**
   * Hands a message in. Resolves when it is durable or refused; only then may the platform be told that it was taken.
   * Rejects when it could not be stored: hand the same draft in again later.
   */
  receive(draft: InboundDraft): Promise<IngressAnswer>;
}
