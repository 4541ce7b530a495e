/**
 * TCP whose other side is scripted, in the place of the SDK's `connect`. What a plugin sees is what the host shows it: streams,
 * one address that was granted, TLS as a state and not as bytes. Deliberately absent: certificates, and limits on sizes.
 */

import type { Socket, SocketAddress, SocketOptions } from "../socket.ts";
import { refused } from "./fetch.ts";

/**
 * What happens when the plugin connects: it is called once the connection stands, and may run as long as that does. A throw before
 * the first `await` refuses the connection, as when nobody listens.
 */
export type TcpAnswer = (connection: FakeTcpConnection) => void | Promise<void>;

/** One connection, seen from the server. */
export class FakeTcpConnection {
  /** Where the plugin connected to. */
  readonly address: SocketAddress;
  /** Whether what is said now is under TLS. */
  secure: boolean;
  /** Everything the plugin wrote, as text (UTF-8). */
  transcript = "";
  /** Hears bytes as they come. Absent: they wait for `line` and `read`. */
  onData: ((bytes: Uint8Array<ArrayBuffer>) => void) | undefined;
  /** Hears that TLS has begun. */
  onSecure: (() => void) | undefined;
  #waiting: Uint8Array<ArrayBuffer> = new Uint8Array();
  #wake: (() => void) | undefined;
  #client: FakeTcpSocket | undefined;
  #early: Uint8Array<ArrayBuffer>[] = [];
  #silent = false;
  #over = false;
  #broken: Error | undefined;

  /** Made by `FakeTcp`. */
  constructor(address: SocketAddress, secure: boolean) {
    this.address = address;
    this.secure = secure;
  }

  /** Whether it carries anything: neither ended nor half-open. */
  get open(): boolean {
    return !this.#over && !this.#silent;
  }
  /** Whether it has ended, by either side. */
  get ended(): boolean {
    return this.#over;
  }

