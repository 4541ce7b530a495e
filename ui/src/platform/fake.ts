/** An engine in memory, for working on the window and for its tests. It answers every operation and tells its facts. */
import type { OperationName, SessionId } from "@/generated/protocol";
import { OPERATIONS } from "./fake/operations";
import { type FakeOptions, World } from "./fake/world";
import { type Connection, isWebUrl, Listeners, type Params, type Platform, type Result, toOperationError } from "./types";

function optionsOfAddress(): FakeOptions {
  const query = new URLSearchParams(window.location.search);
  const number = (name: string) => (query.has(name) ? { [name]: Number(query.get(name)) } : {});
  return { firstRun: query.has("firstRun"), big: query.has("big"), empty: query.has("empty"), ...number("stepMs"), ...number("latencyMs") };
}

export interface FakePlatform extends Platform {
  readonly world: World;
  /** Puts the window into a state of the connection. */
  move(connection: Connection): void;
}

export function fakePlatform(options: FakeOptions = optionsOfAddress()): FakePlatform {
  const world = new World(options);
  const connections = new Listeners<Connection>();
  let connection: Connection = { kind: "online" };
  return {
    kind: "fake",
    world,
    async request<K extends OperationName>(op: K, params: Params<K>): Promise<Result<K>> {
      await new Promise((resolve) => setTimeout(resolve, options.latencyMs ?? 20));
      try {
        // A copy each way, as over a wire: nobody shares an object with the engine.
        return structuredClone(OPERATIONS[op](world, structuredClone(params)));
      } catch (cause) {
        throw toOperationError(cause);
      }
    },
    onFact: (handler) => world.facts.add((fact) => handler(structuredClone(fact))),
    onResync: () => () => undefined,
    onConnection(handler) {
      handler(connection);
      return connections.add(handler);
    },
    async openExternal(url) {
      if (isWebUrl(url)) window.open(url, "_blank", "noopener,noreferrer");
    },
    connect() {
      connection = { kind: "online" };
      connections.emit(connection);
    },
    move(next) {
      connection = next;
      connections.emit(next);
    },
  };
}

export type { FakeOptions, SessionId };
