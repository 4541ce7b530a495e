// `connect`: TCP in the shape of the WinterTC Sockets API. Nothing is read ahead: a chunk is asked for when somebody reads, and a
// write is done when the system has it, so that both sides feel how fast the other one is.
(function ({ n, op, lib, bytesOf }) {
  const PIECE = 256 << 10;
  const quiet = (promise) => {
    promise.then(undefined, () => {});
    return promise;
  };
  let last = 0;
  const OWN = Symbol("own");

  class Socket {
    #id;
    #opened;
    #closed;
    #end;
    #over = false;
    #started = false;
    #may;
    #source;
    #readable;
    #writable;
    constructor(key, opening, may) {
      if (key !== OWN) throw new TypeError("a socket comes from `connect`");
      this.#id = ++last;
      this.#may = may;
      this.#closed = new Promise((resolve) => (this.#end = resolve));
      this.#opened = quiet(opening(this.#id));
      this.#opened.catch(() => this.#finish());
      const { ReadableStream } = lib("readable");
      const { WritableStream } = lib("writable");
      this.#readable = new ReadableStream({
        start: (source) => void (this.#source = source),
        pull: async (source) => {
          await this.#opened;
          let piece;
          try {
            piece = await op("tcp_read", `${this.#id}`);
          } catch (error) {
            // TLS begins, or it was closed from this side: that is an end, not a failure.
            if (this.#over) return;
            this.#finish();
            throw error;
          }
          if (typeof piece === "object" && piece !== null) return source.enqueue(piece.bytes);
          if (this.#over) return;
          source.close();
          this.#finish();
        },
        cancel: () => this.#finish(),
      }, { highWaterMark: 0 });
      this.#writable = new WritableStream({
        write: async (chunk) => {
          const bytes = bytesOf(chunk, "write");
          await this.#opened;
          if (this.#over) throw Object.assign(new Error("the connection is closed"), { code: "closed" });
          for (let at = 0; at < bytes.length; at += PIECE) await op("tcp_write", `${this.#id}`, bytes.subarray(at, at + PIECE));
        },
        close: async () => {
          await this.#opened;
          await op("tcp_shut", `${this.#id}`);
        },
        abort: () => this.#finish(),
      });
    }
    #finish() {
      if (this.#over) return;
      this.#over = true;
      n.tcpEnd(this.#id);
      this.#end();
    }
    // A stream that was closed or has failed already cannot be closed again.
    #endReading() {
      try {
        this.#source.close();
      } catch {}
    }
    get readable() { return this.#readable; }
    get writable() { return this.#writable; }
    get opened() { return this.#opened; }
    get closed() { return this.#closed; }
    async close() {
      if (!this.#over) {
        // What was written before goes out first.
        if (!this.#writable.locked) await this.#writable.close().catch(() => {});
        else await op("tcp_shut", `${this.#id}`).catch(() => {});
      }
      this.#finish();
      this.#endReading();
      return this.#closed;
    }
    startTls() {
      if (!this.#may || this.#started || this.#over) {
        throw new TypeError("startTls: only once, on an open connection that was opened with secureTransport “starttls”");
      }
      this.#started = true;
      const before = this.#id;
      const next = new Socket(OWN, async (to) => {
        await this.#opened;
        await op("tcp_tls", JSON.stringify([before, to]));
      }, false);
      this.#over = true;
      this.#end();
      this.#endReading();
      return next;
    }
    get [Symbol.toStringTag]() { return "Socket"; }
  }

  function connect(address, options = {}) {
    const hostname = `${address?.hostname}`;
    const port = Number(address?.port);
    if (typeof address?.hostname !== "string" || !Number.isInteger(port) || port < 1 || port > 65535) {
      throw new TypeError("connect: the address needs a hostname and a port from 1 to 65535");
    }
    const secure = options?.secureTransport ?? "off";
    if (secure !== "off" && secure !== "on" && secure !== "starttls") throw new TypeError("connect: secureTransport is one of off, on, starttls");
    return new Socket(OWN, async (id) => void (await op("tcp_open", JSON.stringify({ id, hostname, port, secure }))), secure === "starttls");
  }
  return { connect };
})
