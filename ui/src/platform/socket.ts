/**
 * A browser against `kata serve`: one WebSocket, the handshake of kata-protocol's `gateway.rs`, reconnect with replay.
 * The token is kept for the tab only and never put into a URL.
 */
import type { Count, Fact, NumberedFact, OperationName, ServerFrame } from "@/generated/protocol";
import { type Connection, isWebUrl, Listeners, OperationError, type Params, type Platform, type Result } from "./types";

const VERSION = 1;
const TOKEN_KEY = "kata.token";
const REQUEST_TIMEOUT_MS = 120_000;
const HANDSHAKE_TIMEOUT_MS = 10_000;
const WAITING_MAX = 256;
const ACK_AFTER_MS = 500;
/** Codes of the gateway's close frame after which this token will not do. */
const CLOSE = { unauthorized: 4001, version: 4002, revoked: 4003, lockedOut: 4029 } as const;
const LOCKOUT_MS = 60_000;
const BACKOFF_MS = [250, 500, 1_000, 2_000, 5_000, 10_000];

interface Pending {
  resolve(result: unknown): void;
  reject(error: OperationError): void;
  timer: ReturnType<typeof setTimeout>;
}

/** A request before its answer. Kept while there is no connection, up to a bound. */
interface Waiting {
  frame: string;
  id: Count;
}

/** What the tests replace. */
export interface SocketParts {
  url: string;
  open(url: string): WebSocket;
  storage: Pick<Storage, "getItem" | "setItem" | "removeItem">;
}

function browserParts(): SocketParts {
  const scheme = window.location.protocol === "https:" ? "wss" : "ws";
  return {
    url: `${scheme}://${window.location.host}/ws`,
    open: (url) => new WebSocket(url),
    storage: window.sessionStorage,
  };
}

export function socketPlatform(parts: SocketParts = browserParts()): Platform {
  return new SocketPlatform(parts);
}

class SocketPlatform implements Platform {
  readonly kind = "socket";
  readonly #parts: SocketParts;
  readonly #facts = new Listeners<NumberedFact>();
  readonly #resyncs = new Listeners<void>();
  readonly #connections = new Listeners<Connection>();
  readonly #pending = new Map<Count, Pending>();
  #waiting: Waiting[] = [];
  #connection: Connection = { kind: "connecting" };
  #socket: WebSocket | null = null;
  #welcomed = false;
  #farewell: string | null = null;
  #attempt = 0;
  #retry: ReturnType<typeof setTimeout> | null = null;
  #handshake: ReturnType<typeof setTimeout> | null = null;
  #ack: ReturnType<typeof setTimeout> | null = null;
  #nextId = 1;
  #boot: string | null = null;
  #lastSeq: Count | null = null;

  constructor(parts: SocketParts) {
    this.#parts = parts;
    this.#dial();
  }

