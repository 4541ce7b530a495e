// Web-standard globals, loaded when a plugin first names one. Text, URLs and digests are done by the host.
// Bytes go to the host as text with one character a byte, which is the cheapest safe way there; they come as Uint8Array.
(function (n, op, describe) {
  "use strict";
  const fromCodes = String.fromCharCode;
  function toBinary(bytes) {
    let out = "";
    for (let i = 0; i < bytes.length; i += 8192) out += fromCodes.apply(null, bytes.subarray(i, i + 8192));
    return out;
  }
  function bytesOf(value, what) {
    if (value instanceof ArrayBuffer) return new Uint8Array(value);
    if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    throw new TypeError(`${what}: bytes expected`);
  }
  const utf8 = (value) => n.utf8(`${value}`.toWellFormed());
  const domError = (name, message) => {
    const error = new Error(message);
    error.name = name;
    return error;
  };

  class TextEncoder {
    get encoding() { return "utf-8"; }
    encode(value = "") { return utf8(value); }
    encodeInto(value, into) {
      let read = 0;
      let written = 0;
      for (const char of `${value}`) {
        const bytes = utf8(char);
        if (written + bytes.length > into.length) break;
        into.set(bytes, written);
        written += bytes.length;
        read += char.length;
      }
      return { read, written };
    }
  }
  class TextDecoder {
    #fatal;
    #keepBom;
    #rest = new Uint8Array(0);
    constructor(label = "utf-8", options = {}) {
      if (!/^(utf-?8|unicode-1-1-utf-8)$/i.test(`${label}`.trim())) throw new RangeError(`TextDecoder: only utf-8, not “${label}”`);
      this.#fatal = options.fatal === true;
      this.#keepBom = options.ignoreBOM === true;
    }
    get encoding() { return "utf-8"; }
    get fatal() { return this.#fatal; }
    decode(input = new Uint8Array(0), options = {}) {
      let bytes = bytesOf(input, "TextDecoder");
      if (this.#rest.length) {
        const joined = new Uint8Array(this.#rest.length + bytes.length);
        joined.set(this.#rest);
        joined.set(bytes, this.#rest.length);
        bytes = joined;
        this.#rest = new Uint8Array(0);
      }
      if (options.stream === true) {
        // Keeps the bytes of a last character that is not complete yet.
        for (let back = 1; back <= 3 && back <= bytes.length; back++) {
          const byte = bytes[bytes.length - back];
          if (byte < 0x80) break;
          if (byte >= 0xc0) {
            const need = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
            if (need > back) {
              this.#rest = bytes.slice(bytes.length - back);
              bytes = bytes.subarray(0, bytes.length - back);
            }
            break;
          }
        }
      }
      const out = n.text(toBinary(bytes), this.#fatal);
      if (out === undefined) throw new TypeError("TextDecoder: the bytes are not UTF-8");
      return !this.#keepBom && out.charCodeAt(0) === 0xfeff ? out.slice(1) : out;
    }
  }
  const atob = (value) => {
    const out = n.unb64(`${value}`.toWellFormed());
    if (out === undefined) throw domError("InvalidCharacterError", "atob: not base64");
    return out;
  };
  const btoa = (value) => {
    const out = n.b64(`${value}`.toWellFormed());
    if (out === undefined) throw domError("InvalidCharacterError", "btoa: a character is over U+00FF");
    return out;
  };

  class Event {
    constructor(type, init = {}) {
      this.type = `${type}`;
      Object.assign(this, init);
      this.defaultPrevented = false;
    }
    preventDefault() { this.defaultPrevented = true; }
  }
  class EventTarget {
    #listeners = new Map();
    addEventListener(type, listener, options) {
      if (listener === null || listener === undefined) return;
      const list = this.#listeners.get(type) ?? [];
      if (list.some((l) => l.listener === listener)) return;
      list.push({ listener, once: typeof options === "object" && options?.once === true });
      this.#listeners.set(type, list);
    }
    removeEventListener(type, listener) {
      const list = this.#listeners.get(type);
      if (list) this.#listeners.set(type, list.filter((l) => l.listener !== listener));
    }
    dispatchEvent(event) {
      event.target = this;
      const run = (fn) => {
        try {
          if (typeof fn === "function") fn.call(this, event);
          else fn.handleEvent(event);
        } catch (error) {
          n.fault("throw", JSON.stringify(describe(error)));
        }
      };
      if (typeof this[`on${event.type}`] === "function") run(this[`on${event.type}`]);
      for (const entry of [...(this.#listeners.get(event.type) ?? [])]) {
        if (entry.once) this.removeEventListener(event.type, entry.listener);
        run(entry.listener);
      }
      return !event.defaultPrevented;
    }
  }
  class AbortSignal extends EventTarget {
    aborted = false;
    reason = undefined;
    onabort = null;
    throwIfAborted() {
      if (this.aborted) throw this.reason;
    }
    static abort(reason) {
      const controller = new AbortController();
      controller.abort(reason);
      return controller.signal;
    }
    static timeout(ms) {
      const controller = new AbortController();
      setTimeout(() => controller.abort(domError("TimeoutError", "the time limit has passed")), ms);
      return controller.signal;
    }
    static any(signals) {
      const controller = new AbortController();
      for (const signal of signals) {
        if (signal.aborted) {
          controller.abort(signal.reason);
          break;
        }
        signal.addEventListener("abort", () => controller.abort(signal.reason), { once: true });
      }
      return controller.signal;
    }
  }
  class AbortController {
    signal = new AbortSignal();
    abort(reason = domError("AbortError", "the operation was aborted")) {
      const signal = this.signal;
      if (signal.aborted) return;
      signal.aborted = true;
      signal.reason = reason;
      signal.dispatchEvent(new Event("abort"));
    }
  }

  class URLSearchParams {
    #list = [];
    #changed;
    constructor(init = "", changed) {
      this.#changed = changed;
      this._load(init);
    }
    _load(init) {
      if (typeof init === "object" && init !== null) {
        this.#list = (typeof init[Symbol.iterator] === "function" ? [...init] : Object.entries(init)).map(([k, v]) => [`${k}`, `${v}`]);
      } else this.#list = JSON.parse(n.query(`${init}`.toWellFormed().replace(/^\?/, "")));
    }
    #touch() { this.#changed?.(this.toString()); }
    append(name, value) { this.#list.push([`${name}`, `${value}`]); this.#touch(); }
    delete(name, value) {
      this.#list = this.#list.filter(([k, v]) => k !== `${name}` || (value !== undefined && v !== `${value}`));
      this.#touch();
    }
    get(name) { return this.#list.find(([k]) => k === `${name}`)?.[1] ?? null; }
    getAll(name) { return this.#list.filter(([k]) => k === `${name}`).map(([, v]) => v); }
    has(name, value) { return this.#list.some(([k, v]) => k === `${name}` && (value === undefined || v === `${value}`)); }
    set(name, value) {
      const at = this.#list.findIndex(([k]) => k === `${name}`);
      if (at < 0) this.#list.push([`${name}`, `${value}`]);
      else {
        this.#list[at] = [`${name}`, `${value}`];
        this.#list = this.#list.filter(([k], i) => i <= at || k !== `${name}`);
      }
      this.#touch();
    }
    sort() { this.#list.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)); this.#touch(); }
    forEach(fn, self) { for (const [k, v] of this.#list) fn.call(self, v, k, this); }
    keys() { return this.#list.map(([k]) => k)[Symbol.iterator](); }
    values() { return this.#list.map(([, v]) => v)[Symbol.iterator](); }
    entries() { return this.#list.map(([k, v]) => [k, v])[Symbol.iterator](); }
    [Symbol.iterator]() { return this.entries(); }
    get size() { return this.#list.length; }
    toString() { return n.unquery(JSON.stringify(this.#list)); }
  }
  class URL {
    #parts;
    #params;
    constructor(href, base) {
      const parsed = n.url(`${href}`.toWellFormed(), base === undefined ? undefined : `${base}`.toWellFormed());
      if (parsed === undefined) throw new TypeError(`not a valid URL`);
      this.#parts = JSON.parse(parsed);
    }
    static canParse(href, base) {
      return n.url(`${href}`.toWellFormed(), base === undefined ? undefined : `${base}`.toWellFormed()) !== undefined;
    }
    static parse(href, base) { return URL.canParse(href, base) ? new URL(href, base) : null; }
    _set(part, value) {
      const parsed = n.urlSet(this.#parts.href, part, `${value}`.toWellFormed());
      if (parsed === undefined) {
        if (part === "href") throw new TypeError("not a valid URL");
        return;
      }
      this.#parts = JSON.parse(parsed);
      if (part === "search" || part === "href") this.#params?._load(this.#parts.search);
    }
    get searchParams() {
      this.#params ??= new URLSearchParams(this.#parts.search, (query) => {
        this.#parts = JSON.parse(n.urlSet(this.#parts.href, "search", query));
      });
      return this.#params;
    }
    get origin() { return this.#parts.origin; }
    toString() { return this.#parts.href; }
    toJSON() { return this.#parts.href; }
    static _get(url, part) { return url.#parts[part]; }
  }
  for (const part of ["href", "protocol", "username", "password", "host", "hostname", "port", "pathname", "search", "hash"]) {
    Object.defineProperty(URL.prototype, part, {
      get() { return URL._get(this, part); },
      set(value) { this._set(part, value); },
      configurable: true,
      enumerable: true,
    });
  }

  class Headers {
    #map = new Map();
    constructor(init) {
      if (init === undefined || init === null) return;
      const list = typeof init[Symbol.iterator] === "function" ? init : Object.entries(init);
      for (const [k, v] of list) this.append(k, v);
    }
    static #name(name) {
      const text = `${name}`.toLowerCase();
      if (!/^[!#$%&'*+\-.^_`|~0-9a-z]+$/.test(text)) throw new TypeError(`Headers: “${text}” is not a header name`);
      return text;
    }
    static #value(value) {
      const text = `${value}`.trim();
      if (/[\0\r\n]/.test(text)) throw new TypeError("Headers: a value may not contain a line break");
      return text;
    }
    append(name, value) {
      const key = Headers.#name(name);
      const text = Headers.#value(value);
      this.#map.set(key, this.#map.has(key) ? `${this.#map.get(key)}, ${text}` : text);
    }
    delete(name) { this.#map.delete(Headers.#name(name)); }
    get(name) { return this.#map.get(Headers.#name(name)) ?? null; }
    has(name) { return this.#map.has(Headers.#name(name)); }
    set(name, value) { this.#map.set(Headers.#name(name), Headers.#value(value)); }
    forEach(fn, self) { for (const [k, v] of this) fn.call(self, v, k, this); }
    entries() { return [...this.#map].sort(([a], [b]) => (a < b ? -1 : 1))[Symbol.iterator](); }
    keys() { return [...this].map(([k]) => k)[Symbol.iterator](); }
    values() { return [...this].map(([, v]) => v)[Symbol.iterator](); }
    [Symbol.iterator]() { return this.entries(); }
  }

  class Blob {
    _bytes;
    constructor(parts = [], options = {}) {
      const chunks = [...parts].map((p) => (p instanceof Blob ? p._bytes : typeof p === "string" ? utf8(p) : bytesOf(p, "Blob")));
      this._bytes = new Uint8Array(chunks.reduce((sum, c) => sum + c.length, 0));
      let at = 0;
      for (const chunk of chunks) {
        this._bytes.set(chunk, at);
        at += chunk.length;
      }
      this.type = `${options.type ?? ""}`.toLowerCase();
    }
    get size() { return this._bytes.length; }
    slice(start, end, type = "") { return new Blob([this._bytes.slice(start, end)], { type }); }
    async arrayBuffer() { return this._bytes.slice().buffer; }
    async bytes() { return this._bytes.slice(); }
    async text() { return new TextDecoder().decode(this._bytes); }
  }
  class File extends Blob {
    constructor(parts, name, options = {}) {
      super(parts, options);
      this.name = `${name}`;
      this.lastModified = options.lastModified ?? Date.now();
    }
  }
  class FormData {
    #list = [];
    #entry(name, value, filename) {
      if (value instanceof Blob && !(value instanceof File)) value = new File([value], filename ?? "blob", { type: value.type });
      else if (value instanceof File) value = filename === undefined ? value : new File([value], filename, { type: value.type });
      else value = `${value}`;
      return [`${name}`, value];
    }
    append(name, value, filename) { this.#list.push(this.#entry(name, value, filename)); }
    set(name, value, filename) {
      this.delete(name);
      this.append(name, value, filename);
    }
    delete(name) { this.#list = this.#list.filter(([k]) => k !== `${name}`); }
    get(name) { return this.#list.find(([k]) => k === `${name}`)?.[1] ?? null; }
    getAll(name) { return this.#list.filter(([k]) => k === `${name}`).map(([, v]) => v); }
    has(name) { return this.#list.some(([k]) => k === `${name}`); }
    forEach(fn, self) { for (const [k, v] of this.#list) fn.call(self, v, k, this); }
    entries() { return [...this.#list][Symbol.iterator](); }
    [Symbol.iterator]() { return this.entries(); }
    _encode() {
      const boundary = `----kata${toBinary(n.random(12)).replace(/[^]/g, (c) => c.charCodeAt(0).toString(16).padStart(2, "0"))}`;
      const quote = (s) => s.replace(/\r\n|\r|\n/g, "%0D%0A").replace(/"/g, "%22");
      let out = "";
      for (const [name, value] of this.#list) {
        let head = `--${boundary}\r\nContent-Disposition: form-data; name="${quote(name)}"`;
        if (typeof value === "string") out += toBinary(utf8(`${head}\r\n\r\n${value}\r\n`));
        else {
          head += `; filename="${quote(value.name)}"\r\nContent-Type: ${value.type || "application/octet-stream"}\r\n\r\n`;
          out += `${toBinary(utf8(head))}${toBinary(value._bytes)}\r\n`;
        }
      }
      return { binary: `${out}--${boundary}--\r\n`, type: `multipart/form-data; boundary=${boundary}` };
    }
  }

  // A body as [text or one character a byte, whether it is the latter, content type].
  function encode(body) {
    if (typeof body === "string") return [body.toWellFormed(), false, "text/plain;charset=UTF-8"];
    if (body instanceof URLSearchParams) return [body.toString(), false, "application/x-www-form-urlencoded;charset=UTF-8"];
    if (body instanceof FormData) {
      const { binary, type } = body._encode();
      return [binary, true, type];
    }
    if (body instanceof Blob) return [toBinary(body._bytes), true, body.type || null];
    if (body instanceof ArrayBuffer || ArrayBuffer.isView(body)) return [toBinary(bytesOf(body, "body")), true, null];
    return [`${body}`.toWellFormed(), false, "text/plain;charset=UTF-8"];
  }
  class Body {
    _body = null; // null, { text } or { bytes }
    bodyUsed = false;
    _take() {
      if (this.bodyUsed) throw new TypeError("the body has been read already");
      if (this._body) this.bodyUsed = true;
      return this._body ?? { text: "" };
    }
    async text() {
      const body = this._take();
      return body.text ?? new TextDecoder().decode(body.bytes);
    }
    async json() { return JSON.parse(await this.text()); }
    async bytes() {
      const body = this._take();
      return body.bytes ?? utf8(body.text);
    }
    async arrayBuffer() { return (await this.bytes()).slice().buffer; }
    async blob() { return new Blob([await this.bytes()], { type: this.headers.get("content-type") ?? "" }); }
    _init(body) {
      if (body === null || body === undefined) return;
      const [data, binary, type] = encode(body);
      this._body = binary ? { bytes: Uint8Array.from(data, (c) => c.charCodeAt(0)) } : { text: data };
      if (type && !this.headers.has("content-type")) this.headers.set("content-type", type);
    }
  }
  class Request extends Body {
    constructor(input, init = {}) {
      super();
      const from = input instanceof Request ? input : undefined;
      this.url = from ? from.url : new URL(input).href;
      this.method = `${init.method ?? from?.method ?? "GET"}`.toUpperCase();
      this.headers = new Headers(init.headers ?? from?.headers);
      this.redirect = init.redirect ?? from?.redirect ?? "follow";
      this.signal = init.signal ?? from?.signal;
      if (init.body !== undefined && init.body !== null && (this.method === "GET" || this.method === "HEAD")) {
        throw new TypeError(`a ${this.method} request has no body`);
      }
      if (init.body !== undefined) this._init(init.body);
      else if (from?._body) this._body = from._take();
    }
    clone() {
      const copy = new Request(this.url, this);
      copy._body = this._body;
      return copy;
    }
  }
  class Response extends Body {
    constructor(body, init = {}) {
      super();
      this.status = init.status ?? 200;
      this.statusText = init.statusText ?? "";
      this.headers = new Headers(init.headers);
      this.url = "";
      this.redirected = false;
      this.type = "default";
      this._init(body);
    }
    get ok() { return this.status >= 200 && this.status < 300; }
    clone() {
      if (this.bodyUsed) throw new TypeError("the body has been read already");
      const copy = new Response(null, this);
      copy._body = this._body;
      copy.url = this.url;
      return copy;
    }
    static json(value, init = {}) {
      const response = new Response(JSON.stringify(value), init);
      response.headers.set("content-type", "application/json");
      return response;
    }
    static error() { return new Response(null, { status: 0 }); }
  }
  async function fetch(input, init) {
    const request = new Request(input, init);
    request.signal?.throwIfAborted();
    const body = request._body;
    const head = JSON.stringify({ url: request.url, method: request.method, headers: [...request.headers], redirect: request.redirect });
    const answer = await op("fetch", head, body ? (body.text ?? toBinary(body.bytes)) : undefined, body?.bytes !== undefined, request.signal);
    const meta = JSON.parse(typeof answer === "string" ? answer : answer.text);
    const response = new Response(null, { status: meta.status, statusText: meta.statusText, headers: meta.headers });
    response.url = meta.url;
    response.redirected = meta.redirected;
    response.type = "basic";
    if (meta.body !== undefined) response._body = { text: meta.body };
    else if (typeof answer !== "string") response._body = { bytes: answer.bytes };
    return response;
  }

  const hashName = (algorithm) => {
    const name = `${algorithm?.hash?.name ?? algorithm?.hash ?? algorithm?.name ?? algorithm}`.toUpperCase();
    if (!["SHA-256", "SHA-384", "SHA-512"].includes(name)) throw domError("NotSupportedError", `the hash “${name}” is not supported`);
    return name;
  };
  const keys = new WeakMap();
  class CryptoKey {
    constructor(hash, extractable, usages, length) {
      this.type = "secret";
      this.extractable = extractable === true;
      this.algorithm = { name: "HMAC", hash: { name: hash }, length };
      this.usages = [...usages];
      Object.freeze(this);
    }
  }
  const keyFor = (key, usage) => {
    const secret = keys.get(key);
    if (!secret || !key.usages.includes(usage)) throw domError("InvalidAccessError", `the key cannot be used to ${usage}`);
    return secret;
  };
  const mac = (key, usage, data) => n.hmac(key.algorithm.hash.name, toBinary(keyFor(key, usage)), toBinary(bytesOf(data, usage)));
  const crypto = Object.freeze({
    getRandomValues(into) {
      const view = bytesOf(into, "getRandomValues");
      if (view.length > 65536) throw domError("QuotaExceededError", "at most 65536 bytes");
      view.set(n.random(view.length));
      return into;
    },
    randomUUID() {
      const b = n.random(16);
      b[6] = (b[6] & 0x0f) | 0x40;
      b[8] = (b[8] & 0x3f) | 0x80;
      const hex = [...b].map((v) => v.toString(16).padStart(2, "0")).join("");
      return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
    },
    subtle: Object.freeze({
      async digest(algorithm, data) { return n.digest(hashName(algorithm), toBinary(bytesOf(data, "digest"))).buffer; },
      async importKey(format, data, algorithm, extractable, usages) {
        if (format !== "raw" || `${algorithm?.name}`.toUpperCase() !== "HMAC") throw domError("NotSupportedError", "only raw HMAC keys");
        const secret = bytesOf(data, "importKey").slice();
        const key = new CryptoKey(hashName(algorithm), extractable, usages, secret.length * 8);
        keys.set(key, secret);
        return key;
      },
      async sign(algorithm, key, data) { return mac(key, "sign", data).buffer; },
      async verify(algorithm, key, signature, data) {
        const made = mac(key, "verify", data);
        const given = bytesOf(signature, "verify");
        let different = made.length ^ given.length;
        for (let i = 0; i < made.length; i++) different |= made[i] ^ given[i % (given.length || 1)];
        return different === 0;
      },
    }),
  });

  function structuredClone(value, options) {
    const seen = new Map();
    const refuse = (what) => {
      throw domError("DataCloneError", `${what} cannot be cloned`);
    };
    const copy = (v) => {
      if (typeof v === "function" || typeof v === "symbol") return refuse(typeof v);
      if (typeof v !== "object" || v === null) return v;
      if (seen.has(v)) return seen.get(v);
      const keep = (out) => {
        seen.set(v, out);
        return out;
      };
      if (Array.isArray(v)) {
        const out = keep([]);
        for (let i = 0; i < v.length; i++) if (i in v) out[i] = copy(v[i]);
        out.length = v.length;
        return out;
      }
      if (v instanceof Date) return keep(new Date(v.getTime()));
      if (v instanceof RegExp) return keep(new RegExp(v.source, v.flags));
      if (v instanceof Blob) return keep(v);
      if (v instanceof ArrayBuffer) return keep(v.slice(0));
      if (ArrayBuffer.isView(v)) {
        const buffer = copy(v.buffer);
        return keep(v instanceof DataView ? new DataView(buffer, v.byteOffset, v.byteLength) : new v.constructor(buffer, v.byteOffset, v.length));
      }
      if (v instanceof Map) {
        const out = keep(new Map());
        for (const [k, item] of v) out.set(copy(k), copy(item));
        return out;
      }
      if (v instanceof Set) {
        const out = keep(new Set());
        for (const item of v) out.add(copy(item));
        return out;
      }
      if (v instanceof Error) {
        const out = keep(new ({ TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError }[v.name] ?? Error)(v.message));
        out.stack = v.stack;
        if ("cause" in v) out.cause = copy(v.cause);
        return out;
      }
      if (v instanceof Number || v instanceof String || v instanceof Boolean) return keep(Object(v.valueOf()));
      if (v instanceof WeakMap || v instanceof WeakSet || v instanceof WeakRef || v instanceof Promise) return refuse(v.constructor.name);
      const out = keep({});
      for (const key of Object.keys(v)) out[key] = copy(v[key]);
      return out;
    };
    return copy(value);
  }

  return {
    fetch, Headers, Request, Response, FormData, Blob, File, URL, URLSearchParams, AbortController, AbortSignal, Event, EventTarget,
    TextEncoder, TextDecoder, crypto, structuredClone, atob, btoa,
  };
})
