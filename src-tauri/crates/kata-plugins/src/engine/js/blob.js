// `Blob`, `File` and `FormData`, with the latter's way onto the wire and back.
(function ({ n, lib, bytesOf, utf8 }) {
  const held = new WeakMap();
  const bytesIn = (blob) => held.get(blob);
  const typeOf = (type) => (/^[\x20-\x7e]*$/.test(type) ? type.toLowerCase() : "");
  class Blob {
    #type;
    constructor(parts = [], options = {}) {
      if (typeof parts !== "object" || parts === null || typeof parts[Symbol.iterator] !== "function") throw new TypeError("Blob: the parts must be a list");
      const native = options?.endings === "native";
      const chunks = [];
      for (const part of parts) {
        if (held.has(part)) chunks.push(held.get(part));
        else if (part instanceof ArrayBuffer || ArrayBuffer.isView(part)) chunks.push(bytesOf(part, "Blob").slice());
        else chunks.push(utf8(native ? `${part}`.replace(/\r\n|\r/g, "\n") : part));
      }
      held.set(this, join(chunks));
      this.#type = typeOf(`${options?.type ?? ""}`);
    }
    get size() { return held.get(this).length; }
    get type() { return this.#type; }
    slice(start = 0, end = this.size, type = "") {
      return new Blob([held.get(this).subarray(start, end)], { type });
    }
    async arrayBuffer() { return held.get(this).slice().buffer; }
    async bytes() { return held.get(this).slice(); }
    async text() { return n.decode(held.get(this), "utf-8", false).replace(/^\ufeff/, ""); }
    stream() {
      const bytes = held.get(this);
      let at = 0;
      return new (lib("readable").ReadableStream)({
        type: "bytes",
        pull(controller) {
          if (at >= bytes.length) return controller.close();
          controller.enqueue(bytes.slice(at, (at += 65536)));
        },
      });
    }
    get [Symbol.toStringTag]() { return "Blob"; }
  }
  function join(chunks) {
    if (chunks.length === 1) return chunks[0];
    const out = new Uint8Array(chunks.reduce((sum, c) => sum + c.length, 0));
    let at = 0;
    for (const chunk of chunks) {
      out.set(chunk, at);
      at += chunk.length;
    }
    return out;
  }
  class File extends Blob {
    #name;
    #at;
    constructor(parts, name, options = {}) {
      if (arguments.length < 2) throw new TypeError("File: parts and a name are needed");
      super(parts, options);
      this.#name = `${name}`.toWellFormed();
      this.#at = options?.lastModified === undefined ? Date.now() : Math.trunc(Number(options.lastModified)) || 0;
    }
    get name() { return this.#name; }
    get lastModified() { return this.#at; }
    get webkitRelativePath() { return ""; }
    get [Symbol.toStringTag]() { return "File"; }
  }

  const usv = (value) => `${value}`.toWellFormed();
  class FormData {
    #list = [];
    constructor(form) {
      if (form !== undefined) throw new TypeError("FormData: there are no forms here");
    }
    #entry(name, value, filename, given) {
      if (value instanceof Blob) {
        const renamed = given ? usv(filename) : value instanceof File ? undefined : "blob";
        if (renamed !== undefined) value = new File([value], renamed, { type: value.type, lastModified: value.lastModified });
      } else {
        if (given) throw new TypeError("FormData: only a Blob has a file name");
        value = usv(value);
      }
      return [usv(name), value];
    }
    append(name, value, filename) {
      if (arguments.length < 2) throw new TypeError("append: a name and a value are needed");
      this.#list.push(this.#entry(name, value, filename, arguments.length > 2 && filename !== undefined));
    }
    set(name, value, filename) {
      if (arguments.length < 2) throw new TypeError("set: a name and a value are needed");
      const entry = this.#entry(name, value, filename, arguments.length > 2 && filename !== undefined);
      const at = this.#list.findIndex(([k]) => k === entry[0]);
      if (at < 0) this.#list.push(entry);
      else {
        this.#list[at] = entry;
        this.#list = this.#list.filter(([k], i) => i <= at || k !== entry[0]);
      }
    }
    delete(name) { this.#list = this.#list.filter(([k]) => k !== usv(name)); }
    get(name) { return this.#list.find(([k]) => k === usv(name))?.[1] ?? null; }
    getAll(name) { return this.#list.filter(([k]) => k === usv(name)).map(([, v]) => v); }
    has(name) { return this.#list.some(([k]) => k === usv(name)); }
    forEach(fn, self) { for (const [k, v] of this) fn.call(self, v, k, this); }
    *#walk(pick) { for (let i = 0; i < this.#list.length; i++) yield pick(this.#list[i]); }
    keys() { return this.#walk(([k]) => k); }
    values() { return this.#walk(([, v]) => v); }
    entries() { return this.#walk(([k, v]) => [k, v]); }
    get [Symbol.toStringTag]() { return "FormData"; }
  }
  Object.defineProperty(FormData.prototype, Symbol.iterator, { value: FormData.prototype.entries, writable: true, configurable: true });

  /** A form as bytes, and its content type. */
  function encodeForm(form) {
    const boundary = `----kata${[...n.random(12)].map((b) => b.toString(16).padStart(2, "0")).join("")}`;
    const quote = (s) => s.replace(/\r\n|\r|\n/g, "%0D%0A").replace(/"/g, "%22");
    const out = [];
    for (const [name, value] of form) {
      const head = `--${boundary}\r\nContent-Disposition: form-data; name="${quote(name)}"`;
      if (typeof value === "string") out.push(utf8(`${head}\r\n\r\n${value.replace(/\r\n|\r|\n/g, "\r\n")}\r\n`));
      else {
        const type = value.type || "application/octet-stream";
        out.push(utf8(`${head}; filename="${quote(value.name)}"\r\nContent-Type: ${type}\r\n\r\n`), held.get(value), utf8("\r\n"));
      }
    }
    out.push(utf8(`--${boundary}--\r\n`));
    return { bytes: join(out), type: `multipart/form-data; boundary=${boundary}` };
  }
  /** A form from bytes of a content type. */
  function decodeForm(bytes, type) {
    const form = new FormData();
    const kind = type.split(";")[0].trim().toLowerCase();
    if (kind === "application/x-www-form-urlencoded") {
      for (const [k, v] of new (lib("url").URLSearchParams)(n.decode(bytes, "utf-8", false))) form.append(k, v);
      return form;
    }
    const boundary = /;\s*boundary=(?:"([^"]+)"|([^\s;]+))/i.exec(type);
    const parts = kind === "multipart/form-data" && boundary ? n.multipart(bytes, boundary[1] ?? boundary[2]) : undefined;
    if (parts === undefined) throw new TypeError("formData: the body is no form");
    for (const { name, filename, type: of, start, end } of JSON.parse(parts)) {
      const value = bytes.slice(start, end);
      if (filename === null) form.append(name, n.decode(value, "utf-8", false));
      else form.append(name, new File([value], filename, { type: of ?? "text/plain" }));
    }
    return form;
  }
  return { Blob, File, FormData, bytesIn, join, encodeForm, decodeForm };
})
