/** TCP, for protocols that are not HTTP. The shape is that of the WinterTC Sockets API. */

/** Where to. */
export interface SocketAddress {
  /** Host name or address. */
  hostname: string;
  /** Port. */
  port: number;
}

/** How the connection is protected. */
export interface SocketOptions {
  /** `on`: TLS from the first byte. `starttls`: plain until `startTls`. `off`: plain. Default `off`. */
  secureTransport?: "off" | "on" | "starttls";
}

/** An open connection. What it reads and writes is bytes. */
export interface Socket {
  /** From the other side. Ends when the other side has ended. */
  readonly readable: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** To the other side. A write resolves when the operating system has it; one that makes no progress for two minutes fails. */
  readonly writable: WritableStream<Uint8Array<ArrayBuffer>>;
  /** Resolves when it stands; rejects with `code` `connect`, `tls`, `timeout` or `forbidden`. */
  readonly opened: Promise<void>;
  /** Resolves when it has ended. */
  readonly closed: Promise<void>;
  /** Ends it, after what was written. */
  close(): Promise<void>;
  /** Begins TLS on a connection of `starttls`; the streams of this one end, go on with those of the answer. */
  startTls(): Socket;
}

/**
 * Opens a connection. Needs the capability `tcp:HOST:PORT`, or a setting of format `uri` with that host and port in it
 * (`imaps://mail.example.org:993`; an `http` address is for `fetch` alone). Sockets and connections are at most 8 at a time;
 * they are closed with the plugin.
 */
export type Connect = (address: SocketAddress, options?: SocketOptions) => Socket;
