/** The desktop shell: one Tauri command per operation, facts by the event `numbered-fact`. */
import { invoke } from "@tauri-apps/api/core";
import { listen } from "@tauri-apps/api/event";
import { open } from "@tauri-apps/plugin-shell";
import type { NumberedFact, OperationName } from "@/generated/protocol";
import { type Connection, engineFailureOf, isWebUrl, Listeners, type Params, type Place, type Platform, type Result, toOperationError } from "./types";

export function tauriPlatform(): Platform {
  const facts = new Listeners<NumberedFact>();
  const resyncs = new Listeners<void>();
  const connections = new Listeners<Connection>();
  let connection: Connection = { kind: "connecting" };
  let lastSeq: number | null = null;

  const moveTo = (next: Connection) => {
    connection = next;
    connections.emit(next);
  };

  // Facts are listened to before the first question, so that nothing falls between an answer and the events after it.
  const listening = listen<NumberedFact>("numbered-fact", ({ payload }) => {
    if (lastSeq !== null && payload.seq <= lastSeq) return;
    const gap = lastSeq !== null && payload.seq > lastSeq + 1;
    lastSeq = payload.seq;
    if (gap) resyncs.emit();
    facts.emit(payload);
  }).then(
    () => moveTo({ kind: "online" }),
    (cause: unknown) => moveTo({ kind: "offline", reason: toOperationError(cause).message, retryAt: Date.now() }),
  );

  /** What an error means for the whole window, before the one who asked gets it. */
  const failed = (cause: unknown) => {
    const error = toOperationError(cause);
    const failure = engineFailureOf(error.wire);
    if (failure !== null) moveTo({ kind: "failed", failure });
    return error;
  };

  return {
    kind: "tauri",
    async request<K extends OperationName>(op: K, params: Params<K>): Promise<Result<K>> {
      await listening;
      try {
        return await invoke<Result<K>>(op.replaceAll(".", "_"), { params });
      } catch (cause) {
        throw failed(cause);
      }
    },
    onFact: (handler) => facts.add(handler),
    onResync: (handler) => resyncs.add(handler),
    onConnection(handler) {
      handler(connection);
      return connections.add(handler);
    },
    onPlace(handler) {
      let over = false;
      // Whoever takes them has them alone: a listener that is gone leaves them to the next.
      const take = async () => {
        if (over) return;
        for (const place of await invoke<Place[]>("take_places")) handler(place);
      };
      const waiting = listen("places-wait", () => void take());
      void take();
      return () => {
        over = true;
        void waiting.then((stop) => stop());
      };
    },
    async openExternal(url) {
      if (isWebUrl(url)) await open(url);
    },
    connect() {
      // The shell needs no token: it and the engine are one process.
    },
    pair() {
      // Nor is it a device.
    },
    may: () => true,
    async startEngine() {
      try {
        await invoke("start_engine");
      } catch (cause) {
        failed(cause);
        return;
      }
      lastSeq = null;
      moveTo({ kind: "online" });
      resyncs.emit();
    },
    quit: () => invoke("quit_app"),
  };
}