  request<K extends OperationName>(op: K, params: Params<K>): Promise<Result<K>> {
    const id = this.#nextId++;
    const frame = JSON.stringify({ type: "request", id, op, params });
    return new Promise<Result<K>>((resolve, reject) => {
      if (!this.#welcomed && this.#waiting.length >= WAITING_MAX) {
        reject(new OperationError({ code: "busy", message: "Too many requests wait for the connection." }));
        return;
      }
      const timer = setTimeout(() => this.#settle(id, timeout(op)), REQUEST_TIMEOUT_MS);
      this.#pending.set(id, { resolve: (result) => resolve(result as Result<K>), reject, timer });
      if (this.#welcomed) this.#socket?.send(frame);
      else this.#waiting.push({ frame, id });
    });
  }

  onFact(handler: (fact: NumberedFact) => void): () => void {
    return this.#facts.add(handler);
  }

  onResync(handler: () => void): () => void {
    return this.#resyncs.add(handler);
  }

  onConnection(handler: (connection: Connection) => void): () => void {
    handler(this.#connection);
    return this.#connections.add(handler);
  }

  async openExternal(url: string): Promise<void> {
    if (isWebUrl(url)) window.open(url, "_blank", "noopener,noreferrer");
  }

  connect(token: string): void {
    this.#parts.storage.setItem(TOKEN_KEY, token.trim());
    this.#attempt = 0;
    this.#dial();
  }

  async startEngine(): Promise<void> {
    this.#dial();
  }

  async quit(): Promise<void> {
    // A page is closed by its browser.
  }

  #dial(): void {
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#retry = null;
    const token = this.#parts.storage.getItem(TOKEN_KEY);
    if (token === null || token === "") {
      this.#moveTo({ kind: "needs_token", reason: null });
      return;
    }
    this.#drop();
    this.#moveTo({ kind: "connecting" });
    this.#farewell = null;
    const socket = this.#parts.open(this.#parts.url);
    this.#socket = socket;
    this.#handshake = setTimeout(() => socket.close(), HANDSHAKE_TIMEOUT_MS);
    socket.addEventListener("message", (event: MessageEvent<unknown>) => {
      if (this.#socket === socket && typeof event.data === "string") this.#receive(event.data, token);
    });
    socket.addEventListener("close", (event) => {
      if (this.#socket === socket) this.#lost(event.code);
    });
  }

  #receive(text: string, token: string): void {
    let frame: ServerFrame;
    try {
      frame = JSON.parse(text) as ServerFrame;
    } catch {
      this.#socket?.close();
      return;
    }
    switch (frame.type) {
      case "hello":
        this.#answerHello(frame.versions, token);
        return;
      case "welcome":
        this.#enter(frame.boot, frame.seq);
        return;
      case "response":
        this.#settle(frame.id, frame.error ? new OperationError(frame.error) : null, frame.result);
        return;
      case "event":
        this.#take(frame.seq, frame.fact as Fact);
        return;
      case "resync":
        this.#lastSeq = frame.seq;
        this.#resyncs.emit();
        return;
      case "goodbye":
        this.#farewell = frame.reason;
        return;
    }
  }

  #answerHello(versions: number[], token: string): void {
    if (!versions.includes(VERSION)) {
      this.#refused(`This page speaks version ${VERSION}; the server speaks ${versions.join(", ")}. Reload the page.`);
      return;
    }
    const replay = this.#boot !== null && this.#lastSeq !== null ? { boot: this.#boot, lastSeq: this.#lastSeq } : {};
    this.#socket?.send(JSON.stringify({ type: "connect", version: VERSION, token, client: "web", ...replay }));
  }

  #enter(boot: string, seq: Count): void {
    const sameBoot = this.#boot === boot;
    this.#boot = boot;
    // Another boot numbers afresh; the gateway follows with `resync`, because what this page remembers may be stale.
    if (!sameBoot || this.#lastSeq === null) this.#lastSeq = seq;
    this.#clearHandshake();
    this.#welcomed = true;
    this.#attempt = 0;
    this.#moveTo({ kind: "online" });
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { frame, id } of waiting) if (this.#pending.has(id)) this.#socket?.send(frame);
  }

  #take(seq: Count, fact: Fact): void {
    if (this.#lastSeq !== null && seq <= this.#lastSeq) return;
    this.#lastSeq = seq;
    this.#facts.emit({ seq, fact });
    if (this.#ack !== null) return;
    this.#ack = setTimeout(() => {
      this.#ack = null;
      if (this.#welcomed) this.#socket?.send(JSON.stringify({ type: "ack", seq: this.#lastSeq }));
    }, ACK_AFTER_MS);
  }

  #settle(id: Count, error: OperationError | null, result?: unknown): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    this.#pending.delete(id);
    clearTimeout(pending.timer);
    if (error === null) pending.resolve(result);
    else pending.reject(error);
  }

  /** The server will not have this token or version: ask the person, do not knock again. */
  #refused(reason: string): void {
    this.#parts.storage.removeItem(TOKEN_KEY);
    this.#drop();
    this.#moveTo({ kind: "needs_token", reason });
  }

  #lost(code: number): void {
    const reason = this.#farewell === null ? "The engine cannot be reached." : sentence(this.#farewell);
    if (code === CLOSE.unauthorized || code === CLOSE.version || code === CLOSE.revoked) {
      this.#refused(reason);
      return;
    }
    this.#drop();
    const backoff = BACKOFF_MS[Math.min(this.#attempt, BACKOFF_MS.length - 1)] ?? LOCKOUT_MS;
    const wait = code === CLOSE.lockedOut ? LOCKOUT_MS : backoff;
    this.#attempt += 1;
    this.#moveTo({ kind: "offline", reason, retryAt: Date.now() + wait });
    this.#retry = setTimeout(() => this.#dial(), wait);
  }

  /** Forgets the present socket. Requests that were sent fail: whether they took effect is unknown. */
  #drop(): void {
    this.#clearHandshake();
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
    this.#welcomed = false;
    const unsent = new Set(this.#waiting.map(({ id }) => id));
    for (const id of this.#pending.keys()) if (!unsent.has(id)) this.#settle(id, connectionLost());
  }

  #clearHandshake(): void {
    if (this.#handshake !== null) clearTimeout(this.#handshake);
    this.#handshake = null;
  }

  #moveTo(connection: Connection): void {
    this.#connection = connection;
    this.#connections.emit(connection);
  }
}

/** The gateway's reasons are clauses; the window shows sentences. */
const sentence = (clause: string): string => `${clause.charAt(0).toUpperCase()}${clause.slice(1).replace(/\.$/, "")}.`;

function timeout(op: OperationName): OperationError {
  return new OperationError({ code: "timeout", message: `${op} got no answer.`, hint: "Try again." });
}

function connectionLost(): OperationError {
  return new OperationError({
    code: "upstream",
    message: "The connection was lost before the answer came.",
    hint: "It comes back by itself; then try again.",
  });
}
