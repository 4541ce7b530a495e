// What every plugin's context starts with: the registry of handlers, calls from the host, answers to it, timers, console.
// `n` is the host's side (see native.rs); the web globals are loaded at first use, one script for each kind.
// Not a boundary: every limit and every capability is held in Rust. What a plugin breaks here, it breaks for itself.
(function (n, config) {
  "use strict";
  const uncurry = Function.prototype.bind.bind(Function.prototype.call);
  const { parse, stringify } = JSON;
  const M = Map.prototype;
  const get = uncurry(M.get);
  const set = uncurry(M.set);
  const remove = uncurry(M.delete);
  const then = uncurry(Promise.prototype.then);
  const P = Promise;
  const define = Object.defineProperty;
  const text = String;

  const freeze = (v) => {
    if (typeof v === "object" && v !== null) Object.values(Object.freeze(v)).forEach(freeze);
    return v;
  };
  freeze(config);

  // Scripts of web globals. What they share is in `kit`.
  const loaded = { __proto__: null };
  const lib = (name) => (loaded[name] ??= n.script(name)(kit));
  const isView = ArrayBuffer.isView;
  const bytesOf = (value, what) => {
    if (value instanceof ArrayBuffer) return new Uint8Array(value);
    if (isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    throw new TypeError(`${what}: bytes expected`);
  };
  const utf8 = (value) => n.utf8(`${value}`.toWellFormed());
  const describe = (error) => {
    try {
      // The engine throws null when there is no memory left for an error.
      if (error === null) return { __proto__: null, name: "InternalError", message: "out of memory", stack: "" };
      if (typeof error === "object") {
        return {
          // No prototype, so that no `toJSON` a plugin put there is asked.
          __proto__: null,
          name: text(error.name ?? "Error"),
          message: text(error.message ?? stringify(error)).substring(0, 2000),
          stack: text(error.stack ?? "").substring(0, 4000),
          code: typeof error.code === "string" ? error.code : undefined,
          retryAfterMs: typeof error.retryAfterMs === "number" ? error.retryAfterMs : undefined,
          certain: error.certain === true,
        };
      }
      return { __proto__: null, name: "Error", message: text(error).substring(0, 2000), stack: "" };
    } catch {
      return { __proto__: null, name: "Error", message: "an error that cannot be shown", stack: "" };
    }
  };

  // Calls from a plugin to the host: numbered, answered by `settle`.
  const waiting = new Map();
  function op(name, args, body, signal) {
    return new P((resolve, reject) => {
      const id = n.op(name, args, body);
      const entry = { resolve, reject, off: undefined };
      set(waiting, id, entry);
      if (signal) {
        entry.off = lib("events").onAbort(signal, (reason) => {
          if (!remove(waiting, id)) return;
          n.cancel(id);
          reject(reason);
        });
      }
    });
  }
  const kit = { n, op, describe, lib, bytesOf, utf8 };
  function settle(id, ok, answer, bytes) {
    const entry = get(waiting, id);
    if (!entry) return;
    remove(waiting, id);
    entry.off?.();
    if (ok) return entry.resolve(bytes === undefined ? answer : { text: answer, bytes });
    const failure = parse(answer);
    const error = failure.name === "TypeError" ? new TypeError(failure.message) : new Error(failure.message);
    if (failure.name !== "TypeError" && failure.name !== "Error") error.name = failure.name;
    if (failure.code) error.code = failure.code;
    entry.reject(error);
  }

  // What each call is given.
  const secretSet = (name, value) => then(op("secret_set", stringify([text(name), value])), () => undefined);
  const secrets = Object.freeze({
    get: (name) => then(op("secret", text(name)), (v) => (v === undefined ? undefined : parse(v))),
    set: (name, value) => secretSet(name, text(value)),
    delete: (name) => secretSet(name, null),
  });
  const state = Object.freeze({
    get: (key) => then(op("state_get", text(key)), (v) => (v === undefined ? undefined : parse(v))),
    set: (key, value) => {
      const json = stringify(value);
      if (json === undefined) return P.reject(new TypeError("state.set: the value cannot be written as JSON"));
      return then(op("state_set", stringify([text(key), json])), () => undefined);
    },
    delete: (key) => then(op("state_delete", text(key)), () => undefined),
  });
  const show = (v) => {
    if (typeof v === "string") return v;
    if (typeof v === "object" && v !== null) {
      if (v instanceof Error) return `${v.name}: ${v.message}`;
      try {
        return stringify(v) ?? text(v);
      } catch {
        return Object.prototype.toString.call(v);
      }
    }
    return typeof v === "symbol" || typeof v === "function" ? typeof v : text(v);
  };
  const line = (level) => (...parts) => {
    let out = "";
    for (let i = 0; i < parts.length; i++) out += (i ? " " : "") + show(parts[i]);
    n.log(level, out.substring(0, 4096).toWellFormed());
  };
  const log = { error: line("error"), warn: line("warn"), info: line("info"), debug: line("debug") };
  const logger = Object.freeze({ ...log });

  const CALL = Symbol("call");
  class Context {
    constructor(id, part, name) {
      this[CALL] = { id, part, name, aborted: false, controller: undefined };
    }
    get account() { return n.account ?? undefined; }
    get config() { return config; }
    get secrets() { return secrets; }
    get state() { return state; }
    get logger() { return logger; }
    get sessions() { return lib("context").sessions; }
    get files() { return lib("context").files; }
    get oauth() { return lib("context").oauth; }
    get channels() { return lib("context").channels; }
    get media() { return lib("media").media; }
    emit(name, payload) { return lib("context").emit(name, payload); }
    routeUrl(path) { return then(op("route_url", text(path)), (v) => (v === undefined ? undefined : parse(v))); }
    get signal() {
      const call = this[CALL];
      if (!call.controller) {
        call.controller = new (lib("events").AbortController)();
        if (call.aborted) call.controller.abort();
      }
      return call.controller.signal;
    }
    status(report) { n.status(this[CALL].id, this[CALL].part, this[CALL].name, stringify(report) ?? ""); }
  }
  class ChannelContext extends Context {
    receive(draft) {
      return then(op("receive", stringify([this[CALL].name, draft])), (v) => parse(v));
    }
    press(press) {
      return then(op("press", stringify([this[CALL].name, press])), (v) => parse(v));
    }
    notice(notice) {
      return then(op("notice", stringify([this[CALL].name, notice])), () => undefined);
    }
  }

  class ServiceContext extends Context {
    schedule(job) {
      const call = this[CALL];
      need(!call.aborted, "schedule: the service has ended");
      need(typeof job?.run === "function", "schedule: `run` must be a function");
      const { id, when, missed } = job;
      const wrong = n.schedule(call.name, stringify({ __proto__: null, id, when, missed }) ?? "");
      if (wrong) throw new TypeError(wrong);
      set(call.jobs, id, job);
    }
    unschedule(id) {
      const call = this[CALL];
      if (call.aborted) return;
      remove(call.jobs, `${id}`);
      n.unschedule(call.name, `${id}`);
    }
    busy() {
      if (!this[CALL].aborted) n.busy(this[CALL].name);
    }
  }

  // Registration. The host checks each against manifest and grants and answers with what is wrong.
  const handlers = [];
  const declare = (kind, meta, entry) => {
    const wrong = n.declare(kind, handlers.length, stringify(meta));
    if (wrong) throw new TypeError(wrong);
    handlers[handlers.length] = entry;
  };
  const need = (ok, what) => {
    if (!ok) throw new TypeError(what);
  };
  const api = Object.freeze({
    registerTool(tool) {
      need(typeof tool?.execute === "function", "registerTool: `execute` must be a function");
      const { name, description, parameters, readOnly } = tool;
      declare("tool", { __proto__: null, name, description, parameters, readOnly }, { target: tool });
    },
    registerHook(event, handler, options) {
      need(typeof handler === "function", "registerHook: the handler must be a function");
      declare("hook", { __proto__: null, event, priority: options?.priority, timeoutMs: options?.timeoutMs }, { target: handler });
    },
    registerChannel(channel) {
      need(typeof channel?.outbound?.send === "function", "registerChannel: `outbound.send` must be a function");
      const { id, meta, capabilities } = channel;
      const can = (part, method) => typeof channel[part]?.[method] === "function";
      const has = {
        connect: can("messaging", "connect"),
        typing: can("heartbeat", "typing"),
        download: can("messaging", "download"),
        edit: can("outbound", "edit"),
        stream: can("outbound", "stream"),
        delete: can("outbound", "delete"),
        react: can("outbound", "react"),
        setup: can("setup", "next"),
        validate: can("auth", "validate"),
        logout: can("auth", "logout"),
        probe: can("status", "probe"),
        warnings: can("security", "warnings"),
        self: can("directory", "self"),
        peers: can("directory", "peers"),
        groups: can("directory", "groups"),
      };
      declare("channel", { __proto__: null, id, meta, capabilities, has }, { target: channel, name: !n.account ? id : `${id}@${n.account}` });
    },
    registerService(service) {
      need(typeof service?.start === "function", "registerService: `start` must be a function");
      declare("service", { __proto__: null, id: service.id }, { target: service, name: service.id });
    },
    registerRoute(route) {
      need(typeof route?.verify === "function", "registerRoute: `verify` must be a function; it says whether a request is from whom it should be");
      need(typeof route?.handle === "function", "registerRoute: `handle` must be a function");
      declare("route", { __proto__: null, path: route.path, methods: route.methods ?? ["POST"] }, { target: route });
    },
    registerCommand(command) {
      need(typeof command?.run === "function", "registerCommand: `run` must be a function");
      declare("command", { __proto__: null, name: command.name, description: command.description }, { target: command });
    },
  });

  const toolResult = (v) => {
    if (typeof v === "string") return stringify({ __proto__: null, text: v });
    if (typeof v === "object" && v !== null && typeof v.text === "string") return stringify({ __proto__: null, text: v.text, isError: v.isError === true });
    return stringify({ __proto__: null, text: v === undefined ? "" : (stringify(v) ?? "") });
  };
  const plain = (v) => (v === undefined || v === null ? undefined : stringify(v));
  // kind → [how to call, how to answer, whether it stays open until it is aborted]
  const kinds = {
    hook: [(e, arg, ctx) => e.target(arg, ctx), plain],
    tool: [(e, arg, ctx) => e.target.execute(arg, ctx), toolResult],
    command: [(e, arg, ctx) => e.target.run(arg, ctx), plain],
    route: [(e, arg, ctx) => lib("context").route(e.target, arg, ctx), stringify],
    send: [(e, arg, ctx) => e.target.outbound.send(arg, ctx), plain],
    edit: [(e, arg, ctx) => e.target.outbound.edit(arg[0], arg[1], ctx), () => undefined],
    stream: [(e, arg, ctx) => e.target.outbound.stream(arg, ctx), plain],
    delete: [(e, arg, ctx) => e.target.outbound.delete(arg[0], arg[1], ctx), () => undefined],
    react: [(e, arg, ctx) => e.target.outbound.react(arg[0], arg[1], arg[2], ctx), () => undefined],
    typing: [(e, arg, ctx) => e.target.heartbeat?.typing?.(arg, ctx), () => undefined],
    download: [(e, arg, ctx) => e.target.messaging.download(arg, ctx), plain],
    connect: [(e, arg, ctx) => e.target.messaging?.connect?.(ctx), () => undefined, true],
    disconnect: [(e, arg, ctx) => e.target.messaging?.disconnect?.(ctx), () => undefined],
    // A question about the channel, answered whether or not it is connected.
    ask: [(e, [part, method], ctx) => e.target[part][method](ctx), plain],
    start: [(e, arg, ctx) => {
      ctx[CALL].jobs = e.jobs = new Map();
      return e.target.start(ctx);
    }, () => undefined, true],
    job: [(e, [id, due], ctx) => get(e.jobs, id)?.run(ctx, due), () => undefined],
    stop: [(e, arg, ctx) => e.target.stop?.(ctx), () => undefined],
  };
  const partOf = {
    download: "channel", send: "channel", edit: "channel", stream: "channel", delete: "channel", react: "channel", typing: "channel", ask: "channel",
    connect: "channel", disconnect: "channel", start: "service", stop: "service", job: "service",
  };
  const open = new Map();
  function done(id, ctx, ok, answer) {
    const call = ctx[CALL];
    if (!call.long || call.aborted) remove(open, id);
    n.reply(id, ok, answer);
  }
  const failed = (id, ctx, error) => done(id, ctx, false, stringify(describe(error)));

  function call(kind, handle, id, payload) {
    const [invoke, answer, long] = kinds[kind];
    const entry = handlers[handle];
    const part = partOf[kind];
    const Given = kind === "start" ? ServiceContext : part === "channel" && kind !== "ask" ? ChannelContext : Context;
    const ctx = new Given(id, part ?? "plugin", entry.name ?? "");
    ctx[CALL].long = long === true;
    set(open, id, ctx);
    try {
      const value = invoke(entry, payload === undefined ? undefined : parse(payload), ctx);
      if (typeof value === "object" && value !== null && typeof value.then === "function") {
        then(P.resolve(value), (v) => {
          try {
            done(id, ctx, true, answer(v));
          } catch (error) {
            failed(id, ctx, error);
          }
        }, (error) => failed(id, ctx, error));
      } else done(id, ctx, true, answer(value));
    } catch (error) {
      failed(id, ctx, error);
    }
  }
  function abort(id) {
    const ctx = get(open, id);
    if (!ctx) return;
    const call = ctx[CALL];
    if (call.long) remove(open, id);
    call.aborted = true;
    call.controller?.abort();
  }

  // Timers: the host keeps the time, this side the functions.
  const timers = new Map();
  let lastTimer = 0;
  const arm = (fn, ms, args, repeat) => {
    need(typeof fn === "function", "the timer's handler must be a function");
    const wait = Math.min(Math.max(+ms || 0, repeat ? 1 : 0), 2147483647);
    const id = ++lastTimer;
    n.timer(id, wait);
    set(timers, id, { fn, args, wait, repeat });
    return id;
  };
  const clear = (id) => {
    if (remove(timers, +id)) n.clear(+id);
  };
  function fire(id) {
    const timer = get(timers, id);
    if (!timer) return;
    if (timer.repeat) n.timer(id, timer.wait);
    else remove(timers, id);
    try {
      timer.fn(...timer.args);
    } catch (error) {
      n.fault("throw", stringify(describe(error)));
    }
  }

  const global = (name, value) => define(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
  global("setTimeout", (fn, ms, ...args) => arm(fn, ms, args, false));
  global("setInterval", (fn, ms, ...args) => arm(fn, ms, args, true));
  global("clearTimeout", clear);
  global("clearInterval", clear);
  const microtask = P.resolve();
  global("queueMicrotask", (fn) => {
    need(typeof fn === "function", "queueMicrotask: the argument must be a function");
    then(microtask, () => fn());
  });
  global("console", { log: log.info, trace: log.debug, assert: (ok, ...parts) => ok || log.error("assertion failed", ...parts), ...log });
  const lazy = {
    events: "DOMException Event CustomEvent MessageEvent CloseEvent ErrorEvent EventTarget AbortController AbortSignal performance",
    text: "TextEncoder TextDecoder TextEncoderStream TextDecoderStream atob btoa",
    url: "URL URLSearchParams",
    blob: "Blob File FormData",
    fetch: "fetch Headers Request Response",
    readable: "ReadableStream ReadableStreamDefaultReader ReadableStreamDefaultController ReadableByteStreamController",
    writable: "WritableStream WritableStreamDefaultWriter WritableStreamDefaultController TransformStream TransformStreamDefaultController CountQueuingStrategy ByteLengthQueuingStrategy",
    crypto: "crypto CryptoKey",
    clone: "structuredClone",
    socket: "WebSocket",
  };
  for (const script in lazy) {
    lazy[script].split(" ").forEach((name) => define(globalThis, name, {
      configurable: true,
      enumerable: false,
      get() {
        const value = lib(script)[name];
        global(name, value);
        return value;
      },
      set(value) { global(name, value); },
    }));
  }

  // Where the SDK's module finds what needs the host.
  define(globalThis, Symbol.for("kata:sdk"), { value: { connect: (...args) => lib("tcp").connect(...args) }, writable: true, configurable: true, enumerable: false });

  let plugin;
  function boot(entry, id) {
    const end = (ok, answer) => n.reply(id, ok, answer);
    then(then(import(entry), (module) => {
      plugin = module.default;
      if (typeof plugin === "function") return plugin(api);
      need(typeof plugin?.register === "function", `${entry}: the default export must be a function or an object with \`register\``);
      return plugin.register(api);
    }), () => end(true), (error) => end(false, stringify(describe(error))));
  }
  function dispose(id) {
    const end = () => n.reply(id, true);
    then(then(P.resolve(), () => plugin?.dispose?.()), end, end);
  }
  return { call, settle, abort, fire, boot, dispose };
})
