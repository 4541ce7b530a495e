/** An engine in memory, for working on the window and for its tests. It answers every operation and tells its facts. */
import type { OperationName, SessionId } from "@/generated/protocol";
import { OPERATIONS } from "./fake/operations";
import { type FakeOptions, World } from "./fake/world";
import { type Connection, type EngineFailure, isWebUrl, Listeners, OperationError, type Params, type Place, type Platform, type Result, toOperationError } from "./types";

const SWITCHES = ["firstRun", "big", "empty", "engineFails", "states", "portGiven", "troubled", "away", "needsToken", "shutOut", "planned"] as const satisfies (keyof FakeOptions)[];

function optionsOfAddress(): FakeOptions {
  const query = new URLSearchParams(window.location.search);
  const number = (name: string) => (query.has(name) ? { [name]: Number(query.get(name)) } : {});
  const given = Object.fromEntries(SWITCHES.map((name) => [name, query.has(name)]));
  return { ...given, ...number("stepMs"), ...number("latencyMs") };
}

export interface FakePlatform extends Platform {
  readonly world: World;
  /** What this client may ask for; null for everything. */
  allow(ops: readonly OperationName[] | null): void;
  /** Puts the window into a state of the connection. */
  move(connection: Connection): void;
  /** From now on nothing is answered, as when the other side is gone. */
  hold(): void;
  /** Asks for a place from outside, as a link does. */
  ask(place: Place): void;
  /** How often the app was asked to end. */
  readonly quits: number;
}

/** What a second start in the same home meets. */
export const ALREADY_RUNNING: EngineFailure = {
  state: "failed",
  error: { code: "conflict", message: "Kata Agents runs already for /home/mara/.kata-agents (process 4711)", hint: "Quit the other one, which may be a “kata serve” in a terminal; then try again." },
  home: "/home/mara/.kata-agents",
  log: "/home/mara/.kata-agents/logs",
};

/** How the window finds the engine. */
function begins(options: FakeOptions): Connection {
  if (options.engineFails === true) return { kind: "failed", failure: ALREADY_RUNNING };
  if (options.away === true) return { kind: "offline", reason: "The engine does not answer.", retryAt: Date.now() + 8_000 };
  if (options.needsToken === true) return { kind: "needs_token", reason: null };
  if (options.shutOut === true) return { kind: "shut_out", reason: "It was shut out on another device." };
  return { kind: "online" };
}

export function fakePlatform(options: FakeOptions = optionsOfAddress()): FakePlatform {
  const world = new World(options);
  const connections = new Listeners<Connection>();
  const resyncs = new Listeners<void>();
  const places = new Listeners<Place>();
  let connection = begins(options);
  let quits = 0;
  let held = options.away === true;
  let allowed: ReadonlySet<OperationName> | null = null;
  return {
    kind: "fake",
    world,
    get quits() {
      return quits;
    },
    async request<K extends OperationName>(op: K, params: Params<K>): Promise<Result<K>> {
      await new Promise((resolve) => setTimeout(resolve, options.latencyMs ?? 20));
      if (held) return new Promise<never>(() => undefined);
      if (connection.kind === "failed") throw new OperationError(connection.failure.error);
      try {
        // A copy each way, as over a wire: nobody shares an object with the engine.
        return structuredClone(OPERATIONS[op](world, structuredClone(params)));
      } catch (cause) {
        throw toOperationError(cause);
      }
    },
    onFact: (handler) => world.facts.add((fact) => handler(structuredClone(fact))),
    onResync: (handler) => resyncs.add(handler),
    onConnection(handler) {
      handler(connection);
      return connections.add(handler);
    },
    onPlace: (handler) => places.add(handler),
    ask: (place) => places.emit(place),
    async openExternal(url) {
      if (isWebUrl(url)) window.open(url, "_blank", "noopener,noreferrer");
    },
    connect() {
      connection = { kind: "online" };
      connections.emit(connection);
    },
    pair() {
      connection = { kind: "online" };
      connections.emit(connection);
    },
    may: (op) => allowed === null || allowed.has(op),
    allow(ops) {
      allowed = ops === null ? null : new Set(ops);
      connections.emit({ ...connection });
    },
    move(next) {
      connection = next;
      connections.emit(next);
    },
    hold() {
      held = true;
    },
    async startEngine() {
      await new Promise((resolve) => setTimeout(resolve, (options.latencyMs ?? 20) * 20));
      connection = { kind: "online" };
      connections.emit(connection);
      resyncs.emit();
    },
    async quit() {
      quits += 1;
    },
  };
}

export type { FakeOptions, SessionId };
