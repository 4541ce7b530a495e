/** What the host gives every call into a plugin. Nothing here outlives the call, except through `state`. */

import type {
  ButtonPress,
  ChannelNotice,
  DirectMessage,
  InboundDraft,
  IngressAnswer,
  KnownConversation,
  Media,
  MediaId,
  MediaKind,
  PressAnswer,
  SessionId,
  SessionSubmitted,
  SessionSummary,
} from "./generated.ts";

/** The plugin's own secrets. Reading one needs the capability `secret:name`. */
export interface Secrets {
  /** The secret as the person stored it, or `undefined`. Never log it; never put it into an error. */
  get(name: string): Promise<string | undefined>;
  /**
   * Keeps what a sign-in gave the plugin, such as a token, where the person's own secrets lie: in the system's keychain. At most
   * 16 KiB; durable when it resolves. The plugin is not loaded again by it. Needs `secret:name` too.
   */
  set(name: string, value: string): Promise<void>;
  /** Forgets one, such as a password that was exchanged for a token; one that is not there is no error. Needs `secret:name`. */
  delete(name: string): Promise<void>;
}

/** A small durable key-value store of the plugin. Keys that begin with `host:` are the host's own. Values are JSON; a write has reached the disk when its promise resolves. */
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

/** How a download is limited and named. */
export interface MediaFetch {
  /** Method; default `GET`. */
  method?: string;
  /** Request headers, such as the platform's authorization. They are not sent on to another host by a redirect. */
  headers?: Readonly<Record<string, string>>;
  /** File name to show; default the last part of the address. */
  name?: string;
  /** Kind; default what the media type says. */
  kind?: MediaKind;
  /** Longest file, bytes; the host's own limit (16 MiB) is never passed. */
  maxBytes?: number;
}

/**
 * Files on their way from and to a platform. They lie with the host, named by their contents, and go after a day when nothing
 * refers to them. Rejects with `code`: `forbidden`, `not_found`, `too_large`, `failed`.
 */
export interface MediaFiles {
  /** Downloads to the host, past the plugin's memory; needs the `net:` capability of the address. An answer that is not 2xx rejects. */
  fetch(url: string, options?: MediaFetch): Promise<Media>;
  /** Keeps bytes the plugin has. */
  put(bytes: ArrayBuffer | ArrayBufferView, info: { name: string; mime?: string; kind?: MediaKind }): Promise<Media>;
  /** The bytes, for a request body. At most 16 MiB; they count for the plugin's memory. */
  read(id: MediaId): Promise<Uint8Array<ArrayBuffer>>;
}

/** The plugin's channels, from its tools, services and routes. */
export interface OwnChannels {
  /**
   * Conversations the agent may write to of its own accord: those a person let in wrote from, and those listed in the
   * channel's settings. Newest first, at most 200.
   */
  conversations(channel: string): Promise<KnownConversation[]>;
  /**
   * Sends to one of them, by the outbox: hooks see it, order is kept, it is tried again. Resolves when it is durable. Rejects
   * with `code` `forbidden` when the conversation is not known, `ambiguous` when two have the name. Use the tool call's own
   * id, or another stable text, as `idempotencyKey` where the call may run twice.
   */
  send(channel: string, message: DirectMessage, options?: { idempotencyKey?: string }): Promise<void>;
}

/** A token that counts now. */
export interface OauthToken {
  /** Goes into `Authorization: Bearer`. Never log it; never keep it: the next call may get another one. */
  readonly accessToken: string;
  /** When it ends, milliseconds since 1970; the host renews it before. `undefined` where the provider does not say. */
  readonly expiresAt?: number;
  /** Scopes that were given. */
  readonly scopes: readonly string[];
  /** Name of the account where the provider says one, such as an address. */
  readonly account?: string;
}

/**
 * The account the person signed in with. The host does the signing in, keeps the tokens (no plugin sees a refresh token), renews
 * them before they end, once for all who ask at the same time, and shows “sign in again” where the provider took them back.
 * Needs the capability `oauth:PROVIDER:SCOPES` (scopes with spaces or `,` between them).
 */
export interface Oauth {
  /**
   * A token. Rejects with `code`: `needs_user` (nobody has signed in, or the provider took the account back: the person is
   * being asked, do not try again until the host starts the part anew), `unreachable` (the provider does not answer; try again later),
   * `forbidden`.
   */
  token(provider: string): Promise<OauthToken>;
  /**
   * The platform refused this very token (401). The host renews it once, whoever reports it; the next `token` gives the new one, or
   * rejects with `needs_user`.
   */
  refused(provider: string, accessToken: string): Promise<void>;
}

/** Given to every call. */
export interface PluginContext {
  /** Accounts the person signed in with. */
  readonly oauth: Oauth;
  /** Name of the further account this copy of the plugin serves; absent for the first one. */
  readonly account?: string;
  /** Files on their way. */
  readonly media: MediaFiles;
  /** The plugin's channels. */
  readonly channels: OwnChannels;
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
  /**
   * Address of one of the plugin's routes for a browser on this machine, such as where a sign-in's page leads back to;
   * `undefined` while the gateway does not listen. Needs `route:PATH`.
   */
  routeUrl(path: string): Promise<string | undefined>;
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
  /**
   * A person pressed a button the host had put under a message. Resolves when what it led to is durable; only then may the
   * platform be told that the press was taken. The same press again gives the same answer.
   */
  press(press: ButtonPress): Promise<PressAnswer>;
  /** Something happened to a message: edited, deleted, reacted to. The host decides whether anybody hears of it. */
  notice(notice: ChannelNotice): Promise<void>;
}
