// `WritableStream`, `TransformStream`, pipes and the two strategies, as the streams standard has them.
(function ({ lib }) {
  const { tools } = lib("readable");
  const { $, noop, defer, quiet, attempt, its, method, Queue, highWater, sizeOf } = tools;
  const { ReadableStream } = lib("readable");
  const CLOSE = Symbol("close");

  // A stream's own algorithms, on its state. States: writable, erroring, errored, closed.
  const fresh = () => ({
    kind: "WritableStream", state: "writable", error: undefined, writer: undefined, controller: undefined, requests: [], inFlight: undefined,
    closing: undefined, closingNow: undefined, aborting: undefined, pressure: false,
  });
  const closingOrClosed = (s) => Boolean(s.closing || s.closingNow);
  const desired = (s) => {
    if (s.state === "errored" || s.state === "erroring") return null;
    return s.state === "closed" ? 0 : s.controller.mark - s.controller.queue.total;
  };
  function pressure(s, on) {
    if (s.writer && on !== s.pressure) {
      if (on) s.writer.ready = defer();
      else s.writer.ready.resolve();
    }
    s.pressure = on;
  }
  const notReady = (writer, error) => {
    if (writer.ready.done) writer.ready = defer();
    writer.ready.reject(error);
    quiet(writer.ready.promise);
  };
  function startErroring(s, error) {
    s.state = "erroring";
    s.error = error;
    if (s.writer) notReady(s.writer, error);
    if (!s.inFlight && !s.closingNow && s.controller.started) finishErroring(s);
  }
  function rejectClosed(s) {
    if (s.closing) {
      s.closing.reject(s.error);
      s.closing = undefined;
    }
    if (s.writer) {
      s.writer.closed.reject(s.error);
      quiet(s.writer.closed.promise);
    }
  }
  function finishErroring(s) {
    s.state = "errored";
    s.controller.queue.clear();
    for (const request of s.requests.splice(0)) request.reject(s.error);
    const { aborting } = s;
    if (!aborting) return rejectClosed(s);
    s.aborting = undefined;
    if (aborting.already) {
      aborting.reject(s.error);
      return rejectClosed(s);
    }
    const algorithm = s.controller.abort;
    forget(s.controller);
    attempt(algorithm, aborting.reason).then(
      () => {
        aborting.resolve();
        rejectClosed(s);
      },
      (error) => {
        aborting.reject(error);
        rejectClosed(s);
      },
    );
  }
  const dealWith = (s, error) => (s.state === "writable" ? startErroring(s, error) : finishErroring(s));
  function forget(c) {
    c.write = c.close = c.abort = () => undefined;
    c.size = undefined;
  }
  function fail(s, error) {
    forget(s.controller);
    startErroring(s, error);
  }
  function advance(s) {
    const c = s.controller;
    if (!c.started || s.inFlight) return;
    if (s.state === "erroring") return finishErroring(s);
    if (s.state !== "writable" || c.queue.length === 0) return;
    const chunk = c.queue.peek();
    if (chunk === CLOSE) {
      s.closingNow = s.closing;
      s.closing = undefined;
      c.queue.shift();
      const done = attempt(c.close);
      forget(c);
      done.then(
        () => {
          s.closingNow.resolve();
          s.closingNow = undefined;
          if (s.state === "erroring") {
            s.error = undefined;
            s.aborting?.resolve();
            s.aborting = undefined;
          }
          s.state = "closed";
          s.writer?.closed.resolve();
        },
        (error) => {
          s.closingNow.reject(error);
          s.closingNow = undefined;
          s.aborting?.reject(error);
          s.aborting = undefined;
          dealWith(s, error);
        },
      );
      return;
    }
    s.inFlight = s.requests.shift();
    attempt(c.write, chunk).then(
      () => {
        s.inFlight.resolve();
        s.inFlight = undefined;
        c.queue.shift();
        if (!closingOrClosed(s) && s.state === "writable") pressure(s, c.mark - c.queue.total <= 0);
        advance(s);
      },
      (error) => {
        if (s.state === "writable") forget(c);
        s.inFlight.reject(error);
        s.inFlight = undefined;
        dealWith(s, error);
      },
    );
  }
  function write(s, chunk) {
    const c = s.controller;
    let size = 1;
    try {
      size = c.size ? c.size(chunk) : 1;
    } catch (error) {
      if (s.state === "writable") fail(s, error);
    }
    if (s.state === "errored") return Promise.reject(s.error);
    if (closingOrClosed(s) || s.state === "closed") return Promise.reject(new TypeError("the stream is closed or being closed"));
    if (s.state === "erroring") return Promise.reject(s.error);
    const request = defer();
    s.requests.push(request);
    try {
      c.queue.push(chunk, size);
    } catch (error) {
      fail(s, error);
      return request.promise;
    }
    if (!closingOrClosed(s) && s.state === "writable") pressure(s, c.mark - c.queue.total <= 0);
    advance(s);
    return request.promise;
  }
  function close(s) {
    if (s.state === "closed" || s.state === "errored") return Promise.reject(new TypeError(`the stream is ${s.state}`));
    if (closingOrClosed(s)) return Promise.reject(new TypeError("the stream is being closed already"));
    s.closing = defer();
    if (s.writer && s.pressure && s.state === "writable") s.writer.ready.resolve();
    s.controller.queue.push(CLOSE, 0);
    advance(s);
    return (s.closing ?? s.closingNow).promise;
  }
  function abort(s, reason) {
    if (s.state === "closed" || s.state === "errored") return Promise.resolve();
    s.controller.controller.abort(reason);
    if (s.state === "closed" || s.state === "errored") return Promise.resolve();
    if (s.aborting) return s.aborting.promise;
    const already = s.state === "erroring";
    s.aborting = Object.assign(defer(), { reason: already ? undefined : reason, already });
    const { promise } = s.aborting;
    if (!already) startErroring(s, reason);
    return promise;
  }
  function setUp(s, { start, write: written, close: closed, abort: aborted, mark, size }) {
    const c = { kind: "WritableStreamDefaultController", stream: s, queue: new Queue(), started: false, mark, size };
    c.controller = new (lib("events").AbortController)();
    s.controller = c;
    const controller = Object.create(WritableStreamDefaultController.prototype, { [$]: { value: c } });
    c.write = (chunk) => written?.(chunk, controller);
    c.close = () => closed?.();
    c.abort = (reason) => aborted?.(reason);
    pressure(s, c.mark <= 0);
    const began = start?.(controller);
    Promise.resolve(began).then(
      () => {
        c.started = true;
        advance(s);
      },
      (error) => {
        c.started = true;
        dealWith(s, error);
      },
    );
  }

  class WritableStreamDefaultController {
    constructor() { throw new TypeError("a controller comes from its stream"); }
    get signal() { return its(this, "WritableStreamDefaultController").controller.signal; }
    error(error) {
      const { stream } = its(this, "WritableStreamDefaultController");
      if (stream.state === "writable") fail(stream, error);
    }
    get [Symbol.toStringTag]() { return "WritableStreamDefaultController"; }
  }
  const released = () => new TypeError("the writer was released");
  const promised = (fn) => {
    try {
      return fn();
    } catch (error) {
      return Promise.reject(error);
    }
  };
  class WritableStreamDefaultWriter {
    constructor(of) {
      const stream = its(of, "WritableStream");
      if (stream.writer) throw new TypeError("the stream has a writer already");
      const writer = { kind: "WritableStreamDefaultWriter", stream, ready: defer(), closed: defer() };
      Object.defineProperty(this, $, { value: writer });
      stream.writer = writer;
      const { state, error } = stream;
      if (state === "writable" && (closingOrClosed(stream) || !stream.pressure)) writer.ready.resolve();
      if (state === "closed") {
        writer.ready.resolve();
        writer.closed.resolve();
      }
      if (state === "erroring" || state === "errored") {
        writer.ready.reject(error);
        quiet(writer.ready.promise);
      }
      if (state === "errored") {
        writer.closed.reject(error);
        quiet(writer.closed.promise);
      }
    }
    get closed() { return promised(() => its(this, "WritableStreamDefaultWriter").closed.promise); }
    get ready() { return promised(() => its(this, "WritableStreamDefaultWriter").ready.promise); }
    get desiredSize() {
      const { stream } = its(this, "WritableStreamDefaultWriter");
      if (!stream) throw released();
      return desired(stream);
    }
    #with(fn) {
      return promised(() => {
        const { stream } = its(this, "WritableStreamDefaultWriter");
        return stream ? fn(stream) : Promise.reject(released());
      });
    }
    write(chunk) { return this.#with((stream) => write(stream, chunk)); }
    close() { return this.#with(close); }
    abort(reason) { return this.#with((stream) => abort(stream, reason)); }
    releaseLock() {
      const writer = its(this, "WritableStreamDefaultWriter");
      const { stream } = writer;
      if (!stream) return;
      const error = released();
      notReady(writer, error);
      if (writer.closed.done) writer.closed = defer();
      writer.closed.reject(error);
      quiet(writer.closed.promise);
      stream.writer = undefined;
      writer.stream = undefined;
    }
    get [Symbol.toStringTag]() { return "WritableStreamDefaultWriter"; }
  }
  class WritableStream {
    constructor(sink = {}, strategy = {}) {
      if (sink === null) sink = {};
      if (sink.type !== undefined) throw new RangeError("WritableStream: a sink has no type");
      Object.defineProperty(this, $, { value: fresh() });
      const size = sizeOf(strategy);
      const mark = highWater(strategy, 1);
      setUp(this[$], { start: method(sink, "start"), write: method(sink, "write"), close: method(sink, "close"), abort: method(sink, "abort"), mark, size });
    }
    get locked() { return its(this, "WritableStream").writer !== undefined; }
    #free(fn) {
      return promised(() => {
        const stream = its(this, "WritableStream");
        return stream.writer ? Promise.reject(new TypeError("the stream is locked to a writer")) : fn(stream);
      });
    }
    abort(reason) { return this.#free((stream) => abort(stream, reason)); }
    close() { return this.#free(close); }
    getWriter() {
      its(this, "WritableStream");
      return new WritableStreamDefaultWriter(this);
    }
    get [Symbol.toStringTag]() { return "WritableStream"; }
  }
  const make = (sink) => {
    const stream = Object.create(WritableStream.prototype, { [$]: { value: fresh() } });
    setUp(stream[$], sink);
    return stream;
  };

  // One pipe: reads only what the other side has room for, and passes ends and errors on in both directions.
  function pipeTo(from, to, options) {
    let source, target, signal, keep;
    try {
      source = its(from, "ReadableStream");
      target = its(to, "WritableStream");
      keep = { close: Boolean(options.preventClose), abort: Boolean(options.preventAbort), cancel: Boolean(options.preventCancel) };
      signal = options.signal;
      if (signal !== undefined && !(signal instanceof lib("events").AbortSignal)) throw new TypeError("pipeTo: signal is no AbortSignal");
      if (source.reader || target.writer) throw new TypeError("pipeTo: one of the streams is locked");
    } catch (error) {
      return Promise.reject(error);
    }
    const reader = from.getReader();
    const writer = to.getWriter();
    const done = defer();
    let over = false;
    let off = noop;
    let writing = Promise.resolve();
    source.disturbed = true;
    const finalize = (failed, error) => {
      off();
      writer.releaseLock();
      reader.releaseLock();
      if (failed) done.reject(error);
      else done.resolve();
    };
    // Chunks that were read are written before the pipe ends.
    const waitForWrites = async () => {
      let seen;
      while (seen !== writing) {
        seen = writing;
        await quiet(writing).then(noop, noop);
      }
    };
    const shutdown = async (action, failed, error) => {
      if (over) return;
      over = true;
      if (target.state === "writable" && !closingOrClosed(target)) await waitForWrites();
      try {
        if (action) await action();
      } catch (thrown) {
        return finalize(true, thrown);
      }
      finalize(failed, error);
    };
    const sourceFailed = (error) => shutdown(keep.abort ? undefined : () => abort(target, error), true, error);
    const targetFailed = (error) => shutdown(keep.cancel ? undefined : () => tools.cancel(source, error), true, error);
    const sourceClosed = () => shutdown(keep.close ? undefined : () => {
      if (target.state === "closed" || closingOrClosed(target)) return undefined;
      return target.state === "errored" ? Promise.reject(target.error) : close(target);
    });
    if (signal) {
      off = lib("events").onAbort(signal, (reason) => shutdown(() => Promise.all([
        keep.abort || target.state !== "writable" ? undefined : abort(target, reason),
        keep.cancel || source.state !== "readable" ? undefined : tools.cancel(source, reason),
      ]), true, reason));
      if (over) return done.promise;
    }
    if (source.state === "errored") sourceFailed(source.error);
    else if (target.state === "errored" || target.state === "erroring") targetFailed(target.error);
    else if (source.state === "closed") sourceClosed();
    else if (target.state === "closed" || closingOrClosed(target)) targetFailed(new TypeError("pipeTo: the target is closed"));
    reader.closed.then(sourceClosed, (error) => sourceFailed(error));
    writer.closed.then(() => { if (!over) targetFailed(new TypeError("pipeTo: the target was closed")); }, (error) => targetFailed(error));
    const step = () => {
      if (over) return;
      writer.ready.then(() => {
        if (over) return;
        tools.readOne(reader, {
          chunk: (chunk) => queueMicrotask(() => {
            writing = quiet(write(target, chunk));
            step();
          }),
          close: noop,
          error: noop,
        });
      }, noop);
    };
    step();
    return done.promise;
  }
  function pipeThrough(from, pair, options) {
    its(from, "ReadableStream");
    const { readable, writable } = pair ?? {};
    its(readable, "ReadableStream");
    its(writable, "WritableStream");
    if (from.locked || writable.locked) throw new TypeError("pipeThrough: one of the streams is locked");
    quiet(pipeTo(from, writable, options));
    return readable;
  }

  class TransformStreamDefaultController {
    constructor() { throw new TypeError("a controller comes from its stream"); }
    get desiredSize() { return tools.desired(its(this, "TransformStreamDefaultController").out()); }
    enqueue(chunk) { its(this, "TransformStreamDefaultController").enqueue(chunk); }
    error(error) { its(this, "TransformStreamDefaultController").error(error); }
    terminate() { its(this, "TransformStreamDefaultController").terminate(); }
    get [Symbol.toStringTag]() { return "TransformStreamDefaultController"; }
  }
  class TransformStream {
    #readable;
    #writable;
    constructor(transformer = {}, inStrategy = {}, outStrategy = {}) {
      if (transformer === null) transformer = {};
      if (transformer.readableType !== undefined || transformer.writableType !== undefined) throw new RangeError("TransformStream: a transformer has no types");
      const [start, transform, flush, cancel] = ["start", "transform", "flush", "cancel"].map((name) => method(transformer, name));
      const [outMark, outSize] = [highWater(outStrategy, 0), sizeOf(outStrategy)];
      const [inMark, inSize] = [highWater(inStrategy, 1), sizeOf(inStrategy)];
      const began = defer();
      let finished;
      // The writer waits while the reader has no room.
      let room = defer();
      let full = true;
      const setFull = (on) => {
        if (on === full) return;
        full = on;
        room.resolve();
        room = defer();
      };
      const out = () => this.#readable[$].controller;
      const failWritable = (error) => {
        const s = this.#writable[$];
        if (s.state === "writable") fail(s, error);
        setFull(false);
      };
      const failBoth = (error) => {
        tools.fail(out(), error);
        failWritable(error);
      };
      const inner = {
        kind: "TransformStreamDefaultController",
        out,
        enqueue: (chunk) => {
          const c = out();
          if (c.closing || c.stream.state !== "readable") throw new TypeError("the readable side takes no chunk now");
          try {
            tools.enqueue(c, chunk);
          } catch (error) {
            failWritable(error);
            throw c.stream.error ?? error;
          }
          if (!(tools.desired(c) > 0) && !c.stream.reader?.requests.length) setFull(true);
        },
        error: failBoth,
        terminate: () => {
          const c = out();
          if (!c.closing && c.stream.state === "readable") tools.close(c);
          failWritable(new TypeError("the transform was ended"));
        },
      };
      const controller = Object.create(TransformStreamDefaultController.prototype, { [$]: { value: inner } });
      const transformed = transform ?? ((chunk) => inner.enqueue(chunk));
      const run = (chunk) => attempt(transformed, chunk, controller).then(undefined, (error) => {
        failBoth(error);
        throw error;
      });
      this.#writable = make({
        mark: inMark,
        size: inSize,
        start: () => began.promise,
        write: async (chunk) => {
          while (full) {
            await room.promise;
            const s = this.#writable[$];
            if (s.state === "erroring" || s.state === "errored") throw s.error;
          }
          await run(chunk);
        },
        abort: (reason) => (finished ??= attempt(() => cancel?.(reason)).then(
          () => {
            if (this.#readable[$].state === "errored") throw this.#readable[$].error;
            tools.fail(out(), reason);
          },
          (error) => {
            tools.fail(out(), error);
            throw error;
          },
        )),
        close: () => (finished ??= attempt(() => flush?.(controller)).then(
          () => {
            const c = out();
            if (this.#readable[$].state === "errored") throw this.#readable[$].error;
            if (!c.closing && c.stream.state === "readable") tools.close(c);
          },
          (error) => {
            tools.fail(out(), error);
            throw error;
          },
        )),
      });
      this.#readable = tools.make({
        mark: outMark,
        size: outSize,
        start: () => began.promise,
        pull: () => {
          setFull(false);
          return new Promise((resolve) => { const now = room; now.promise.then(resolve); });
        },
        cancel: (reason) => (finished ??= attempt(() => cancel?.(reason)).then(
          () => {
            if (this.#writable[$].state === "errored") throw this.#writable[$].error;
            failWritable(reason);
          },
          (error) => {
            failWritable(error);
            throw error;
          },
        )),
      });
      try {
        began.resolve(start?.(controller));
      } catch (error) {
        began.resolve();
        throw error;
      }
    }
    get readable() { return this.#readable; }
    get writable() { return this.#writable; }
    get [Symbol.toStringTag]() { return "TransformStream"; }
  }

  const strategy = (name, size) => {
    const made = { [name]: class {
      #mark;
      constructor(init) {
        if (typeof init !== "object" || init === null || !("highWaterMark" in init)) throw new TypeError(`${name}: highWaterMark is needed`);
        this.#mark = Number(init.highWaterMark);
      }
      get highWaterMark() { return this.#mark; }
      get size() { return size; }
    } }[name];
    return made;
  };
  const CountQueuingStrategy = strategy("CountQueuingStrategy", { size: () => 1 }.size);
  const ByteLengthQueuingStrategy = strategy("ByteLengthQueuingStrategy", { size: (chunk) => chunk.byteLength }.size);
  return {
    WritableStream, WritableStreamDefaultWriter, WritableStreamDefaultController, TransformStream, TransformStreamDefaultController,
    CountQueuingStrategy, ByteLengthQueuingStrategy, pipeTo, pipeThrough, ReadableStream,
  };
})
