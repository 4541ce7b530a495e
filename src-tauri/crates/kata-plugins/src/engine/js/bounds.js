// Bounds on the built-ins whose native loops never ask whether they may go on (QuickJS polls its interrupt in bytecode
// and in calls, not in these). Evaluated first in every context; the originals live only in this closure.
// Rule: a native loop may run over a real array of at most MAX elements. Anything else is copied, or done, by a loop in
// bytecode, which can be interrupted. `n.genuine(v)`: a real array and no proxy. `n.proxy(v)`: a proxy.
(function (n) {
  "use strict";
  const MAX = 1 << 20;
  const A = Array.prototype;
  const S = String.prototype;
  const { apply, getOwnPropertyDescriptor } = Reflect;
  const { isArray } = Array;
  const define = Object.defineProperty;
  const { genuine, proxy } = n;
  const SPREAD = Symbol.isConcatSpreadable;
  const method = (of, name) => {
    const original = of[name];
    return (self, args) => apply(original, self, args);
  };
  const wrap = (of, methods) => {
    for (const name of Object.keys(methods)) {
      if (of[name] === undefined) continue;
      const value = methods[name];
      define(value, "length", { value: of[name].length, configurable: true });
      define(of, name, { value, writable: true, configurable: true, enumerable: false });
    }
  };
  const tooLong = (length) => new RangeError(`${length} elements are over the limit of ${MAX} for one operation in a plugin`);
  const lengthOf = (o) => {
    const length = +o.length;
    return length > 0 ? (length > MAX ? length : Math.floor(length)) : 0;
  };
  const bounded = (length) => {
    if (length > MAX) throw tooLong(length);
    return length;
  };

  function readable(self) {
    if (genuine(self)) {
      bounded(self.length);
      return self;
    }
    if (self === null || self === undefined) throw new TypeError("cannot convert undefined or null to object");
    const o = Object(self);
    const length = bounded(lengthOf(o));
    const copy = [];
    for (let i = 0; i < length; i++) if (i in o) copy[i] = o[i];
    copy.length = length;
    return copy;
  }
  function writable(self) {
    if (genuine(self)) {
      bounded(self.length);
      return self;
    }
    // An own data property cannot answer one length here and another one to the native loop.
    const own = typeof self === "object" && self !== null && !proxy(self) && getOwnPropertyDescriptor(self, "length");
    if (own && "value" in own) {
      bounded(+own.value || 0);
      return self;
    }
    throw new TypeError("in a plugin this works on real arrays only");
  }

  const arrays = {};
  for (const name of ["slice", "join", "toReversed", "toSpliced", "with", "toLocaleString"]) {
    if (!A[name]) continue;
    const original = method(A, name);
    arrays[name] = { [name](...args) { return original(readable(this), args); } }[name];
  }
  for (const name of ["reverse", "copyWithin", "unshift", "splice", "shift", "fill"]) {
    const original = method(A, name);
    arrays[name] = { [name](...args) { return original(writable(this), args); } }[name];
  }
  // Comparing two long strings is native and slow; in a loop it must be a loop of ours.
  const heavy = (v) => (typeof v === "string" && v.length > 256) || typeof v === "bigint";
  for (const name of ["indexOf", "lastIndexOf", "includes"]) {
    const original = method(A, name);
    arrays[name] = {
      [name](...args) {
        const list = readable(this);
        const wanted = args[0];
        if (!heavy(wanted)) return original(list, args);
        const last = name === "lastIndexOf";
        let from = args.length > 1 ? Math.trunc(+args[1]) || 0 : last ? list.length - 1 : 0;
        if (from < 0) from += list.length;
        let found = -1;
        if (last) {
          for (let i = Math.min(from, list.length - 1); i >= 0 && found < 0; i--) if (list[i] === wanted) found = i;
        } else {
          for (let i = Math.max(from, 0); i < list.length && found < 0; i++) if (list[i] === wanted) found = i;
        }
        return name === "includes" ? found >= 0 : found;
      },
    }[name];
  }
  const byText = (a, b) => {
    const x = textOf(a);
    const y = textOf(b);
    return x < y ? -1 : x > y ? 1 : 0;
  };
  const sort = method(A, "sort");
  const toSorted = method(A, "toSorted");
  arrays.sort = { sort(compare) { return sort(writable(this), [compare === undefined ? byText : compare]); } }.sort;
  arrays.toSorted = { toSorted(compare) { return toSorted(readable(this), [compare === undefined ? byText : compare]); } }.toSorted;

  function flatten(list, depth, out) {
    for (let i = 0; i < list.length; i++) {
      if (!(i in list)) continue;
      const item = list[i];
      if (depth > 0 && isArray(item)) flatten(readable(item), depth - 1, out);
      else out[bounded(out.length)] = item;
    }
    return out;
  }
  arrays.flat = { flat(depth) { return flatten(readable(this), depth === undefined ? 1 : Math.trunc(+depth) || 0, []); } }.flat;
  arrays.flatMap = {
    flatMap(fn, self) {
      if (typeof fn !== "function") throw new TypeError("not a function");
      const list = readable(this);
      const out = [];
      for (let i = 0; i < list.length; i++) if (i in list) flatten([apply(fn, self, [list[i], i, this])], 1, out);
      return out;
    },
  }.flatMap;
  const concat = method(A, "concat");
  const plain = (v) => typeof v !== "object" || v === null || (genuine(v) && v.length <= MAX && !(SPREAD in v)) || (!isArray(v) && !proxy(v) && !(SPREAD in v));
  arrays.concat = {
    concat(...args) {
      let simple = plain(this);
      let total = 0;
      for (let i = 0; i < args.length; i++) {
        simple = simple && plain(args[i]);
        if (genuine(args[i])) total += args[i].length;
      }
      if (simple) {
        bounded(total);
        return concat(this, args);
      }
      const out = [];
      for (let i = -1; i < args.length; i++) {
        const item = i < 0 ? this : args[i];
        const object = (typeof item === "object" && item !== null) || typeof item === "function";
        const asked = object ? item[SPREAD] : false;
        if (asked === undefined ? isArray(item) : asked) {
          const list = readable(item);
          const at = out.length;
          bounded(at + list.length);
          for (let j = 0; j < list.length; j++) if (j in list) out[at + j] = list[j];
          out.length = at + list.length;
        } else out[bounded(out.length)] = item;
      }
      return out;
    },
  }.concat;
  wrap(A, arrays);
  const from = method(Array, "from");
  wrap(Array, {
    from(items, ...rest) {
      if (items !== null && typeof items === "object" && items[Symbol.iterator] === undefined) return from(this, [readable(items), ...rest]);
      return from(this, [items, ...rest]);
    },
  });

  // Text. A native search of a long needle is quadratic; a short head is searched natively, the rest compared per hit.
  const indexOf = method(S, "indexOf");
  const lastIndexOf = method(S, "lastIndexOf");
  const split = method(S, "split");
  const replace = method(S, "replace");
  const replaceAll = method(S, "replaceAll");
  const substring = method(S, "substring");
  const HEAD = 32;
  const cheap = (text, needle) => needle.length <= HEAD || text.length * needle.length <= 1e6;
  function find(text, needle, start) {
    if (cheap(text, needle)) return indexOf(text, [needle, start]);
    const head = substring(needle, [0, HEAD]);
    for (let at = indexOf(text, [head, start]); at >= 0; at = indexOf(text, [head, at + 1])) {
      if (at + needle.length > text.length) return -1;
      if (substring(text, [at, at + needle.length]) === needle) return at;
    }
    return -1;
  }
  const MAX_TEXT = 1 << 24;
  // A template copies even a text: a search from line to line through a quarter of a mebibyte would copy it each time.
  const textOf = (value) => (typeof value === "string" ? value : `${value}`);
  const own = (self) => {
    if (self === null || self === undefined) throw new TypeError("cannot convert undefined or null to object");
    return textOf(self);
  };
  function expand(pattern, text, found, at) {
    let out = "";
    let done = 0;
    for (let i = find(pattern, "$", 0); i >= 0 && i + 1 < pattern.length; i = find(pattern, "$", done > i ? done : i + 1)) {
      const kind = pattern[i + 1];
      const value = kind === "$" ? "$" : kind === "&" ? found : kind === "`" ? substring(text, [0, at]) : kind === "'" ? substring(text, [at + found.length]) : null;
      if (value === null) continue;
      out += substring(pattern, [done, i]) + value;
      done = i + 2;
      if (out.length > MAX_TEXT) throw new RangeError("the text grows over 16 MB");
    }
    return out + substring(pattern, [done]);
  }
  function substitute(text, needle, by, all) {
    const call = typeof by === "function";
    const pattern = call ? "" : textOf(by);
    const fixed = !call && find(pattern, "$", 0) < 0;
    let out = "";
    let done = 0;
    for (let at = find(text, needle, 0); at >= 0; ) {
      const value = call ? textOf(apply(by, undefined, [needle, at, text])) : fixed ? pattern : expand(pattern, text, needle, at);
      out += substring(text, [done, at]) + value;
      if (out.length > MAX_TEXT) throw new RangeError("the text grows over 16 MB");
      done = at + needle.length;
      if (!all) break;
      const next = needle.length === 0 ? at + 1 : done;
      at = next > text.length ? -1 : find(text, needle, next);
    }
    return out + substring(text, [done]);
  }
  const pattern = (v, symbol) => v !== null && v !== undefined && typeof v === "object" && v[symbol] !== undefined;
  wrap(S, {
    indexOf(needle, start) { return find(own(this), textOf(needle), start); },
    includes(needle, start) {
      if (pattern(needle, Symbol.match)) throw new TypeError("regexp not supported");
      return find(own(this), textOf(needle), start) >= 0;
    },
    lastIndexOf(needle, start) {
      const text = own(this);
      const wanted = textOf(needle);
      if (cheap(text, wanted)) return lastIndexOf(text, [wanted, start]);
      const head = substring(wanted, [0, HEAD]);
      const limit = start === undefined || Number.isNaN(+start) ? Infinity : Math.max(0, Math.trunc(+start));
      for (let at = lastIndexOf(text, [head, limit]); at >= 0; at = lastIndexOf(text, [head, at - 1])) {
        if (substring(text, [at, at + wanted.length]) === wanted) return at;
        if (at === 0) return -1;
      }
      return -1;
    },
    split(separator, limit) {
      if (separator === undefined || pattern(separator, Symbol.split)) return split(this, [separator, limit]);
      const text = own(this);
      const by = textOf(separator);
      if (cheap(text, by)) return split(text, [by, limit]);
      const most = limit === undefined ? 2 ** 32 - 1 : limit >>> 0;
      const out = [];
      let done = 0;
      for (let at = find(text, by, 0); at >= 0 && out.length < most; at = find(text, by, done)) {
        out[out.length] = substring(text, [done, at]);
        done = at + by.length;
      }
      if (out.length < most) out[out.length] = substring(text, [done]);
      return out;
    },
    replace(needle, by) {
      if (pattern(needle, Symbol.replace)) return replace(this, [needle, by]);
      return substitute(own(this), textOf(needle), by, false);
    },
    replaceAll(needle, by) {
      if (pattern(needle, Symbol.replace)) return replaceAll(this, [needle, by]);
      return substitute(own(this), textOf(needle), by, true);
    },
  });
  const raw = method(String, "raw");
  wrap(String, {
    raw(parts, ...values) { return raw(String, [{ raw: readable(parts.raw) }, ...values]); },
  });
  const stringify = method(JSON, "stringify");
  wrap(JSON, {
    stringify(value, replacer, space) {
      return stringify(JSON, [value, isArray(replacer) ? readable(replacer) : replacer, space]);
    },
  });
  // Nothing here shares memory between threads, and a wait would block the plugin's own.
  delete globalThis.Atomics;
  delete globalThis.SharedArrayBuffer;
})
