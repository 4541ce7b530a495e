/** Time that moves only when a test says so. */

/** Longest chain of timers one `advance` follows; more is a plugin that spins. */
const MAX_STEPS = 10_000;
/** Turns of the real event loop that let promises of `fetch` and streams settle. */
const ROUNDS = 6;

const real = { setTimeout: globalThis.setTimeout };
/** One turn of the real event loop, the quickest there is: Node has one that waits for no millisecond, the sandbox has not. */
const immediate = (globalThis as { setImmediate?: (run: () => void) => unknown }).setImmediate;
const turn = (run: () => void): unknown => (immediate === undefined ? real.setTimeout(run, 0) : immediate(run));

/** Calls of `crypto.subtle` that Node's own threads still work on: they take real time, and none of the test's. */
let computing = 0;
const SUBTLE = ["importKey", "exportKey", "sign", "verify", "digest", "encrypt", "decrypt", "deriveBits", "deriveKey", "generateKey"] as const;

/** Counts calls of `crypto.subtle` until `restore`. The sandbox answers them at once, so only Node needs it. */
function countComputing(): () => void {
  if (immediate === undefined) return () => undefined;
  const subtle = globalThis.crypto.subtle as unknown as Record<string, unknown>;
  for (const name of SUBTLE) {
    const call = (subtle[name] as (...args: unknown[]) => Promise<unknown>).bind(subtle);
    const counted = (...args: unknown[]) => {
      computing += 1;
      return call(...args).finally(() => (computing -= 1));
    };
    Object.defineProperty(subtle, name, { value: counted, configurable: true, writable: true });
  }
  return () => {
    for (const name of SUBTLE) delete subtle[name];
  };
}

interface Timer {
  at: number;
  every: number | undefined;
  run: () => void;
}

/** Lets everything run that waits for nothing but its turn. */
export async function settle(): Promise<void> {
  for (let round = 0; round < ROUNDS; round += 1) {
    await new Promise<void>((resolve) => void turn(resolve));
    if (computing > 0) round = 0;
  }
}

/** A clock with timers. `install` puts it in the place of `setTimeout`, `setInterval` and `Date.now`. */
export class FakeClock {
  #now: number;
  #last = 0;
  readonly #timers = new Map<number, Timer>();

  /** Starts at a time in 2023, which no test should depend on. */
  constructor(now = 1_700_000_000_000) {
    this.#now = now;
  }

  /** Milliseconds since the epoch. */
  get now(): number {
    return this.#now;
  }

  /** Timers that wait. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Drops every timer, as the host does when a part of a plugin has ended. */
  forget(): void {
    this.#timers.clear();
  }

  /** Moves the time on, running every timer that comes due, in order. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (let step = 0; ; step += 1) {
      const next = this.#next();
      if (next === undefined || next[1].at > end) break;
      if (step >= MAX_STEPS) throw new Error(`more than ${MAX_STEPS} timers ran within ${ms} ms: something waits for 0 ms again and again`);
      this.#fire(...next);
      await settle();
    }
    this.#now = Math.max(this.#now, end);
  }

  /** Moves on from timer to timer until `done` is true, at most `ms`; whether it became true. */
  async until(done: () => boolean, ms = 600_000): Promise<boolean> {
    const end = this.#now + ms;
    await settle();
    for (let step = 0; !done() && step < MAX_STEPS; step += 1) {
      const next = this.#next();
      if (next === undefined || next[1].at > end) break;
      this.#fire(...next);
      await settle();
    }
    return done();
  }

  /** Replaces the global timers and `Date.now`; the function it gives back undoes that. */
  install(): () => void {
    const kept = {
      setTimeout: globalThis.setTimeout,
      setInterval: globalThis.setInterval,
      clearTimeout: globalThis.clearTimeout,
      clearInterval: globalThis.clearInterval,
    };
    const dateNow = Date.now;
    const arm = (repeat: boolean) => (run: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) => this.#arm(() => run(...args), ms, repeat);
    const clear = (id?: number) => void this.#timers.delete(Number(id));
    Object.assign(globalThis, { setTimeout: arm(false), setInterval: arm(true), clearTimeout: clear, clearInterval: clear });
    Date.now = () => this.#now;
    const countNoMore = countComputing();
    return () => {
      countNoMore();
      Object.assign(globalThis, kept);
      Date.now = dateNow;
    };
  }

  #arm(run: () => void, ms: number, repeat: boolean): number {
    this.#last += 1;
    const wait = Math.max(Number(ms) || 0, repeat ? 1 : 0);
    this.#timers.set(this.#last, { at: this.#now + wait, every: repeat ? wait : undefined, run });
    return this.#last;
  }

  #next(): [number, Timer] | undefined {
    let first: [number, Timer] | undefined;
    for (const entry of this.#timers) if (first === undefined || entry[1].at < first[1].at) first = entry;
    return first;
  }

  #fire(id: number, timer: Timer): void {
    this.#now = Math.max(this.#now, timer.at);
    if (timer.every === undefined) this.#timers.delete(id);
    else timer.at = this.#now + timer.every;
    timer.run();
  }
}
