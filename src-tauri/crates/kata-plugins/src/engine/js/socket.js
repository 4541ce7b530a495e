// `WebSocket`. The host holds the connection; this side asks for one message at a time, so a plugin that is busy slows the
// other side down instead of filling memory.
(function ({ n, op, lib, bytesOf, utf8 }) {
  const { EventTarget, Event, MessageEvent, CloseEvent, ErrorEvent, domError, handlers } = lib("events");
  const STATES = ["CONNECTING", "OPEN", "CLOSING", "CLOSED"];
  let last = 0;
  class WebSocket extends EventTarget {
    #id = ++last;
    #url;
    #origin;
    #state = 0;
    #protocol = "";
    #extensions = "";
    #binary = "blob";
    #unsent = 0;
    constructor(url, protocols = []) {
      super();
      const parsed = n.url(`${url}`.toWellFormed());
      if (parsed === undefined) throw domError("SyntaxError", "WebSocket: the URL is not valid");
      const parts = JSON.parse(parsed);
      const scheme = { "http:": "ws:", "https:": "wss:", "ws:": "ws:", "wss:": "wss:" }[parts.protocol];
      if (!scheme) throw domError("SyntaxError", "WebSocket: only ws and wss");
      if (parts.href.includes("#")) throw domError("SyntaxError", "WebSocket: the URL has a fragment");
      this.#url = scheme + parts.href.slice(parts.protocol.length);
      this.#origin = `${scheme}//${parts.host}`;
      const wanted = (typeof protocols === "string" ? [protocols] : [...protocols]).map((p) => `${p}`);
      if (wanted.some((p) => !/^[!#$%&'*+\-.^_`|~0-9a-zA-Z]+$/.test(p))) throw domError("SyntaxError", "WebSocket: a subprotocol's name is not valid");
      if (new Set(wanted.map((p) => p.toLowerCase())).size !== wanted.length) throw domError("SyntaxError", "WebSocket: a subprotocol is named twice");
      this.#run(wanted);
    }
    async #run(protocols) {
      try {
        const answer = await op("socket_open", JSON.stringify({ id: this.#id, url: this.#url, protocols }));
        ({ protocol: this.#protocol, extensions: this.#extensions } = JSON.parse(answer));
        if (this.#state === 0) {
          this.#state = 1;
          this.dispatchEvent(new Event("open"));
        }
        for (;;) {
          const message = await op("socket_next", `${this.#id}`);
          if (typeof message !== "string") this.#take(this.#binary === "blob" ? new (lib("blob").Blob)([message.bytes]) : message.bytes.buffer);
          else if (message.startsWith("t")) this.#take(message.slice(1));
          else return this.#end(JSON.parse(message.slice(1)));
        }
      } catch (error) {
        this.#end({ code: 1006, reason: "", clean: false, error: error.message, cause: error });
      }
    }
    #take(data) {
      if (this.#state === 1) this.dispatchEvent(new MessageEvent("message", { data, origin: this.#origin }));
    }
    #end({ code, reason, clean, error, cause }) {
      if (this.#state === 3) return;
      this.#state = 3;
      n.socketEnd(this.#id);
      if (error) this.dispatchEvent(new ErrorEvent("error", { message: error, error: cause ?? new Error(error) }));
      this.dispatchEvent(new CloseEvent("close", { wasClean: clean, code, reason }));
    }
    get url() { return this.#url; }
    get readyState() { return this.#state; }
    get protocol() { return this.#protocol; }
    get extensions() { return this.#extensions; }
    get bufferedAmount() { return this.#unsent + n.socketBuffered(this.#id); }
    get binaryType() { return this.#binary; }
    set binaryType(value) { if (value === "blob" || value === "arraybuffer") this.#binary = value; }
    send(data) {
      if (arguments.length === 0) throw new TypeError("send: something to send is needed");
      if (this.#state === 0) throw domError("InvalidStateError", "send: the socket is not open yet");
      let out;
      if (data instanceof ArrayBuffer || ArrayBuffer.isView(data)) out = bytesOf(data, "send");
      else if (data instanceof lib("blob").Blob) out = lib("blob").bytesIn(data);
      else out = `${data}`.toWellFormed();
      if (this.#state !== 1) {
        this.#unsent += typeof out === "string" ? utf8(out).length : out.length;
        return;
      }
      const wrong = n.socketSend(this.#id, out);
      if (wrong !== undefined) throw domError("QuotaExceededError", wrong);
    }
    close(code, reason = "") {
      if (code !== undefined) {
        code = Math.trunc(Number(code)) & 0xffff;
        if (code !== 1000 && !(code >= 3000 && code <= 4999)) throw domError("InvalidAccessError", `close: the code is 1000 or from 3000 to 4999, not ${code}`);
      }
      reason = `${reason}`.toWellFormed();
      if (utf8(reason).length > 123) throw domError("SyntaxError", "close: the reason has more than 123 bytes");
      if (this.#state >= 2) return;
      const before = this.#state;
      this.#state = 2;
      if (before === 0) {
        // Taken down in the next turn, so that a listener set after `close` still hears of it.
        n.socketEnd(this.#id);
        queueMicrotask(() => this.#end({ code: 1006, reason: "", clean: false, error: "the socket was closed before it was open" }));
      } else n.socketClose(this.#id, code, reason);
    }
    get [Symbol.toStringTag]() { return "WebSocket"; }
  }
  STATES.forEach((name, value) => {
    for (const on of [WebSocket, WebSocket.prototype]) Object.defineProperty(on, name, { value, enumerable: true });
  });
  handlers(WebSocket.prototype, ["open", "message", "error", "close"]);
  return { WebSocket };
})
