// `URL` and `URLSearchParams`. The host parses; this side keeps the parts.
(function ({ n }) {
  const usv = (value) => `${value}`.toWellFormed();
  const need = (given, count, what) => {
    if (given < count) throw new TypeError(`${what}: ${count} argument${count > 1 ? "s are" : " is"} needed`);
  };
  class URLSearchParams {
    #list = [];
    #changed;
    constructor(init = "") {
      if (typeof init === "function" || (typeof init === "object" && init !== null)) {
        const iterator = init[Symbol.iterator];
        if (iterator !== undefined && iterator !== null) {
          for (const pair of init) {
            const [...both] = pair;
            if (both.length !== 2) throw new TypeError("URLSearchParams: each element must be a pair");
            this.#list.push([usv(both[0]), usv(both[1])]);
          }
        } else {
          const seen = new Map();
          for (const key of Reflect.ownKeys(init)) {
            if (!Object.getOwnPropertyDescriptor(init, key)?.enumerable) continue;
            if (typeof key === "symbol") throw new TypeError("URLSearchParams: a symbol is no name");
            seen.set(usv(key), usv(init[key]));
          }
          this.#list = [...seen];
        }
      } else load(this, usv(init));
    }
    static load(params, text) { params.#list = JSON.parse(n.query(text.startsWith("?") ? text.slice(1) : text)); }
    static watch(params, changed) { params.#changed = changed; }
    #touch() { this.#changed?.(this.toString()); }
    append(name, value) {
      need(arguments.length, 2, "append");
      this.#list.push([usv(name), usv(value)]);
      this.#touch();
    }
    delete(name, value) {
      need(arguments.length, 1, "delete");
      const [key, wanted] = [usv(name), value === undefined ? undefined : usv(value)];
      this.#list = this.#list.filter(([k, v]) => k !== key || (wanted !== undefined && v !== wanted));
      this.#touch();
    }
    get(name) {
      need(arguments.length, 1, "get");
      const key = usv(name);
      return this.#list.find(([k]) => k === key)?.[1] ?? null;
    }
    getAll(name) {
      need(arguments.length, 1, "getAll");
      const key = usv(name);
      return this.#list.filter(([k]) => k === key).map(([, v]) => v);
    }
    has(name, value) {
      need(arguments.length, 1, "has");
      const [key, wanted] = [usv(name), value === undefined ? undefined : usv(value)];
      return this.#list.some(([k, v]) => k === key && (wanted === undefined || v === wanted));
    }
    set(name, value) {
      need(arguments.length, 2, "set");
      const [key, text] = [usv(name), usv(value)];
      const at = this.#list.findIndex(([k]) => k === key);
      if (at < 0) this.#list.push([key, text]);
      else {
        this.#list[at] = [key, text];
        this.#list = this.#list.filter(([k], i) => i <= at || k !== key);
      }
      this.#touch();
    }
    sort() {
      this.#list.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
      this.#touch();
    }
    forEach(fn, self) {
      if (typeof fn !== "function") throw new TypeError("forEach: a function is needed");
      for (let i = 0; i < this.#list.length; i++) fn.call(self, this.#list[i][1], this.#list[i][0], this);
    }
    // By place, so that a change during a walk is seen.
    *#walk(pick) { for (let i = 0; i < this.#list.length; i++) yield pick(this.#list[i]); }
    keys() { return this.#walk(([k]) => k); }
    values() { return this.#walk(([, v]) => v); }
    entries() { return this.#walk(([k, v]) => [k, v]); }
    get size() { return this.#list.length; }
    toString() { return n.unquery(JSON.stringify(this.#list)); }
    get [Symbol.toStringTag]() { return "URLSearchParams"; }
  }
  const { load, watch } = URLSearchParams;
  delete URLSearchParams.load;
  delete URLSearchParams.watch;
  Object.defineProperty(URLSearchParams.prototype, Symbol.iterator, { value: URLSearchParams.prototype.entries, writable: true, configurable: true });

  const parse = (href, base) => n.url(usv(href), base === undefined ? undefined : usv(base));
  class URL {
    #parts;
    #params;
    constructor(href, base) {
      need(arguments.length, 1, "URL");
      const parsed = parse(href, base);
      if (parsed === undefined) throw new TypeError("not a valid URL");
      this.#parts = JSON.parse(parsed);
    }
    static canParse(href, base) { return parse(href, base) !== undefined; }
    static parse(href, base) { return parse(href, base) === undefined ? null : new URL(href, base); }
    static part(url, part) { return url.#parts[part]; }
    static change(url, part, value) {
      const parsed = n.urlSet(url.#parts.href, part, usv(value));
      if (parsed === undefined) {
        if (part === "href") throw new TypeError("not a valid URL");
        return;
      }
      url.#parts = JSON.parse(parsed);
      if ((part === "search" || part === "href") && url.#params) load(url.#params, url.#parts.search);
    }
    get searchParams() {
      if (!this.#params) {
        this.#params = new URLSearchParams(this.#parts.search);
        watch(this.#params, (query) => { this.#parts = JSON.parse(n.urlSet(this.#parts.href, "search", query)); });
      }
      return this.#params;
    }
    get origin() { return this.#parts.origin; }
    toString() { return this.#parts.href; }
    toJSON() { return this.#parts.href; }
    get [Symbol.toStringTag]() { return "URL"; }
  }
  const { part: get, change } = URL;
  delete URL.part;
  delete URL.change;
  for (const part of ["href", "protocol", "username", "password", "host", "hostname", "port", "pathname", "search", "hash"]) {
    Object.defineProperty(URL.prototype, part, {
      get() { return get(this, part); },
      set(value) { change(this, part, value); },
      configurable: true,
      enumerable: true,
    });
  }
  return { URL, URLSearchParams };
})
