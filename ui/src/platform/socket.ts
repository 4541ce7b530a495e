/**
 * A browser against the gateway: one WebSocket, the handshake of kata-protocol's `gateway.rs`, reconnect with replay. It comes in
 * as a paired device (`device.ts`), or with a token that is kept for the tab only. Neither is ever put into a URL.
 */
import type { Count, Fact, NumberedFact, OperationName, ServerFrame } from "@/generated/protocol";
import { browserVault, type Identity, signedText, takeCode, type Vault } from "./device";
import { connectionLost, notAllowed, sentence, timeout } from "./socketErrors";
import { type Connection, isWebUrl, Listeners, OperationError, type Params, type Platform, type Result } from "./types";

const VERSION = 1;
const TOKEN_KEY = "kata.token";
const REQUEST_TIMEOUT_MS = 120_000;
const HANDSHAKE_TIMEOUT_MS = 10_000;
const WAITING_MAX = 256;
const ACK_AFTER_MS = 500;
/** A line that was cut without a word stays open for a long time: after such a silence it is asked whether anybody is there. */
const SILENCE_MS = 30_000;
const ECHO_MS = 10_000;
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
  /** Null where the browser keeps no keys. */
  vault: Vault | null;
  /** The code in the address, if there is one. */
  code: string | null;
}

/** What it comes with. */
type Proof = { by: "token"; token: string } | { by: "device"; identity: Identity } | { by: "code"; code: string; key: CryptoKey; publicKey: string };