  /** Says something to the plugin. */
  write(data: string | Uint8Array): void {
    if (!this.open) return;
    const bytes = typeof data === "string" ? new TextEncoder().encode(data) : new Uint8Array(data);
    if (this.#client === undefined) this.#early.push(bytes);
    else this.#client.take(bytes);
  }

  /** The next line of the plugin, without its end; `undefined` when it has ended. */
  async line(): Promise<string | undefined> {
    for (;;) {
      const end = this.#waiting.indexOf(10);
      if (end >= 0) return new TextDecoder().decode(this.#taken(end + 1)).replace(/\r?\n$/, "");
      if (this.#over) return undefined;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** Exactly so many bytes of the plugin; `undefined` when it has ended before. */
  async read(bytes: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    for (;;) {
      if (this.#waiting.length >= bytes) return this.#taken(bytes);
      if (this.#over) return undefined;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** Ends it, after what was said. */
  end(): void {
    if (!this.open) return;
    this.over();
    this.#client?.end();
  }

  /** The connection breaks. */
  drop(): void {
    if (this.#over) return;
    this.over();
    this.#broken = Object.assign(new Error(`${this.address.hostname}: the connection broke off`), { code: "closed" });
    this.#client?.end(this.#broken);
  }

  /** Half-open: from now on nothing comes through either way, and nobody says so. */
  goSilent(): void {
    this.#silent = true;
  }

  /** The plugin's side is there, or is there anew under TLS. */
  joined(client: FakeTcpSocket, secure: boolean): void {
    this.#client = client;
    for (const bytes of this.#early.splice(0)) client.take(bytes);
    if (this.#over) return client.end(this.#broken);
    if (!secure) return;
    this.secure = true;
    // What came before in the clear is nothing that was said under TLS.
    this.#waiting = new Uint8Array();
    this.onSecure?.();
  }

  /** The plugin's side wrote. */
  hear(bytes: Uint8Array<ArrayBuffer>): void {
    if (!this.open) return;
    this.transcript += new TextDecoder().decode(bytes);
    if (this.onData !== undefined) return this.onData(bytes);
    const all = new Uint8Array(this.#waiting.length + bytes.length);
    all.set(this.#waiting);
    all.set(bytes, this.#waiting.length);
    this.#waiting = all;
    this.#wake?.();
  }

  /** It has ended, by whichever side. */
  over(): void {
    this.#over = true;
    this.#wake?.();
  }

  #taken(bytes: number): Uint8Array<ArrayBuffer> {
    const taken = this.#waiting.slice(0, bytes);
    this.#waiting = this.#waiting.slice(bytes);
    return taken;
  }
}

/** Every connection so far, and the `connect` that makes them. */
export class FakeTcp {
  /** Every attempt, in order; those that were refused too. */
  readonly connections: FakeTcpConnection[] = [];
  /** In the place of the SDK's `connect`. */
  readonly connect: (address: SocketAddress, options?: SocketOptions) => Socket;
  #answer: TcpAnswer;

  /** Without an answer every connection is refused. */
  constructor(answer?: TcpAnswer) {
    this.#answer =
      answer ??
      (() => {
        throw refused();
      });
    this.connect = (address, options = {}) => {
      const { secureTransport = "off" } = options;
      const connection = new FakeTcpConnection({ ...address }, secureTransport === "on");
      this.connections.push(connection);
      const answered = () => this.#answer(connection);
      return new FakeTcpSocket(connection, secureTransport === "starttls", async (client) => {
        // As on a real network, nobody is there before the next turn.
        await Promise.resolve();
        let serving: void | Promise<void>;
        try {
          serving = answered();
        } catch {
          connection.over();
          throw Object.assign(new Error(`connect: ${address.hostname}: cannot connect`), { code: "connect" });
        }
        connection.joined(client, false);
        // A server that fails breaks its connection.
        void Promise.resolve(serving).catch(() => connection.drop());
      });
    };
  }

  /** Answers another way from now on. */
  answerWith(answer: TcpAnswer): void {
    this.#answer = answer;
  }

  /** Those that carry something now. */
  get open(): FakeTcpConnection[] {
    return this.connections.filter((one) => one.open);
  }
  /** The newest one. */
  get last(): FakeTcpConnection | undefined {
    return this.connections.at(-1);
  }
  /** Breaks every connection, as a network that goes down. */
  dropAll(): void {
    for (const one of this.connections) one.drop();
  }
}

/** The plugin's side of a connection, as `connect` gives it. */
export class FakeTcpSocket implements Socket {
  /** From the server. */
  readonly readable: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** To the server. */
  readonly writable: WritableStream<Uint8Array<ArrayBuffer>>;
  /** Resolves when it stands. */
  readonly opened: Promise<void>;
  /** Resolves when it has ended. */
  readonly closed: Promise<void>;
  readonly #connection: FakeTcpConnection;
  #may: boolean;
  #over = false;
  #done: () => void = () => undefined;
  #source: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>> | undefined;

  /** Made by `FakeTcp`. */
  constructor(connection: FakeTcpConnection, may: boolean, open: (client: FakeTcpSocket) => Promise<void>) {
    this.#connection = connection;
    this.#may = may;
    this.closed = new Promise((resolve) => (this.#done = resolve));
    this.readable = new ReadableStream<Uint8Array<ArrayBuffer>>({
      start: (source) => void (this.#source = source),
      cancel: () => this.#finish(),
    });
    this.writable = new WritableStream<Uint8Array<ArrayBuffer>>({
      write: async (bytes) => {
        await this.opened;
        if (this.#over) throw Object.assign(new Error("the connection is closed"), { code: "closed" });
        // A peer that has gone silent takes what fits into the buffers of the system, and nothing comes of it.
        this.#connection.hear(new Uint8Array(bytes));
      },
      close: () => this.#connection.over(),
      abort: () => this.#finish(),
    });
    this.opened = open(this);
    this.opened.catch((error: unknown) => this.end(error));
  }

  /** The server said something. */
  take(bytes: Uint8Array<ArrayBuffer>): void {
    if (!this.#over) this.#source?.enqueue(bytes);
  }

  /** The server has ended it, or it broke. */
  end(error?: unknown): void {
    if (this.#over) return;
    if (error === undefined) this.#source?.close();
    else this.#source?.error(error);
    this.#finish();
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#connection.over();
    this.#done();
  }

  /** Ends it. */
  async close(): Promise<void> {
    this.end();
    return this.closed;
  }

  /** Begins TLS. */
  startTls(): Socket {
    if (!this.#may || this.#over) throw new TypeError("startTls: only once, on an open connection that was opened with secureTransport “starttls”");
    this.#may = false;
    this.#over = true;
    this.#source?.close();
    this.#done();
    return new FakeTcpSocket(this.#connection, false, async (client) => {
      await this.opened;
      this.#connection.joined(client, true);
    });
  }
}
