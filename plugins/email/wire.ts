/** Lines and bytes over a connection, each with a time limit: a server that says nothing is given up, and nothing waits for ever. */

import { connect, type Socket, type SocketOptions } from "@kata-agents/plugin-sdk";
import { bytesOf, rawOf } from "@kata-agents/plugin-sdk/mail";

/** Longest line that is read, bytes. */
const LONGEST_LINE = 256 * 1024;

/** The connection ended or says nothing. `code` is the host's: `connect`, `tls`, `timeout`, `closed`, `forbidden`. */
export class WireError extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.name = "WireError";
    this.code = code;
  }
}

function wireError(error: unknown): WireError {
  if (error instanceof WireError) return error;
  const code = (error as { code?: unknown } | undefined)?.code;
  return new WireError(typeof code === "string" ? code : "closed", error instanceof Error ? error.message : "the connection failed");
}

/** Where a server is, from a setting. */
export interface Server {
  hostname: string;
  port: number;
  secure: NonNullable<SocketOptions["secureTransport"]>;
  /** Whether TLS must begin before anything is said; never on this machine alone. */
  mustSecure: boolean;
}

/** Reads `imaps://host:port` and the like. */
export function serverOf(setting: unknown, kind: "imap" | "smtp"): Server | undefined {
  if (typeof setting !== "string" || !URL.canParse(setting)) return undefined;
  const url = new URL(setting);
  const scheme = url.protocol.slice(0, -1);
  const schemes = kind === "imap" ? ({ imaps: 993, imap: 143 } as const) : ({ smtps: 465, submissions: 465, smtp: 587, submission: 587 } as const);
  const port = (schemes as Readonly<Record<string, number>>)[scheme];
  const hostname = url.hostname.replace(/^\[|\]$/g, "");
  if (port === undefined || hostname === "") return undefined;
  const secure = scheme === "imaps" || scheme === "smtps" || scheme === "submissions" ? "on" : "starttls";
  const here = hostname === "localhost" || hostname === "::1" || /^127\./.test(hostname);
  return { hostname, port: url.port === "" ? port : Number(url.port), secure, mustSecure: secure === "starttls" && !here };
}

export class Wire {
  #socket: Socket;
  #reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>;
  #writer: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  /** What has come and was not taken, as bytes. */
  #have = "";
  #pending: Promise<ReadableStreamReadResult<Uint8Array<ArrayBuffer>>> | undefined;
  #closed = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#reader = socket.readable.getReader();
    this.#writer = socket.writable.getWriter();
  }

  /** Connects. Aborting `signal` closes it, whatever it is doing. */
  static async open({ hostname, port, secure }: Server, signal: AbortSignal, timeoutMs = 30_000): Promise<Wire> {
    if (signal.aborted) throw new WireError("closed", "it was given up");
    const socket = connect({ hostname, port }, { secureTransport: secure });
    const wire = new Wire(socket);
    signal.addEventListener("abort", () => wire.close(), { once: true });
    await wire.#within(socket.opened, timeoutMs).catch((error: unknown) => {
      wire.close();
      throw wireError(error);
    });
    return wire;
  }

  /** Begins TLS. Whatever the server said before it is dropped with an error: somebody may have put it there. */
  async startTls(timeoutMs = 30_000): Promise<void> {
    if (this.#have !== "") throw new WireError("tls", "the server said more than it may before TLS");
    this.#reader.releaseLock();
    this.#writer.releaseLock();
    this.#pending = undefined;
    this.#socket = this.#socket.startTls();
    this.#reader = this.#socket.readable.getReader();
    this.#writer = this.#socket.writable.getWriter();
    await this.#within(this.#socket.opened, timeoutMs);
  }

  /** The next line without its end, as a text of bytes. */
  async line(timeoutMs: number): Promise<string> {
    const until = Date.now() + timeoutMs;
    for (let from = 0; ; ) {
      const end = this.#have.indexOf("\n", from);
      if (end >= 0) {
        const line = this.#have.slice(0, end).replace(/\r$/, "");
        this.#have = this.#have.slice(end + 1);
        return line;
      }
      if (this.#have.length > LONGEST_LINE) throw new WireError("closed", "the server's line is too long");
      from = this.#have.length;
      await this.#more(until - Date.now());
    }
  }

  /** Exactly so many bytes. */
  async bytes(count: number, timeoutMs: number): Promise<string> {
    const until = Date.now() + timeoutMs;
    const pieces = [this.#have];
    let length = this.#have.length;
    this.#have = "";
    while (length < count) {
      await this.#more(until - Date.now());
      pieces.push(this.#have);
      length += this.#have.length;
      this.#have = "";
    }
    const all = pieces.join("");
    this.#have = all.slice(count);
    return all.slice(0, count);
  }

  /** Whether a line is there within the time; takes nothing. */
  async waits(timeoutMs: number): Promise<boolean> {
    const until = Date.now() + timeoutMs;
    try {
      while (!this.#have.includes("\n")) await this.#more(until - Date.now());
      return true;
    } catch (error) {
      if (error instanceof WireError && error.code === "timeout") return false;
      throw error;
    }
  }

  /** Writes a text of bytes. */
  async write(raw: string, timeoutMs = 60_000): Promise<void> {
    await this.#within(this.#writer.write(bytesOf(raw)), timeoutMs);
  }

  /** Ends it at once. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    void this.#socket.close().catch(() => undefined);
  }

  /** Whether it was ended from this side. */
  get closed(): boolean {
    return this.#closed;
  }

  async #more(timeoutMs: number): Promise<void> {
    // A read that was given up goes on, so that nothing it brings is lost.
    this.#pending ??= this.#reader.read();
    const { value, done } = await this.#within(this.#pending, timeoutMs);
    this.#pending = undefined;
    if (done) throw new WireError("closed", "the server ended the connection");
    this.#have += rawOf(value);
  }

  async #within<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
    work.catch(() => undefined);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new WireError("timeout", "the server does not answer")), Math.max(timeoutMs, 0));
    });
    try {
      return await Promise.race([work, late]);
    } catch (error) {
      throw wireError(error);
    } finally {
      clearTimeout(timer);
    }
  }
}