function browserParts(): SocketParts {
  const scheme = window.location.protocol === "https:" ? "wss" : "ws";
  return {
    url: `${scheme}://${window.location.host}/ws`,
    open: (url) => new WebSocket(url),
    storage: window.sessionStorage,
    vault: browserVault(),
    code: takeCode(),
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
  #identity: Identity | null = null;
  #proof: Proof | null = null;
  #operations: ReadonlySet<string> | null = null;
  #heard = 0;
  #watch: ReturnType<typeof setTimeout> | null = null;

  constructor(parts: SocketParts) {
    this.#parts = parts;
    void this.#start();
    // The network is back, or the page is looked at again: there is no reason to wait longer.
    const atOnce = () => {
      if (this.#connection.kind === "offline" && document.visibilityState === "visible") this.#dial();
    };
    window.addEventListener("online", atOnce);
    document.addEventListener("visibilitychange", atOnce);
    // The page is open already when a code is scanned.
    window.addEventListener("hashchange", () => {
      const code = takeCode();
      if (code !== null) this.pair(code);
    });
  }

  async #start(): Promise<void> {
    const { code, vault, storage } = this.#parts;
    if (code !== null) {
      this.pair(code);
      return;
    }
    if (vault !== null && storage.getItem(TOKEN_KEY) === null) this.#identity = await vault.load().catch(() => null);
    this.#dial();
  }

  request<K extends OperationName>(op: K, params: Params<K>): Promise<Result<K>> {
    if (!this.may(op)) return Promise.reject(notAllowed(op));
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

  pair(code: string): void {
    void this.#pair(code);
  }

  may(op: OperationName): boolean {
    return this.#operations === null || this.#operations.has(op);
  }

  async #pair(code: string): Promise<void> {
    const { vault } = this.#parts;
    if (vault === null) {
      this.#moveTo({ kind: "needs_token", reason: "This browser keeps no keys for a page that came without https. Open it by https, or on the machine itself." });
      return;
    }
    this.#moveTo({ kind: "pairing" });
    try {
      this.#open({ by: "code", code, ...(await vault.make()) });
    } catch {
      this.#moveTo({ kind: "needs_token", reason: "This browser could not make a key." });
    }
  }

  async startEngine(): Promise<void> {
    this.#dial();
  }

  onPlace(): () => void {
    // Links, tray and notifications belong to the desktop app.
    return () => undefined;
  }

  async quit(): Promise<void> {
    // A page is closed by its browser.
  }

  #dial(): void {
    const token = this.#parts.storage.getItem(TOKEN_KEY);
    if (token !== null && token !== "") this.#open({ by: "token", token });
    else if (this.#identity !== null) this.#open({ by: "device", identity: this.#identity });
    else this.#moveTo({ kind: "needs_token", reason: null });
  }

  #open(proof: Proof): void {
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#retry = null;
    this.#drop();
    this.#proof = proof;
    if (proof.by !== "code") this.#moveTo({ kind: "connecting" });
    this.#farewell = null;
    const socket = this.#parts.open(this.#parts.url);
    this.#socket = socket;
    this.#handshake = setTimeout(() => socket.close(), HANDSHAKE_TIMEOUT_MS);
    socket.addEventListener("message", (event: MessageEvent<unknown>) => {
      if (this.#socket === socket && typeof event.data === "string") this.#receive(event.data, socket, proof);
    });
    socket.addEventListener("close", (event) => {
      if (this.#socket === socket) this.#lost(event.code);
    });
  }

  #receive(text: string, socket: WebSocket, proof: Proof): void {
    this.#heard = Date.now();
    let frame: ServerFrame;
    try {
      frame = JSON.parse(text) as ServerFrame;
    } catch {
      this.#socket?.close();
      return;
    }
    switch (frame.type) {
      case "hello":
        void this.#answerHello(frame.versions, frame.nonce, socket, proof);
        return;
      case "paired":
        if (proof.by === "code") void this.#become({ device: frame.device, scope: frame.scope, key: proof.key });
        return;
      case "welcome":
        this.#operations = new Set(frame.operations);
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

  async #answerHello(versions: number[], nonce: string, socket: WebSocket, proof: Proof): Promise<void> {
    if (!versions.includes(VERSION)) {
      this.#refused(`This page speaks version ${VERSION}; the server speaks ${versions.join(", ")}. Reload the page.`);
      return;
    }
    if (proof.by === "code") {
      socket.send(JSON.stringify({ type: "pair", version: VERSION, code: proof.code, client: "web", publicKey: proof.publicKey }));
      return;
    }
    const replay = this.#boot !== null && this.#lastSeq !== null ? { boot: this.#boot, lastSeq: this.#lastSeq } : {};
    const connect = (shown: object) => socket.send(JSON.stringify({ type: "connect", version: VERSION, ...shown, client: "web", ...replay }));
    if (proof.by === "token") {
      connect({ token: proof.token });
      return;
    }
    const { device, key } = proof.identity;
    const signature = await this.#parts.vault?.sign(key, signedText(nonce, device));
    if (this.#socket === socket) connect({ device, signature });
  }

  /** The code was right: keep who this is now, and come again as that. */
  async #become(identity: Identity): Promise<void> {
    this.#identity = identity;
    this.#parts.storage.removeItem(TOKEN_KEY);
    // Numbers and rights of whoever was here before are not this device's.
    this.#boot = null;
    this.#lastSeq = null;
    this.#operations = null;
    await this.#parts.vault?.keep(identity).catch(() => undefined);
    this.#dial();
  }

  #enter(boot: string, seq: Count): void {
    const sameBoot = this.#boot === boot;
    this.#boot = boot;
    // Another boot numbers afresh; the gateway follows with `resync`, because what this page remembers may be stale.
    if (!sameBoot || this.#lastSeq === null) this.#lastSeq = seq;
    this.#clearHandshake();
    this.#welcomed = true;
    this.#attempt = 0;
    this.#heard = Date.now();
    this.#listenIn();
    this.#moveTo({ kind: "online" });
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { frame, id } of waiting) if (this.#pending.has(id)) this.#socket?.send(frame);
  }

  /** Notices a line that was cut without a word. Only a page that is looked at does: another one is woken up by nobody. */
  #listenIn(): void {
    if (this.#watch !== null) clearTimeout(this.#watch);
    this.#watch = setTimeout(() => {
      if (!this.#welcomed) return;
      const silent = Date.now() - this.#heard;
      if (silent < SILENCE_MS || document.visibilityState !== "visible") {
        this.#listenIn();
        return;
      }
      const socket = this.#socket;
      const asked = Date.now();
      void this.request("gateway.state", {}).catch(() => undefined);
      this.#watch = setTimeout(() => {
        if (this.#socket !== socket) return;
        if (this.#heard >= asked) this.#listenIn();
        else this.#lost(0);
      }, ECHO_MS);
    }, SILENCE_MS);
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

  /** The server will not have this token, code or version: ask the person, do not knock again. */
  #refused(reason: string): void {
    this.#parts.storage.removeItem(TOKEN_KEY);
    this.#drop();
    this.#moveTo({ kind: "needs_token", reason });
  }

  /** The device was revoked, or its time is over. Its key opens nothing any longer. */
  #shutOut(reason: string): void {
    this.#identity = null;
    this.#operations = null;
    void this.#parts.vault?.forget().catch(() => undefined);
    this.#drop();
    this.#moveTo({ kind: "shut_out", reason });
  }

  #lost(code: number): void {
    const reason = this.#farewell === null ? "The engine cannot be reached." : sentence(this.#farewell);
    const turnedAway = code === CLOSE.unauthorized || code === CLOSE.revoked;
    if (turnedAway && this.#proof?.by === "device") {
      this.#shutOut(code === CLOSE.revoked ? reason : "The engine does not know this device any longer.");
      return;
    }
    if (turnedAway || code === CLOSE.version || this.#proof?.by === "code") {
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
    if (this.#watch !== null) clearTimeout(this.#watch);
    this.#watch = null;
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
