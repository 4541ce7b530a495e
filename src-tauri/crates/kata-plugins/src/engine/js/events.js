// Events and abort: `DOMException`, `Event` and its kin, `EventTarget`, `AbortController`. What a listener throws is a
// fault of the plugin and stops no other listener.
(function ({ n, describe }) {
  const CODES = {
    IndexSizeError: 1, HierarchyRequestError: 3, WrongDocumentError: 4, InvalidCharacterError: 5, NoModificationAllowedError: 7,
    NotFoundError: 8, NotSupportedError: 9, InUseAttributeError: 10, InvalidStateError: 11, SyntaxError: 12,
    InvalidModificationError: 13, NamespaceError: 14, InvalidAccessError: 15, TypeMismatchError: 17, SecurityError: 18,
    NetworkError: 19, AbortError: 20, URLMismatchError: 21, QuotaExceededError: 22, TimeoutError: 23, InvalidNodeTypeError: 24,
    DataCloneError: 25,
  };
  class DOMException extends Error {
    #name;
    constructor(message = "", options = "Error") {
      super(`${message}`, typeof options === "object" && options !== null && "cause" in options ? { cause: options.cause } : undefined);
      this.#name = typeof options === "object" && options !== null ? `${options.name ?? "Error"}` : `${options}`;
    }
    get name() { return this.#name; }
    get code() { return CODES[this.#name] ?? 0; }
    get [Symbol.toStringTag]() { return "DOMException"; }
  }
  const LEGACY = { IndexSizeError: "INDEX_SIZE_ERR", URLMismatchError: "URL_MISMATCH_ERR" };
  for (const name of Object.keys(CODES)) {
    const constant = LEGACY[name] ?? `${name.replace(/Error$/, "").replace(/(?!^)([A-Z])/g, "_$1").toUpperCase()}_ERR`;
    for (const on of [DOMException, DOMException.prototype]) Object.defineProperty(on, constant, { value: CODES[name], enumerable: true });
  }
  const domError = (name, message) => new DOMException(message, name);

  class Event {
    #type;
    #init;
    _stop = false;
    _stopNow = false;
    _dispatching = false;
    _prevented = false;
    _target = null;
    _current = null;
    #at = n.now();
    constructor(type, init = {}) {
      if (arguments.length === 0) throw new TypeError("Event: a type is needed");
      this.#type = `${type}`;
      this.#init = { bubbles: init?.bubbles === true, cancelable: init?.cancelable === true, composed: init?.composed === true };
      for (const hidden of ["_stop", "_stopNow", "_dispatching", "_prevented", "_target", "_current"]) {
        Object.defineProperty(this, hidden, { enumerable: false });
      }
    }
    get type() { return this.#type; }
    get bubbles() { return this.#init.bubbles; }
    get cancelable() { return this.#init.cancelable; }
    get composed() { return this.#init.composed; }
    get target() { return this._target; }
    get srcElement() { return this._target; }
    get currentTarget() { return this._current; }
    get eventPhase() { return this._dispatching ? 2 : 0; }
    get timeStamp() { return this.#at; }
    get isTrusted() { return false; }
    get defaultPrevented() { return this._prevented; }
    get returnValue() { return !this._prevented; }
    set returnValue(v) { if (v === false) this.preventDefault(); }
    get cancelBubble() { return this._stop; }
    set cancelBubble(v) { if (v) this._stop = true; }
    composedPath() { return this._current ? [this._current] : []; }
    stopPropagation() { this._stop = true; }
    stopImmediatePropagation() { this._stop = this._stopNow = true; }
    preventDefault() { if (this.#init.cancelable && !this._passive) this._prevented = true; }
    get [Symbol.toStringTag]() { return "Event"; }
  }
  ["NONE", "CAPTURING_PHASE", "AT_TARGET", "BUBBLING_PHASE"].forEach((name, value) => {
    for (const on of [Event, Event.prototype]) Object.defineProperty(on, name, { value, enumerable: true });
  });
  // Events that carry more, each as [its name, its own fields with their defaults].
  const withFields = (name, fields) => {
    const made = { [name]: class extends Event {
      #fields = {};
      constructor(type, init = {}) {
        super(type, init);
        for (const key of Object.keys(fields)) this.#fields[key] = init?.[key] === undefined ? fields[key] : init[key];
      }
      static field(event, key) { return event.#fields[key]; }
      get [Symbol.toStringTag]() { return name; }
    } }[name];
    const { field } = made;
    delete made.field;
    for (const key of Object.keys(fields)) {
      Object.defineProperty(made.prototype, key, { get() { return field(this, key); }, enumerable: true, configurable: true });
    }
    return made;
  };
  const CustomEvent = withFields("CustomEvent", { detail: null });
  const MessageEvent = withFields("MessageEvent", { data: null, origin: "", lastEventId: "", source: null, ports: Object.freeze([]) });
  const CloseEvent = withFields("CloseEvent", { wasClean: false, code: 0, reason: "" });
  const ErrorEvent = withFields("ErrorEvent", { message: "", filename: "", lineno: 0, colno: 0, error: undefined });

  class EventTarget {
    #listeners = [];
    addEventListener(type, listener, options) {
      if (listener !== null && listener !== undefined && typeof listener !== "object" && typeof listener !== "function") {
        throw new TypeError("addEventListener: the listener must be a function or an object");
      }
      const flat = typeof options === "object" && options !== null;
      const capture = flat ? Boolean(options.capture) : Boolean(options);
      const signal = flat ? options.signal : undefined;
      if (flat && "signal" in options && signal !== undefined && !(signal instanceof AbortSignal)) throw new TypeError("addEventListener: signal is no AbortSignal");
      if (signal?.aborted || listener === null || listener === undefined) return;
      type = `${type}`;
      if (this.#listeners.some((l) => l.type === type && l.listener === listener && l.capture === capture)) return;
      const entry = { type, listener, capture, once: flat && Boolean(options.once), passive: flat && Boolean(options.passive), gone: false };
      this.#listeners.push(entry);
      if (signal) onAbort(signal, () => this.#drop(entry));
    }
    removeEventListener(type, listener, options) {
      const capture = typeof options === "object" && options !== null ? Boolean(options.capture) : Boolean(options);
      const found = this.#listeners.find((l) => l.type === `${type}` && l.listener === listener && l.capture === capture);
      if (found) this.#drop(found);
    }
    #drop(entry) {
      entry.gone = true;
      this.#listeners = this.#listeners.filter((l) => l !== entry);
    }
    dispatchEvent(event) {
      if (!(event instanceof Event)) throw new TypeError("dispatchEvent: the argument is no Event");
      if (event._dispatching) throw domError("InvalidStateError", "the event is being dispatched already");
      event._dispatching = true;
      event._target = event._current = this;
      const matching = this.#listeners.filter((l) => l.type === event.type);
      for (const entry of [...matching.filter((l) => l.capture), ...matching.filter((l) => !l.capture)]) {
        if (event._stopNow) break;
        if (entry.gone) continue;
        if (entry.once) this.#drop(entry);
        event._passive = entry.passive;
        try {
          const { listener } = entry;
          if (typeof listener === "function") listener.call(this, event);
          else if (typeof listener.handleEvent === "function") listener.handleEvent(event);
          else throw new TypeError("the listener has no handleEvent");
        } catch (error) {
          n.fault("throw", JSON.stringify(describe(error)));
        }
      }
      event._passive = event._dispatching = event._stop = event._stopNow = false;
      event._current = null;
      return !event._prevented;
    }
    get [Symbol.toStringTag]() { return "EventTarget"; }
  }
  /** Makes `on…` properties on a prototype: each is one listener, in the place where it was first set. */
  const handlers = (prototype, types) => {
    for (const type of types) {
      const held = new WeakMap();
      Object.defineProperty(prototype, `on${type}`, {
        enumerable: true,
        configurable: true,
        get() { return held.get(this)?.fn ?? null; },
        set(value) {
          const fn = typeof value === "function" ? value : null;
          const entry = held.get(this);
          if (entry) entry.fn = fn;
          else if (fn) {
            const made = { fn };
            held.set(this, made);
            this.addEventListener(type, (event) => made.fn?.call(this, event));
          }
        },
      });
    }
  };

  const MAKE = Symbol("make");
  const states = new WeakMap();
  class AbortSignal extends EventTarget {
    constructor(key) {
      if (key !== MAKE) throw new TypeError("AbortSignal: comes from an AbortController");
      super();
      states.set(this, { aborted: false, reason: undefined, algorithms: new Set(), dependents: new Set(), weak: [], sources: undefined });
    }
    get aborted() { return states.get(this).aborted; }
    get reason() { return states.get(this).reason; }
    throwIfAborted() {
      const { aborted, reason } = states.get(this);
      if (aborted) throw reason;
    }
    static abort(reason) {
      const signal = new AbortSignal(MAKE);
      signalAbort(signal, reason);
      return signal;
    }
    static timeout(ms) {
      if (!(Number(ms) >= 0 && Number(ms) <= Number.MAX_SAFE_INTEGER)) throw new TypeError("AbortSignal.timeout: a number of milliseconds is needed");
      const signal = new AbortSignal(MAKE);
      setTimeout(() => signalAbort(signal, domError("TimeoutError", "the time limit has passed")), ms);
      return signal;
    }
    static any(signals) {
      const all = [...signals];
      const out = new AbortSignal(MAKE);
      for (const signal of all) if (!(signal instanceof AbortSignal)) throw new TypeError("AbortSignal.any: an element is no AbortSignal");
      const first = all.find((s) => s.aborted);
      if (first) {
        signalAbort(out, first.reason);
        return out;
      }
      const state = states.get(out);
      state.sources = new Set();
      for (const signal of all) for (const source of states.get(signal).sources ?? [signal]) {
        state.sources.add(source);
        const of = states.get(source);
        of.weak = of.weak.filter((ref) => ref.deref());
        of.weak.push(new WeakRef(out));
      }
      return out;
    }
    addEventListener(...args) {
      hold(this);
      states.get(this).listened = true;
      return super.addEventListener(...args);
    }
    get [Symbol.toStringTag]() { return "AbortSignal"; }
  }
  handlers(AbortSignal.prototype, ["abort"]);
  // A signal made of others is kept alive by them only while somebody listens to it.
  const hold = (signal) => {
    for (const source of states.get(signal).sources ?? []) states.get(source).dependents.add(signal);
  };
  const letGo = (signal) => {
    for (const source of states.get(signal).sources ?? []) states.get(source).dependents.delete(signal);
  };
  function signalAbort(signal, reason = domError("AbortError", "the operation was aborted")) {
    if (states.get(signal).aborted) return;
    const { dependents, weak } = states.get(signal);
    const others = new Set([...weak.map((ref) => ref.deref()).filter(Boolean), ...dependents]);
    const going = [signal, ...[...others].filter((d) => !states.get(d).aborted)];
    for (const each of going) Object.assign(states.get(each), { aborted: true, reason });
    for (const each of going) {
      const state = states.get(each);
      const run = [...state.algorithms];
      state.algorithms.clear();
      state.dependents.clear();
      for (const fn of run) fn(reason);
      each.dispatchEvent(new Event("abort"));
    }
  }
  /** Runs `fn` when the signal is aborted, before its listeners; gives what takes it off again. */
  function onAbort(signal, fn) {
    const state = states.get(signal);
    if (!state) throw new TypeError("signal: an AbortSignal is needed");
    if (state.aborted) fn(state.reason);
    else {
      hold(signal);
      state.algorithms.add(fn);
    }
    return () => {
      if (state.algorithms.delete(fn) && state.algorithms.size === 0 && !state.listened) letGo(signal);
    };
  }
  class AbortController {
    #signal = new AbortSignal(MAKE);
    get signal() { return this.#signal; }
    abort(reason) { signalAbort(this.#signal, reason); }
    get [Symbol.toStringTag]() { return "AbortController"; }
  }
  const performance = Object.freeze({ now: () => n.now(), timeOrigin: Date.now() - n.now(), toJSON: () => ({}) });
  return { performance, DOMException, Event, CustomEvent, MessageEvent, CloseEvent, ErrorEvent, EventTarget, AbortController, AbortSignal, domError, handlers, onAbort };
})
