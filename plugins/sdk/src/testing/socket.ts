/**
 * WebSockets whose other side is scripted. What a plugin sees is what the host's own `WebSocket` shows it, with its limits
 * on time; deliberately absent is back-pressure: whatever the server says arrives.
 */

import { refused } from "./fetch.ts";

/** How long the host waits for the other side's goodbye. */
const GOODBYE_MS = 10_000;
/** After this long without a word from the other side the host takes a socket for dead. */
export const SOCKET_SILENCE_MS = 24_000;

/** What a socket carries. */
export type SocketData = string | ArrayBuffer | ArrayBufferView;

/**
 * What happens when the plugin opens a socket. Returning accepts it; throwing refuses it, as when nobody listens; a promise
 * that never resolves leaves it connecting. What is sent meanwhile arrives right after it has opened.
 */
export type SocketAnswer = (connection: FakeConnection) => void | Promise<void>;

/** One socket, seen from the server. */
export class FakeConnection {
  /** Where the plugin connected to. */
  readonly url: URL;
  /** Subprotocols the plugin asked for. */
  readonly protocols: readonly string[];
  /** Everything the plugin sent, in order. */
  readonly received: (string | Uint8Array<ArrayBuffer>)[] = [];
  /** How the plugin closed it; absent while it has not. */
  goodbye: { code: number; reason: string } | undefined;
  /** Hears what the plugin sends. */
  onMessage: ((data: string | Uint8Array<ArrayBuffer>) => void) | undefined;
  /** Hears that it has ended, whoever ended it. */
  onClose: (() => void) | undefined;
  #client: FakeWebSocket;
  #silent = false;
  #ended = false;
  #subprotocol = "";

  /** Made by the server's `WebSocket`. */
  constructor(client: FakeWebSocket, url: URL, protocols: readonly string[]) {
    this.#client = client;
    this.url = url;
    this.protocols = protocols;
  }

  /** Whether it carries anything: neither closed nor half-open. */
  get open(): boolean {
    return !this.#ended && !this.#silent;
  }

  /** The subprotocol the server chooses; set it while the socket is being accepted. */
  get protocol(): string {
    return this.#subprotocol;
  }
  set protocol(name: string) {
    this.#subprotocol = name;
  }

  /** Texts the plugin sent, as JSON. */
  get frames(): Record<string, unknown>[] {
    return this.received.filter((one) => typeof one === "string").map((one) => JSON.parse(one) as Record<string, unknown>);
  }

  /** Says something to the plugin; an object is sent as JSON. */
  send(data: SocketData | Record<string, unknown>): void {
    if (!this.open) return;
    const plain = typeof data === "string" || data instanceof ArrayBuffer || ArrayBuffer.isView(data);
    this.#client.take(plain ? data : JSON.stringify(data));
  }

  /** Says goodbye: the plugin sees a clean close. */
  close(code = 1000, reason = ""): void {
    if (!this.open) return;
    this.#end();
    this.#client.end({ code, reason, clean: true });
  }

  /** The connection breaks: the plugin sees 1006. */
  drop(): void {
    if (this.#ended) return;
    this.#end();
    this.#client.end({ code: 1006, reason: "", clean: false, error: "WebSocket: the connection broke off" });
  }

  /**
   * Half-open: from now on nothing comes through either way, and nobody says so. The host notices after a while, by pings of
   * its own; `noticedAfterMs: Infinity` is for a plugin that has to find out by itself.
   */
  goSilent(noticedAfterMs: number = SOCKET_SILENCE_MS): void {
    if (!this.open) return;
    this.#silent = true;
    if (Number.isFinite(noticedAfterMs)) setTimeout(() => this.drop(), noticedAfterMs);
  }

  /** The plugin's side says something. */
  hear(data: string | Uint8Array<ArrayBuffer>): void {
    if (!this.open) return;
    this.received.push(data);
    this.onMessage?.(data);
  }

  /** The plugin's side says goodbye, or has gone without one. */
  hearGoodbye(goodbye: { code: number; reason: string } | undefined): boolean {
    if (this.#silent) {
      if (goodbye === undefined) this.#end();
      return false;
    }
    this.goodbye ??= goodbye;
    this.#end();
    return true;
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.onClose?.();
  }
}

/** Every socket so far, and the `WebSocket` that opens them. */
export class FakeSocketServer {
  /** Every attempt, in order; those that were refused too. */
  readonly connections: FakeConnection[] = [];
  /** In the place of the global `WebSocket`. */
  readonly WebSocket: typeof FakeWebSocket;
  #answer: SocketAnswer;

