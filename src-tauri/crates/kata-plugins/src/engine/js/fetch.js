// `Headers`, `Request`, `Response`, `fetch`. A body is text, bytes, a stream, or a number: an answer the host still reads,
// chunk by chunk as it is asked for.
(function ({ n, op, lib, bytesOf, utf8 }) {
  class Headers {
    #map = new Map();
    constructor(init) {
      if (init === undefined) return;
      if (init === null || (typeof init !== "object" && typeof init !== "function")) throw new TypeError("Headers: an object or a list of pairs is needed");
      if (init[Symbol.iterator] !== undefined && init[Symbol.iterator] !== null) {
        for (const pair of init) {
          const [...both] = pair;
          if (both.length !== 2) throw new TypeError("Headers: each element must be a pair");
          this.append(both[0], both[1]);
        }
      } else for (const key of Reflect.ownKeys(init)) if (Object.getOwnPropertyDescriptor(init, key)?.enumerable) this.append(key, init[key]);
    }
    static #name(name) {
      const text = `${name}`;
      if (!/^[!#$%&'*+\-.^_`|~0-9a-zA-Z]+$/.test(text)) throw new TypeError(`Headers: “${text}” is not a header name`);
      return text.toLowerCase();
    }
    static #value(value) {
      const text = `${value}`.replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, "");
      if (/[\0\r\n]|[^\0-\xff]/.test(text)) throw new TypeError("Headers: a value is one line of characters up to U+00FF");
      return text;
    }
    append(name, value) {
      const [key, text] = [Headers.#name(name), Headers.#value(value)];
      const had = this.#map.get(key);
      if (had) had.push(text);
      else this.#map.set(key, [text]);
    }
    delete(name) { this.#map.delete(Headers.#name(name)); }
    get(name) { return this.#map.get(Headers.#name(name))?.join(", ") ?? null; }
    getSetCookie() { return [...(this.#map.get("set-cookie") ?? [])]; }
    has(name) { return this.#map.has(Headers.#name(name)); }
    set(name, value) { this.#map.set(Headers.#name(name), [Headers.#value(value)]); }
    forEach(fn, self) {
      if (typeof fn !== "function") throw new TypeError("forEach: a function is needed");
      for (const [k, v] of this) fn.call(self, v, k, this);
    }
    #sorted() {
      const out = [];
      for (const key of [...this.#map.keys()].sort()) {
        if (key === "set-cookie") for (const value of this.#map.get(key)) out.push([key, value]);
        else out.push([key, this.#map.get(key).join(", ")]);
      }
      return out;
    }
    *#walk(pick) { for (let i = 0, all; i < (all = this.#sorted()).length; i++) yield pick(all[i]); }
    keys() { return this.#walk(([k]) => k); }
    values() { return this.#walk(([, v]) => v); }
    entries() { return this.#walk((pair) => [...pair]); }
    get [Symbol.toStringTag]() { return "Headers"; }
  }
  Object.defineProperty(Headers.prototype, Symbol.iterator, { value: Headers.prototype.entries, writable: true, configurable: true });

  const { Blob, FormData, bytesIn, join, encodeForm, decodeForm } = lib("blob");
  const isStream = (value) => value instanceof lib("readable").ReadableStream;
  /** A body init as [body, content type]. */
  function extract(init) {
    if (init instanceof Blob) return [{ bytes: bytesIn(init) }, init.type || null];
    if (init instanceof FormData) {
      const { bytes, type } = encodeForm(init);
      return [{ bytes }, type];
    }
    if (init instanceof ArrayBuffer || ArrayBuffer.isView(init)) return [{ bytes: bytesOf(init, "body").slice() }, null];
    if (typeof init === "object" && init instanceof lib("url").URLSearchParams) return [{ text: init.toString() }, "application/x-www-form-urlencoded;charset=UTF-8"];
    if (typeof init === "object" && isStream(init)) {
      if (init.locked || lib("readable").tools.stateOf(init).disturbed) throw new TypeError("the stream is locked or was read already");
      return [{ stream: init }, null];
    }
    return [{ text: `${init}`.toWellFormed() }, "text/plain;charset=UTF-8"];
  }
  // Frees what the host reads for a response that nobody holds any more.
  const lost = new FinalizationRegistry((id) => n.bodyEnd(id));
  const B = Symbol("body");
  const stateOf = (stream) => lib("readable").tools.stateOf(stream);
  function hostStream(body) {
    const { id } = body;
    body.stream = new (lib("readable").ReadableStream)({
      async pull(controller) {
        const chunk = await op("body_next", `${id}`);
        if (chunk === undefined) controller.close();
        else controller.enqueue(chunk.bytes);
      },
      cancel() { n.bodyEnd(id); },
    }, { highWaterMark: 0 });
    lost.unregister(body);
    lost.register(stateOf(body.stream), id);
    body.id = undefined;
    return body.stream;
  }
  function streamOf(body) {
    if (body.stream) return body.stream;
    if (body.id !== undefined) return hostStream(body);
    const bytes = body.bytes ?? utf8(body.text);
    return (body.stream = new Blob([bytes]).stream());
  }
  async function drain(stream) {
    const reader = stream.getReader();
    const chunks = [];
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return join(chunks);
      if (!(value instanceof Uint8Array)) {
        const error = new TypeError("the stream gave something else than a Uint8Array");
        reader.cancel(error);
        throw error;
      }
      chunks.push(value);
    }
  }
  class Body {
    constructor() { Object.defineProperty(this, B, { value: { body: null, used: false, failed: undefined }, writable: true }); }
    get body() {
      const { body, used } = this[B];
      if (!body) return null;
      if (used && !body.stream) body.stream = new (lib("readable").ReadableStream)({ start: (c) => c.close() });
      return streamOf(body);
    }
    get bodyUsed() {
      const { body, used } = this[B];
      return used || Boolean(body?.stream && stateOf(body.stream).disturbed);
    }
    // Gives { text } or { bytes }, once.
    async #take() {
      const own = this[B];
      const { body } = own;
      if (!body) return { text: "" };
      if (this.bodyUsed || body.stream?.locked) throw new TypeError("the body has been read already");
      own.used = true;
      if (own.failed) throw own.failed.reason;
      if (body.stream) return { bytes: await drain(body.stream) };
      if (body.id === undefined) return body;
      const { id } = body;
      const answer = await op("body_all", `${id}`, undefined, own.signal);
      return typeof answer === "string" ? { text: answer } : { bytes: answer?.bytes ?? new Uint8Array(0) };
    }
    async text() {
      const { text, bytes } = await this.#take();
      return (text ?? n.decode(bytes, "utf-8", false)).replace(/^\ufeff/, "");
    }
    async json() { return JSON.parse(await this.text()); }
    async bytes() {
      const { text, bytes } = await this.#take();
      return bytes?.slice() ?? utf8(text);
    }
    async arrayBuffer() { return (await this.bytes()).buffer; }
    async blob() { return new Blob([await this.bytes()], { type: this.headers.get("content-type") ?? "" }); }
    async formData() {
      const type = this.headers.get("content-type") ?? "";
      return decodeForm(await this.bytes(), type);
    }
  }
  const give = (on, init) => {
    const [body, type] = extract(init);
    on[B].body = body;
    if (type && !on.headers.has("content-type")) on.headers.set("content-type", type);
  };
  // A second reader of the same body.
  const share = (from, to) => {
    const { body } = from[B];
    if (from.bodyUsed || body?.stream?.locked) throw new TypeError("the body has been read already");
    if (body && (body.stream || body.id !== undefined)) {
      const [one, other] = streamOf(body).tee();
      from[B].body = { stream: one };
      to[B].body = { stream: other };
    } else to[B].body = body;
    Object.assign(to[B], { signal: from[B].signal, failed: from[B].failed });
  };

  const NORMAL = ["DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"];
  const one = (value, allowed, what) => {
    if (!allowed.includes(value)) throw new TypeError(`Request: ${what} cannot be “${value}”`);
    return value;
  };
  class Request extends Body {
    #head;
    constructor(input, init = {}) {
      super();
      if (init === null) init = {};
      const from = input instanceof Request ? input : undefined;
      let url = from?.url;
      if (!from) {
        const parsed = n.url(`${input}`.toWellFormed());
        if (parsed === undefined) throw new TypeError("Request: the URL is not valid");
        const parts = JSON.parse(parsed);
        if (parts.username || parts.password) throw new TypeError("fetch: a URL with a user name or password is refused");
        url = parts.href;
      }
      let method = init.method === undefined ? (from?.method ?? "GET") : `${init.method}`;
      if (!/^[!#$%&'*+\-.^_`|~0-9a-zA-Z]+$/.test(method)) throw new TypeError(`Request: “${method}” is no method`);
      if (NORMAL.includes(method.toUpperCase())) method = method.toUpperCase();
      if (["CONNECT", "TRACE", "TRACK"].includes(method.toUpperCase())) throw new TypeError(`Request: the method ${method} is not allowed`);
      const pick = (name, otherwise, allowed) => {
        const value = init[name] === undefined ? (from?.[name] ?? otherwise) : `${init[name]}`;
        return allowed ? one(value, allowed, name) : value;
      };
      if (init.window !== undefined && init.window !== null) throw new TypeError("Request: window must be null");
      const signal = init.signal === undefined ? from?.signal : init.signal;
      const { AbortController, AbortSignal } = lib("events");
      if (signal !== undefined && signal !== null && !(signal instanceof AbortSignal)) throw new TypeError("Request: signal is no AbortSignal");
      this.#head = {
        url, method,
        redirect: pick("redirect", "follow", ["follow", "error", "manual"]),
        mode: pick("mode", "cors", ["same-origin", "no-cors", "cors"]),
        credentials: pick("credentials", "same-origin", ["omit", "same-origin", "include"]),
        cache: pick("cache", "default", ["default", "no-store", "reload", "no-cache", "force-cache", "only-if-cached"]),
        referrerPolicy: pick("referrerPolicy", ""),
        integrity: pick("integrity", ""),
        keepalive: Boolean(init.keepalive ?? from?.keepalive),
        // The given one itself: a signal that follows it would outlive each request on a signal that lives long.
        signal: signal ?? new AbortController().signal,
      };
      Object.defineProperty(this, "headers", { value: new Headers(init.headers ?? from?.headers), enumerable: true });
      const hasBody = init.body !== undefined && init.body !== null;
      if ((hasBody || (init.body === undefined && from?.[B].body)) && (method === "GET" || method === "HEAD")) throw new TypeError(`a ${method} request has no body`);
      if (hasBody) {
        give(this, init.body);
        if (this[B].body.stream && init.duplex !== "half") throw new TypeError('Request: a stream as body needs duplex: "half"');
      } else if (init.body === undefined && from?.[B].body) {
        if (from.bodyUsed || from[B].body.stream?.locked) throw new TypeError("the body has been read already");
        this[B].body = from[B].body.stream ? { stream: from[B].body.stream.pipeThrough(new (lib("writable").TransformStream)()) } : from[B].body;
        from[B].used = true;
      }
    }
    get url() { return this.#head.url; }
    get method() { return this.#head.method; }
    get redirect() { return this.#head.redirect; }
    get mode() { return this.#head.mode; }
    get credentials() { return this.#head.credentials; }
    get cache() { return this.#head.cache; }
    get referrer() { return "about:client"; }
    get referrerPolicy() { return this.#head.referrerPolicy; }
    get integrity() { return this.#head.integrity; }
    get keepalive() { return this.#head.keepalive; }
    get destination() { return ""; }
    get duplex() { return "half"; }
    get signal() { return this.#head.signal; }
    clone() {
      if (this.bodyUsed) throw new TypeError("the body has been read already");
      const copy = new Request(this.url, { ...this.#head, headers: this.headers });
      share(this, copy);
      return copy;
    }
    get [Symbol.toStringTag]() { return "Request"; }
  }
  const NO_BODY = [101, 103, 204, 205, 304];
  class Response extends Body {
    #head;
    constructor(body, init = {}) {
      super();
      if (init === null) init = {};
      const status = init.status === undefined ? 200 : Math.trunc(Number(init.status)) & 0xffff;
      if (status < 200 || status > 599) throw new RangeError(`Response: the status ${init.status} is outside 200 to 599`);
      const statusText = init.statusText === undefined ? "" : `${init.statusText}`;
      if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(statusText)) throw new TypeError("Response: statusText is not one line");
      this.#head = { status, statusText, url: "", redirected: false, type: "default" };
      Object.defineProperty(this, "headers", { value: new Headers(init.headers), enumerable: true });
      if (body !== undefined && body !== null) {
        if (NO_BODY.includes(status)) throw new TypeError(`Response: a ${status} has no body`);
        give(this, body);
      }
    }
    static made(head, headers) {
      const response = new Response(null, { headers });
      response.#head = head;
      return response;
    }
    get status() { return this.#head.status; }
    get statusText() { return this.#head.statusText; }
    get url() { return this.#head.url; }
    get redirected() { return this.#head.redirected; }
    get type() { return this.#head.type; }
    get ok() { return this.status >= 200 && this.status < 300; }
    clone() {
      if (this.bodyUsed || this[B].body?.stream?.locked) throw new TypeError("the body has been read already");
      const copy = made(this.#head, this.headers);
      share(this, copy);
      return copy;
    }
    static json(value, init = {}) {
      const text = JSON.stringify(value);
      if (text === undefined) throw new TypeError("Response.json: the value cannot be written as JSON");
      const response = new Response(text, init);
      if (!new Headers(init?.headers).has("content-type")) response.headers.set("content-type", "application/json");
      return response;
    }
    static error() { return made({ status: 0, statusText: "", url: "", redirected: false, type: "error" }); }
    static redirect(url, status = 302) {
      const parsed = n.url(`${url}`.toWellFormed());
      if (parsed === undefined) throw new TypeError("Response.redirect: the URL is not valid");
      if (![301, 302, 303, 307, 308].includes(status)) throw new RangeError(`Response.redirect: ${status} is no redirect`);
      return new Response(null, { status, headers: { location: JSON.parse(parsed).href } });
    }
    get [Symbol.toStringTag]() { return "Response"; }
  }
  const { made } = Response;
  delete Response.made;

  /** Most bytes that go to the host in one piece; more goes as a stream of known length. */
  const PIECE = 256 << 10;
  let uploads = 0;
  async function feed(id, stream) {
    const reader = stream.getReader();
    try {
      for (;;) {
        const { value, done } = await reader.read();
        if (done) break;
        if (!(value instanceof Uint8Array)) throw new TypeError("the stream gave something else than a Uint8Array");
        for (let at = 0; at < value.length; at += PIECE) await op("upload_piece", `${id}`, value.subarray(at, at + PIECE));
      }
      n.uploadEnd(id, true);
    } catch (error) {
      n.uploadEnd(id, false);
      reader.cancel(error).catch(() => {});
    }
  }
  async function fetch(input, init) {
    const request = new Request(input, init);
    const { signal } = request;
    signal.throwIfAborted();
    const { body } = request[B];
    const head = { url: request.url, method: request.method, headers: [...request.headers], redirect: request.redirect };
    let piece = body?.text ?? body?.bytes;
    if (body && (body.stream || (body.bytes?.length ?? body.text.length) > PIECE)) {
      if (!body.stream) head.length = (body.bytes ??= utf8(body.text)).length;
      head.upload = ++uploads;
      piece = undefined;
    }
    const answering = op("fetch", JSON.stringify(head), piece, signal);
    if (head.upload) feed(head.upload, streamOf(body));
    const answer = await answering;
    const meta = JSON.parse(typeof answer === "string" ? answer : answer.text);
    const { status, statusText, url, redirected } = meta;
    const response = made({ status, statusText, url, redirected, type: meta.opaque ? "opaqueredirect" : "basic" }, meta.headers);
    const own = response[B];
    if (typeof answer !== "string") own.body = { bytes: answer.bytes };
    else if (meta.body !== undefined) own.body = { text: meta.body };
    else if (meta.id !== undefined) {
      own.body = { id: meta.id };
      own.signal = signal;
      lost.register(response, meta.id, own.body);
      lib("events").onAbort(signal, (reason) => {
        own.failed = { reason };
        n.bodyEnd(meta.id);
        const stream = own.body.stream;
        if (stream) lib("readable").tools.fail(stateOf(stream).controller, reason);
      });
    }
    return response;
  }
  return { fetch, Headers, Request, Response };
})
