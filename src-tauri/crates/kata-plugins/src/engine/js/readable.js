// `ReadableStream` with its default reader and controller, as the streams standard has them: queue, back-pressure, tee,
// async iteration. A stream of bytes is one whose chunks are bytes; readers with a buffer of their own are left out.
(function ({ lib }) {
  const $ = Symbol("state");
  const noop = () => {};
  const defer = () => {
    const d = { done: false };
    const end = (how) => (value) => {
      d.done = true;
      how(value);
    };
    d.promise = new Promise((resolve, reject) => Object.assign(d, { resolve: end(resolve), reject: end(reject) }));
    return d;
  };
  const quiet = (promise) => {
    promise.then(undefined, noop);
    return promise;
  };
  const rejected = (error) => quiet(Promise.reject(error));
  const attempt = (fn, ...args) => {
    try {
      return Promise.resolve(fn(...args));
    } catch (error) {
      return Promise.reject(error);
    }
  };
  const its = (object, kind) => {
    const state = typeof object === "object" && object !== null ? object[$] : undefined;
    if (state?.kind !== kind) throw new TypeError(`this is no ${kind}`);
    return state;
  };
  const method = (source, name) => {
    const fn = source?.[name];
    if (fn === undefined) return undefined;
    if (typeof fn !== "function") throw new TypeError(`${name} must be a function`);
    return (...args) => fn.apply(source, args);
  };

  // A queue that knows the sum of its sizes.
  class Queue {
    #items = [];
    #head = 0;
    total = 0;
    get length() { return this.#items.length - this.#head; }
    push(value, size) {
      if (typeof size !== "number" || !(size >= 0) || size === Infinity) throw new RangeError("the size of a chunk must be a finite number, not below 0");
      this.#items[this.#items.length] = { value, size };
      this.total += size;
    }
    peek() { return this.#items[this.#head].value; }
    shift() {
      const { value, size } = this.#items[this.#head];
      this.#items[this.#head++] = undefined;
      if (this.#head > 64 && this.#head * 2 > this.#items.length) {
        this.#items = this.#items.slice(this.#head);
        this.#head = 0;
      }
      this.total = Math.max(0, this.total - size);
      return value;
    }
    clear() {
      this.#items = [];
      this.#head = this.total = 0;
    }
  }
  const highWater = (strategy, otherwise) => {
    if (strategy?.highWaterMark === undefined) return otherwise;
    const mark = Number(strategy.highWaterMark);
    if (Number.isNaN(mark) || mark < 0) throw new RangeError("highWaterMark must be a number, not below 0");
    return mark;
  };
  const sizeOf = (strategy) => {
    const size = strategy?.size;
    if (size === undefined) return () => 1;
    if (typeof size !== "function") throw new TypeError("size must be a function");
    return (chunk) => Number(size(chunk));
  };

  // The stream's own algorithms, on its state.
  const desired = (c) => (c.stream.state === "errored" ? null : c.stream.state === "closed" ? 0 : c.mark - c.queue.total);
  const mayEnqueue = (c) => !c.closing && c.stream.state === "readable";
  function shouldPull(c) {
    if (!mayEnqueue(c) || !c.started) return false;
    return (c.stream.reader && c.stream.reader.requests.length > 0) || desired(c) > 0;
  }
  function pullIfNeeded(c) {
    if (!shouldPull(c)) return;
    if (c.pulling) {
      c.again = true;
      return;
    }
    c.pulling = true;
    attempt(c.pull).then(
      () => {
        c.pulling = false;
        if (c.again) {
          c.again = false;
          pullIfNeeded(c);
        }
      },
      (error) => fail(c, error),
    );
  }
  function fail(c, error) {
    if (c.stream.state !== "readable") return;
    c.queue.clear();
    forget(c);
    const { stream } = c;
    stream.state = "errored";
    stream.error = error;
    const { reader } = stream;
    if (!reader) return;
    reader.closed.reject(error);
    quiet(reader.closed.promise);
    for (const request of reader.requests.splice(0)) request.error(error);
  }
  function forget(c) {
    c.pull = noop;
    c.cancel = () => undefined;
    c.size = undefined;
  }
  function finish(stream) {
    stream.state = "closed";
    const { reader } = stream;
    if (!reader) return;
    reader.closed.resolve();
    for (const request of reader.requests.splice(0)) request.close();
  }
  function close(c) {
    if (!mayEnqueue(c)) throw new TypeError("the stream cannot be closed now");
    c.closing = true;
    if (c.queue.length === 0) {
      forget(c);
      finish(c.stream);
    }
  }
  function enqueue(c, chunk) {
    if (!mayEnqueue(c)) throw new TypeError("the stream takes no chunk now");
    const waiting = c.stream.reader?.requests;
    if (waiting?.length) waiting.shift().chunk(chunk);
    else {
      try {
        c.queue.push(chunk, c.size(chunk));
      } catch (error) {
        fail(c, error);
        throw error;
      }
    }
    pullIfNeeded(c);
  }
  function readInto(stream, request) {
    stream.disturbed = true;
    if (stream.state === "closed") return request.close();
    if (stream.state === "errored") return request.error(stream.error);
    const c = stream.controller;
    if (c.queue.length) {
      const chunk = c.queue.shift();
      if (c.closing && c.queue.length === 0) {
        forget(c);
        finish(stream);
      } else pullIfNeeded(c);
      request.chunk(chunk);
    } else {
      stream.reader.requests.push(request);
      pullIfNeeded(c);
    }
  }
  function cancel(stream, reason) {
    stream.disturbed = true;
    if (stream.state === "closed") return Promise.resolve();
    if (stream.state === "errored") return Promise.reject(stream.error);
    finish(stream);
    const c = stream.controller;
    c.queue.clear();
    const algorithm = c.cancel;
    forget(c);
    return attempt(algorithm, reason).then(noop);
  }
  function setUp(stream, { start, pull, cancel: cancelled, mark, size, bytes }) {
    const c = {
      kind: "ReadableStreamDefaultController", stream, queue: new Queue(), started: false, closing: false, pulling: false, again: false,
      mark, size, pull: noop, cancel: () => undefined, bytes,
    };
    stream.controller = c;
    const controller = Object.create(bytes ? ReadableByteStreamController.prototype : ReadableStreamDefaultController.prototype, { [$]: { value: c } });
    c.pull = () => pull?.(controller);
    c.cancel = (reason) => cancelled?.(reason);
    const began = start?.(controller);
    Promise.resolve(began).then(
      () => {
        c.started = true;
        pullIfNeeded(c);
      },
      (error) => fail(c, error),
    );
  }

  class ReadableStreamDefaultController {
    constructor() { throw new TypeError("a controller comes from its stream"); }
    get desiredSize() { return desired(its(this, "ReadableStreamDefaultController")); }
    close() { close(its(this, "ReadableStreamDefaultController")); }
    enqueue(chunk) { enqueue(its(this, "ReadableStreamDefaultController"), chunk); }
    error(error) { fail(its(this, "ReadableStreamDefaultController"), error); }
    get [Symbol.toStringTag]() { return "ReadableStreamDefaultController"; }
  }
  class ReadableByteStreamController extends ReadableStreamDefaultController {
    get byobRequest() { return null; }
    enqueue(chunk) {
      if (!ArrayBuffer.isView(chunk)) throw new TypeError("enqueue: a stream of bytes takes views of bytes");
      if (chunk.byteLength === 0) throw new TypeError("enqueue: the view is empty");
      super.enqueue(new Uint8Array(chunk.buffer.slice(chunk.byteOffset, chunk.byteOffset + chunk.byteLength)));
    }
    get [Symbol.toStringTag]() { return "ReadableByteStreamController"; }
  }

  function release(reader) {
    const { stream } = reader;
    const gone = new TypeError("the reader was released");
    if (stream.state === "readable") reader.closed.reject(gone);
    else {
      reader.closed = defer();
      reader.closed.reject(gone);
    }
    quiet(reader.closed.promise);
    stream.reader = undefined;
    reader.stream = undefined;
    for (const request of reader.requests.splice(0)) request.error(gone);
  }
  class ReadableStreamDefaultReader {
    constructor(of) {
      const stream = its(of, "ReadableStream");
      if (stream.reader) throw new TypeError("the stream has a reader already");
      const reader = { kind: "ReadableStreamDefaultReader", stream, closed: defer(), requests: [] };
      Object.defineProperty(this, $, { value: reader });
      stream.reader = reader;
      if (stream.state === "closed") reader.closed.resolve();
      if (stream.state === "errored") {
        reader.closed.reject(stream.error);
        quiet(reader.closed.promise);
      }
    }
    get closed() {
      try {
        return its(this, "ReadableStreamDefaultReader").closed.promise;
      } catch (error) {
        return rejected(error);
      }
    }
    cancel(reason) {
      try {
        const { stream } = its(this, "ReadableStreamDefaultReader");
        return stream ? cancel(stream, reason) : Promise.reject(new TypeError("the reader was released"));
      } catch (error) {
        return Promise.reject(error);
      }
    }
    read() {
      try {
        const { stream } = its(this, "ReadableStreamDefaultReader");
        if (!stream) return Promise.reject(new TypeError("the reader was released"));
        const d = defer();
        readInto(stream, {
          chunk: (value) => d.resolve({ value, done: false }),
          close: () => d.resolve({ value: undefined, done: true }),
          error: d.reject,
        });
        return d.promise;
      } catch (error) {
        return Promise.reject(error);
      }
    }
    releaseLock() {
      const reader = its(this, "ReadableStreamDefaultReader");
      if (reader.stream) release(reader);
    }
    get [Symbol.toStringTag]() { return "ReadableStreamDefaultReader"; }
  }

  // Both branches see every chunk; the source is cancelled when both are.
  function tee(stream) {
    const reader = new ReadableStreamDefaultReader(stream);
    const both = defer();
    const branches = [];
    const gone = [false, false];
    const reasons = [undefined, undefined];
    let reading = false;
    let again = false;
    const pull = () => {
      if (reading) {
        again = true;
        return;
      }
      reading = true;
      readInto(reader[$].stream, {
        chunk: (value) => queueMicrotask(() => {
          again = false;
          branches.forEach((branch, i) => gone[i] || enqueue(branch[$].controller, value));
          reading = false;
          if (again) pull();
        }),
        close: () => {
          reading = false;
          branches.forEach((branch, i) => gone[i] || close(branch[$].controller));
          if (!gone[0] || !gone[1]) both.resolve();
        },
        error: () => { reading = false; },
      });
    };
    for (const i of [0, 1]) {
      branches[i] = make({
        mark: 1,
        size: () => 1,
        pull,
        cancel: (reason) => {
          gone[i] = true;
          reasons[i] = reason;
          if (gone[0] && gone[1]) both.resolve(cancel(its(stream, "ReadableStream"), reasons));
          return both.promise;
        },
      });
    }
    reader.closed.then(undefined, (error) => {
      branches.forEach((branch) => fail(branch[$].controller, error));
      if (!gone[0] || !gone[1]) both.resolve();
    });
    return branches;
  }
  const make = (source) => {
    const stream = Object.create(ReadableStream.prototype, { [$]: { value: fresh() } });
    setUp(stream[$], source);
    return stream;
  };
  const fresh = () => ({ kind: "ReadableStream", state: "readable", reader: undefined, error: undefined, disturbed: false, controller: undefined });

  const AsyncIterator = Object.getPrototypeOf(Object.getPrototypeOf(async function* () {}).prototype);
  const Iterator = Object.assign(Object.create(AsyncIterator), {
    next() { return step(this[$], () => nextOf(this[$])); },
    return(value) {
      return step(this[$], async () => {
        const { reader, keep } = this[$];
        if (this[$].done) return { value, done: true };
        this[$].done = true;
        const cancelled = keep ? undefined : reader.cancel(value);
        reader.releaseLock();
        await cancelled;
        return { value, done: true };
      });
    },
  });
  const step = (state, fn) => (state.last = state.last ? state.last.then(fn, fn) : fn());
  async function nextOf(state) {
    if (state.done) return { value: undefined, done: true };
    try {
      const result = await state.reader.read();
      if (result.done) {
        state.done = true;
        state.reader.releaseLock();
      }
      return result;
    } catch (error) {
      state.done = true;
      state.reader.releaseLock();
      throw error;
    }
  }

  class ReadableStream {
    constructor(source = {}, strategy = {}) {
      if (source === null || (typeof source !== "object" && typeof source !== "function")) throw new TypeError("ReadableStream: the source must be an object");
      if (strategy === null) strategy = {};
      Object.defineProperty(this, $, { value: fresh() });
      const type = source.type;
      if (type !== undefined && `${type}` !== "bytes") throw new TypeError(`ReadableStream: the type “${type}” is not known`);
      const bytes = type !== undefined;
      if (bytes && strategy.size !== undefined) throw new RangeError("ReadableStream: a stream of bytes has no size of its own");
      const size = bytes ? (chunk) => chunk.byteLength : sizeOf(strategy);
      const mark = highWater(strategy, bytes ? 0 : 1);
      setUp(this[$], { start: method(source, "start"), pull: method(source, "pull"), cancel: method(source, "cancel"), mark, size, bytes });
    }
    static from(iterable) {
      const asks = iterable?.[Symbol.asyncIterator] ?? iterable?.[Symbol.iterator];
      if (typeof asks !== "function") throw new TypeError("ReadableStream.from: the value cannot be iterated");
      const iterator = asks.call(iterable);
      if (typeof iterator !== "object" || iterator === null) throw new TypeError("ReadableStream.from: the iterator is no object");
      return make({
        mark: 0,
        size: () => 1,
        async pull(controller) {
          const result = await iterator.next();
          if (typeof result !== "object" || result === null) throw new TypeError("ReadableStream.from: the iterator gave no object");
          if (result.done) controller.close();
          else controller.enqueue(await result.value);
        },
        async cancel(reason) {
          if (iterator.return === undefined || iterator.return === null) return;
          const result = await iterator.return(reason);
          if (typeof result !== "object" || result === null) throw new TypeError("ReadableStream.from: the iterator gave no object");
        },
      });
    }
    get locked() { return its(this, "ReadableStream").reader !== undefined; }
    cancel(reason) {
      try {
        const stream = its(this, "ReadableStream");
        return stream.reader ? Promise.reject(new TypeError("the stream is locked to a reader")) : cancel(stream, reason);
      } catch (error) {
        return Promise.reject(error);
      }
    }
    getReader(options) {
      its(this, "ReadableStream");
      if (options?.mode !== undefined) throw new TypeError("getReader: this host has the default reader only");
      return new ReadableStreamDefaultReader(this);
    }
    tee() {
      its(this, "ReadableStream");
      return tee(this);
    }
    pipeTo(destination, options) { return lib("writable").pipeTo(this, destination, options ?? {}); }
    pipeThrough(pair, options) { return lib("writable").pipeThrough(this, pair, options ?? {}); }
    values(options) {
      const reader = this.getReader();
      return Object.create(Iterator, { [$]: { value: { reader, keep: Boolean(options?.preventCancel), done: false, last: undefined } } });
    }
    get [Symbol.toStringTag]() { return "ReadableStream"; }
  }
  Object.defineProperty(ReadableStream.prototype, Symbol.asyncIterator, { value: ReadableStream.prototype.values, writable: true, configurable: true });

  const readOne = (reader, request) => readInto(reader[$].stream, request);
  const stateOf = (stream) => its(stream, "ReadableStream");
  const tools = { $, noop, defer, quiet, attempt, its, method, Queue, highWater, sizeOf, make, readOne, stateOf, enqueue, close, fail, cancel, desired, pullIfNeeded };
  return { ReadableStream, ReadableStreamDefaultReader, ReadableStreamDefaultController, ReadableByteStreamController, tools };
})