  /** Without an answer every socket is refused. */
  constructor(answer: SocketAnswer = () => Promise.reject(refused())) {
    this.#answer = answer;
    const opened = (connection: FakeConnection) => this.#open(connection);
    this.WebSocket = class extends FakeWebSocket {
      constructor(url: string | URL, protocols: string | string[] = []) {
        super(url, protocols, opened);
      }
    } as typeof FakeWebSocket;
  }

  /** Answers another way from now on. */
  answerWith(answer: SocketAnswer): void {
    this.#answer = answer;
  }

  /** Those that carry something now. */
  get open(): FakeConnection[] {
    return this.connections.filter((one) => one.open);
  }

  /** The newest one. */
  get last(): FakeConnection | undefined {
    return this.connections.at(-1);
  }

  /** Breaks every connection, as a network that goes down. */
  dropAll(): void {
    for (const one of this.connections) one.drop();
  }

  async #open(connection: FakeConnection): Promise<void> {
    this.connections.push(connection);
    await this.#answer(connection);
  }
}

class Closing extends Event {
  readonly code: number;
  readonly reason: string;
  readonly wasClean: boolean;
  constructor(how: SocketEnd) {
    super("close");
    this.code = how.code;
    this.reason = how.reason;
    this.wasClean = how.clean;
  }
}

class Failing extends Event {
  readonly message: string;
  readonly error: Error;
  constructor(message: string) {
    super("error");
    this.message = message;
    this.error = new Error(message);
  }
}

/** How a socket ended, as the plugin's side sees it. */
export interface SocketEnd {
  /** Close code. */
  code: number;
  /** The other side's reason. */
  reason: string;
  /** Whether both sides said goodbye. */
  clean: boolean;
  /** What the event `error` says before the event `close`; absent: there is none. */
  error?: string;
}

const wrong = (name: string, message: string) => new DOMException(message, name);
const bytesOf = (data: ArrayBuffer | ArrayBufferView) =>
  new Uint8Array(ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data));
const NAMES = ["open", "message", "error", "close"] as const;

/** The plugin's side of a socket, as the host's `WebSocket` is. */
export class FakeWebSocket extends EventTarget {
  /** State 0. */
  static readonly CONNECTING = 0;
  /** State 1. */
  static readonly OPEN = 1;
  /** State 2. */
  static readonly CLOSING = 2;
  /** State 3. */
  static readonly CLOSED = 3;
  /** State 0. */
  readonly CONNECTING = 0;
  /** State 1. */
  readonly OPEN = 1;
  /** State 2. */
  readonly CLOSING = 2;
  /** State 3. */
  readonly CLOSED = 3;
  /** Listener of `open`. */
  onopen: ((event: Event) => void) | null = null;
  /** Listener of `message`. */
  onmessage: ((event: MessageEvent) => void) | null = null;
  /** Listener of `error`. */
  onerror: ((event: Event) => void) | null = null;
  /** Listener of `close`. */
  onclose: ((event: Event) => void) | null = null;
  /** Where to. */
  readonly url: string;
  /** Always empty: the host speaks no extensions. */
  readonly extensions = "";
  #state = 0;
  #binary: "blob" | "arraybuffer" = "blob";
  #unsent = 0;
  #early: SocketData[] = [];
  readonly #connection: FakeConnection;

