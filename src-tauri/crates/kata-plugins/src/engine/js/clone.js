// `structuredClone`: everything that is data, cycles included; what is not data is refused by name.
(function ({ lib }) {
  function structuredClone(value, options) {
    if (arguments.length === 0) throw new TypeError("structuredClone: a value is needed");
    const { domError, DOMException } = lib("events");
    const seen = new Map();
    const refuse = (what) => {
      throw domError("DataCloneError", `${what} cannot be cloned`);
    };
    const transfer = [...(options?.transfer ?? [])];
    for (const item of transfer) {
      if (!(item instanceof ArrayBuffer)) refuse("what is transferred and no ArrayBuffer");
      if (item.detached || transfer.indexOf(item) !== transfer.lastIndexOf(item)) refuse("a buffer that is gone already");
    }
    const errors = { TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError };
    const copy = (v) => {
      if (typeof v === "function" || typeof v === "symbol") return refuse(`a ${typeof v}`);
      if (typeof v !== "object" || v === null) return v;
      if (seen.has(v)) return seen.get(v);
      const keep = (out) => {
        seen.set(v, out);
        return out;
      };
      if (Array.isArray(v)) {
        const out = keep([]);
        out.length = v.length;
        for (const key of Object.keys(v)) out[key] = copy(v[key]);
        return out;
      }
      if (v instanceof Date) return keep(new Date(v.getTime()));
      if (v instanceof RegExp) return keep(new RegExp(v.source, v.flags));
      if (v instanceof ArrayBuffer) return keep(v.detached ? refuse("a buffer that is gone already") : v.slice(0));
      if (ArrayBuffer.isView(v)) {
        const buffer = copy(v.buffer);
        if (v instanceof DataView) return keep(new DataView(buffer, v.byteOffset, v.byteLength));
        const Kind = Object.getPrototypeOf(Uint8Array).prototype;
        const name = Object.getOwnPropertyDescriptor(Kind, Symbol.toStringTag).get.call(v);
        return keep(new globalThis[name](buffer, v.byteOffset, v.length));
      }
      if (v instanceof Map) {
        const out = keep(new Map());
        for (const [k, item] of [...v]) out.set(copy(k), copy(item));
        return out;
      }
      if (v instanceof Set) {
        const out = keep(new Set());
        for (const item of [...v]) out.add(copy(item));
        return out;
      }
      if (v instanceof DOMException) return keep(new DOMException(v.message, v.name));
      if (v instanceof Error) {
        const out = keep(new (errors[v.name] ?? Error)(v.message));
        out.stack = v.stack;
        if ("cause" in v) Object.defineProperty(out, "cause", { value: copy(v.cause), writable: true, configurable: true });
        return out;
      }
      if (v instanceof Number || v instanceof String || v instanceof Boolean || v instanceof BigInt) return keep(Object(v.valueOf()));
      if (v instanceof Symbol) return refuse("a symbol");
      const { Blob, File, bytesIn } = lib("blob");
      if (v instanceof File) return keep(new File([bytesIn(v)], v.name, { type: v.type, lastModified: v.lastModified }));
      if (v instanceof Blob) return keep(new Blob([bytesIn(v)], { type: v.type }));
      const tag = Object.prototype.toString.call(v).slice(8, -1);
      if (tag !== "Object" && !Object.hasOwn(v, Symbol.toStringTag) && tag !== "Arguments") return refuse(`a ${tag}`);
      if (v instanceof WeakMap || v instanceof WeakSet || v instanceof WeakRef || v instanceof Promise) return refuse(v.constructor.name);
      const out = keep({});
      for (const key of Object.keys(v)) out[key] = copy(v[key]);
      return out;
    };
    // The clone is made first: where something cannot be cloned, nothing has been transferred.
    const out = copy(value);
    for (const buffer of transfer) buffer.transfer();
    return out;
  }
  return { structuredClone };
})
