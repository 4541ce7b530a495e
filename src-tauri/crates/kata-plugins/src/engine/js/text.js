// Text and bytes: `TextEncoder`, `TextDecoder`, their streams, base64. The work is done by the host.
(function ({ n, lib, bytesOf, utf8 }) {
  class TextEncoder {
    get encoding() { return "utf-8"; }
    encode(value = "") { return utf8(value); }
    encodeInto(value, into) {
      if (!(into instanceof Uint8Array)) throw new TypeError("encodeInto: a Uint8Array is needed");
      const text = `${value}`.toWellFormed();
      let bytes = utf8(text);
      let read = text.length;
      if (bytes.length > into.length) {
        // The most that fits: cut at a character's first byte, then count what that is in UTF-16.
        let end = into.length;
        while (end > 0 && (bytes[end] & 0xc0) === 0x80) end--;
        bytes = bytes.subarray(0, end);
        read = n.decode(bytes, "utf-8", false).length;
      }
      into.set(bytes);
      return { read, written: bytes.length };
    }
    get [Symbol.toStringTag]() { return "TextEncoder"; }
  }
  class TextDecoder {
    #encoding;
    #fatal;
    #keepBom;
    #rest = new Uint8Array(0);
    #begun = false;
    constructor(label = "utf-8", options = {}) {
      this.#encoding = n.encoding(`${label}`);
      if (this.#encoding === undefined) throw new RangeError(`TextDecoder: “${label}” is no encoding this host has`);
      this.#fatal = Boolean(options?.fatal);
      this.#keepBom = Boolean(options?.ignoreBOM);
    }
    get encoding() { return this.#encoding; }
    get fatal() { return this.#fatal; }
    get ignoreBOM() { return this.#keepBom; }
    decode(input = new Uint8Array(0), options = {}) {
      let bytes = bytesOf(input, "TextDecoder");
      const stream = Boolean(options?.stream);
      if (this.#rest.length) {
        const joined = new Uint8Array(this.#rest.length + bytes.length);
        joined.set(this.#rest);
        joined.set(bytes, this.#rest.length);
        bytes = joined;
        this.#rest = new Uint8Array(0);
      }
      if (stream) {
        const whole = n.whole(bytes, this.#encoding);
        this.#rest = bytes.slice(whole);
        bytes = bytes.subarray(0, whole);
      }
      let out = n.decode(bytes, this.#encoding, this.#fatal);
      if (out === undefined) {
        this.#begun = false;
        throw new TypeError(`TextDecoder: the bytes are not ${this.#encoding}`);
      }
      if (!this.#begun && out.length) {
        if (!this.#keepBom && this.#encoding.startsWith("utf") && out.charCodeAt(0) === 0xfeff) out = out.slice(1);
        this.#begun = true;
      }
      if (!stream) this.#begun = false;
      return out;
    }
    get [Symbol.toStringTag]() { return "TextDecoder"; }
  }
  class TextEncoderStream {
    #pair;
    constructor() {
      let high = "";
      this.#pair = new (lib("writable").TransformStream)({
        transform(chunk, controller) {
          let text = high + `${chunk}`;
          high = "";
          // A pair may be cut between two chunks.
          if (/[\ud800-\udbff]$/.test(text)) {
            high = text.at(-1);
            text = text.slice(0, -1);
          }
          if (text) controller.enqueue(utf8(text));
        },
        flush(controller) { if (high) controller.enqueue(utf8(high)); },
      });
    }
    get encoding() { return "utf-8"; }
    get readable() { return this.#pair.readable; }
    get writable() { return this.#pair.writable; }
  }
  class TextDecoderStream {
    #pair;
    #decoder;
    constructor(label, options) {
      const decoder = (this.#decoder = new TextDecoder(label, options));
      this.#pair = new (lib("writable").TransformStream)({
        transform(chunk, controller) {
          const text = decoder.decode(chunk, { stream: true });
          if (text) controller.enqueue(text);
        },
        flush(controller) {
          const text = decoder.decode();
          if (text) controller.enqueue(text);
        },
      });
    }
    get encoding() { return this.#decoder.encoding; }
    get fatal() { return this.#decoder.fatal; }
    get ignoreBOM() { return this.#decoder.ignoreBOM; }
    get readable() { return this.#pair.readable; }
    get writable() { return this.#pair.writable; }
  }
  const wrong = (message) => lib("events").domError("InvalidCharacterError", message);
  const atob = (value) => {
    const out = n.unb64(`${value}`.toWellFormed());
    if (out === undefined) throw wrong("atob: not base64");
    return out;
  };
  const btoa = (value) => {
    const out = n.b64(`${value}`.toWellFormed());
    if (out === undefined) throw wrong("btoa: a character is over U+00FF");
    return out;
  };
  return { TextEncoder, TextDecoder, TextEncoderStream, TextDecoderStream, atob, btoa };
})