  /** Opens one; `opened` is the server. */
  constructor(url: string | URL, protocols: string | string[], opened: (connection: FakeConnection) => Promise<void>) {
    super();
    let parsed: URL;
    try {
      parsed = new URL(String(url));
    } catch {
      throw wrong("SyntaxError", "WebSocket: the URL is not valid");
    }
    if (parsed.protocol === "http:") parsed = new URL(parsed.href.replace("http:", "ws:"));
    if (parsed.protocol === "https:") parsed = new URL(parsed.href.replace("https:", "wss:"));
    if (parsed.protocol !== "ws:" && parsed.protocol !== "wss:") throw wrong("SyntaxError", "WebSocket: only ws and wss");
    if (parsed.hash !== "") throw wrong("SyntaxError", "WebSocket: the URL has a fragment");
    this.url = parsed.href;
    for (const name of NAMES) this.addEventListener(name, (event) => (this[`on${name}`] as ((event: Event) => void) | null)?.call(this, event));
    this.#connection = new FakeConnection(this, parsed, typeof protocols === "string" ? [protocols] : [...protocols]);
    void opened(this.#connection).then(
      () => this.#opened(),
      () => this.end({ code: 1006, reason: "", clean: false, error: `WebSocket: ${parsed.hostname}: cannot connect` }),
    );
  }

  /** State, 0 to 3. */
  get readyState(): number {
    return this.#state;
  }
  /** The subprotocol the server chose. */
  get protocol(): string {
    return this.#state === 0 ? "" : this.#connection.protocol;
  }
  /** Bytes that did not leave. */
  get bufferedAmount(): number {
    return this.#unsent;
  }
  /** How bytes are shown. */
  get binaryType(): "blob" | "arraybuffer" {
    return this.#binary;
  }
  set binaryType(value: "blob" | "arraybuffer") {
    if (value === "blob" || value === "arraybuffer") this.#binary = value;
  }

  /** Says something to the server. */
  send(data: SocketData): void {
    if (this.#state === 0) throw wrong("InvalidStateError", "send: the socket is not open yet");
    const out = typeof data === "string" ? data : bytesOf(data);
    if (this.#state === 1 && this.#connection.open) queueMicrotask(() => this.#connection.hear(out));
    else this.#unsent += out.length;
  }

  /** Says goodbye. */
  close(code?: number, reason = ""): void {
    if (code !== undefined && code !== 1000 && !(code >= 3000 && code <= 4999)) {
      throw wrong("InvalidAccessError", `close: the code is 1000 or from 3000 to 4999, not ${code}`);
    }
    if (new TextEncoder().encode(reason).length > 123) throw wrong("SyntaxError", "close: the reason has more than 123 bytes");
    if (this.#state >= 2) return;
    const before = this.#state;
    this.#state = 2;
    queueMicrotask(() => {
      const heard = this.#connection.hearGoodbye({ code: code ?? 1005, reason });
      if (before === 0) this.end({ code: 1006, reason: "", clean: false, error: "the socket was closed before it was open" });
      else if (heard) this.end({ code: code ?? 1005, reason, clean: true });
      else setTimeout(() => this.end({ code: 1006, reason: "", clean: false, error: "WebSocket: the other side did not say goodbye" }), GOODBYE_MS);
    });
  }

  /** The server said something. */
  take(data: SocketData): void {
    if (this.#state === 0) return void this.#early.push(data);
    queueMicrotask(() => {
      if (this.#state === 1) this.dispatchEvent(new MessageEvent("message", { data: this.#shown(data), origin: new URL(this.url).origin }));
    });
  }

  /** It has ended. */
  end(how: SocketEnd): void {
    queueMicrotask(() => {
      if (this.#state === 3) return;
      this.#state = 3;
      this.#connection.hearGoodbye(undefined);
      if (how.error !== undefined) this.dispatchEvent(new Failing(how.error));
      this.dispatchEvent(new Closing(how));
    });
  }

  #opened(): void {
    if (this.#state !== 0) return;
    this.#state = 1;
    this.dispatchEvent(new Event("open"));
    for (const data of this.#early.splice(0)) this.take(data);
  }

  #shown(data: SocketData): unknown {
    if (typeof data === "string") return data;
    const bytes = bytesOf(data);
    return this.#binary === "blob" ? new Blob([bytes]) : bytes.buffer;
  }
}
