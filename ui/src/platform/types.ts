/**
 * The one door to the host. Everything the window knows comes through `Platform`; who stands behind it (Tauri, a socket, an
 * in-memory fake) is nobody else's business.
 */
import type { NumberedFact, OperationName, Operations, WireError } from "@/generated/protocol";

export type Params<K extends OperationName> = Operations[K]["params"];
export type Result<K extends OperationName> = Operations[K]["result"];

/** Whether the engine can be reached. */
export type Connection =
  | { kind: "connecting" }
  | { kind: "online" }
  /** Tries again by itself at `retryAt` (ms since the epoch). */
  | { kind: "offline"; reason: string; retryAt: number }
  /** A person has to give a code or a token first. */
  | { kind: "needs_token"; reason: string | null }
  /** A code is shown to the gateway. */
  | { kind: "pairing" }
  /** This device was paired, and may not come in any longer. */
  | { kind: "shut_out"; reason: string }
  /** The engine could not be started; it does not try again by itself. */
  | { kind: "failed"; failure: EngineFailure };

/** Why there is no engine, and where to look. */
export interface EngineFailure {
  /** It takes long, or it gave up. */
  state: "starting" | "failed";
  error: WireError;
  home: string;
  log: string;
}

/** A place of the window that was asked for from outside it. */
export type Place =
  | { kind: "route"; route: string }
  /** A text for the composer of a new chat. It is never sent without the person. */
  | { kind: "compose"; text: string; cut: boolean }
  /** A link that leads nowhere, as far as it may be shown. */
  | { kind: "unknown"; link: string };

export interface Platform {
  readonly kind: "tauri" | "socket" | "fake";
  /** Asks the engine. Rejects with `OperationError`, and with nothing else. */
  request<K extends OperationName>(op: K, params: Params<K>): Promise<Result<K>>;
  /** Facts in order, each once. Returns what ends the subscription. */
  onFact(handler: (fact: NumberedFact) => void): () => void;
  /** Facts were missed for good: ask for everything again. */
  onResync(handler: () => void): () => void;
  /** Called at once with the present state, then at each change. */
  onConnection(handler: (connection: Connection) => void): () => void;
  /** Places asked for by links, the tray and notifications, each once; those that came before anybody listened come first. */
  onPlace(handler: (place: Place) => void): () => void;
  /** Opens a web page outside the window. */
  openExternal(url: string): Promise<void>;
  /** Hands over the token a person pasted; only the socket needs one. */
  connect(token: string): void;
  /** Shows a code, to become a device; only the socket does. */
  pair(code: string): void;
  /** Whether this client may ask for an operation. True before it is known; the engine has the last word. */
  may(op: OperationName): boolean;
  /** Starts an engine that could not start once more. The connection says how it went. */
  startEngine(): Promise<void>;
  /** Ends the app; in a browser, nothing. */
  quit(): Promise<void>;
}

/** A refused or failed operation. */
export class OperationError extends Error {
  readonly wire: WireError;

  constructor(wire: WireError) {
    super(wire.message);
    this.name = "OperationError";
    this.wire = wire;
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;
const text = (value: unknown): string => (typeof value === "string" ? value : "");

/** Makes an `OperationError` of whatever was thrown. */
export function toOperationError(cause: unknown): OperationError {
  if (cause instanceof OperationError) return cause;
  if (isRecord(cause) && typeof cause.code === "string" && typeof cause.message === "string") {
    return new OperationError(cause as WireError);
  }
  const message = cause instanceof Error ? cause.message : String(cause);
  return new OperationError({ code: "internal", message, hint: "Look at the log under Settings › Diagnostics." });
}

/** The host's word that it is the engine itself that is not there; null for every other error. */
export function engineFailureOf(error: WireError): EngineFailure | null {
  const { details } = error;
  if (!isRecord(details) || (details.engine !== "failed" && details.engine !== "starting")) return null;
  return { state: details.engine, error, home: text(details.home), log: text(details.log) };
}

/** Listeners of one kind. */
export class Listeners<T> {
  readonly #handlers = new Set<(value: T) => void>();

  add(handler: (value: T) => void): () => void {
    this.#handlers.add(handler);
    return () => this.#handlers.delete(handler);
  }

  emit(value: T): void {
    for (const handler of this.#handlers) handler(value);
  }
}

/** Only pages on the web leave the window; never `file:`, `javascript:` or a custom scheme. */
export function isWebUrl(url: string): boolean {
  return /^(https?|mailto):/i.test(url);
}
