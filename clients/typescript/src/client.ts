/**
 * One connection that mends itself: operations, events with replay, and plugins that register anew after each reconnect.
 *
 * Deliberately absent: keeping tokens, and finding the gateway's port (`gateway.json` in the home folder has it).
 */
import { KataError } from "./errors.ts";
import type { InboundDraft, IngressAnswer } from "./generated/contract.ts";
import type { ClientFrame, Fact, OperationName, Operations, RunState, Scope, ServerFrame, Topic } from "./generated/protocol.ts";
import { failure, type PluginDefinition, registration, run } from "./plugin.ts";
import { type SocketConstructor, type SocketLike, socketOfRuntime } from "./socket.ts";

/** Version of the frames. */
export const VERSION = 1;

/** Close codes after which the same `connect` would be refused again. */
const FINAL = new Set([4001, 4002, 4003]);

export type ConnectionState = "connecting" | "connected" | "waiting" | "closed";

export interface ClientOptions {
  /** `ws://127.0.0.1:18790/ws` */
  url: string;
  token: string;
  /** Name of this program, for the log and the list of clients. */
  client: string;
  /** Events that are wanted; all when absent. */
  topics?: Topic[];
  /** For a runtime without a global WebSocket (Node before 22). */
  WebSocket?: SocketConstructor;
  /** First wait before a reconnect, milliseconds; doubles up to `mostWaitMs`. */
  firstWaitMs?: number;
  mostWaitMs?: number;
}

export interface Welcome {
  boot: string;
  scope: Scope;
  operations: readonly string[];
}

interface Listeners {
  /** What happened, in order. */
  fact: (fact: Fact, seq: number) => void;
  /** Events were missed for good: ask for the state again. */
  resync: () => void;
  /** How the connection stands, and why. */
  state: (state: ConnectionState, reason: string) => void;
  /** A plugin of ours was not taken after a reconnect. */
  refused: (plugin: string, error: KataError) => void;
}

interface Waiting {
  resolve: (result: unknown) => void;
  reject: (error: Error) => void;
}

/** A plugin that was registered. */
export class JoinedPlugin {
  readonly id: string;
  readonly #ask: (frame: Unnumbered) => Promise<unknown>;
  readonly #say: (frame: ClientFrame) => void;

  constructor(id: string, ask: (frame: Unnumbered) => Promise<unknown>, say: (frame: ClientFrame) => void) {
    this.id = id;
    this.#ask = ask;
    this.#say = say;
  }

  /**
   * Hands a message in. Only when this resolves it is durable, and may the platform be acknowledged; hand it in again after a
   * rejection: the same `messageId` counts once.
   */
  async receive(channel: string, message: InboundDraft): Promise<IngressAnswer> {
    return (await this.#ask({ type: "inbound", plugin: this.id, channel, message })) as IngressAnswer;
  }

  /** Says how a channel stands. The cursor is kept and handed back with `start`. */
  report(channel: string, state: RunState, more: { code?: string; message?: string; cursor?: string } = {}): void {
    const status = { state, code: more.code ?? "", message: more.message ?? "", since: Date.now() };
    this.#say({ type: "report", plugin: this.id, channel, status, cursor: more.cursor ?? null });
  }
}

type Numbered = Extract<ClientFrame, { type: "request" | "register" | "inbound" }>;
type Unnumbered = Numbered extends infer Frame ? (Frame extends Numbered ? Omit<Frame, "id"> : never) : never;

export class KataClient {
  readonly #options: ClientOptions;
  readonly #socketOf: SocketConstructor;
  readonly #listeners: { [Name in keyof Listeners]: Set<Listeners[Name]> } = { fact: new Set(), resync: new Set(), state: new Set(), refused: new Set() };
  readonly #plugins = new Map<string, PluginDefinition>();
  #socket: SocketLike | null = null;
  #welcome: Welcome | null = null;
  #lastSeq: number | null = null;
  #next = 0;
  #attempt = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #closed = false;
  #reason = "";
  #requests = new Map<number, Waiting>();
  #calls = new Map<number, AbortController>();
  #arrivals: Waiting[] = [];

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#socketOf = options.WebSocket ?? socketOfRuntime();
  }

  /** What the gateway said when it took us in; null while there is no connection. */
  get welcome(): Welcome | null {
    return this.#welcome;
  }

  /** Listens; the function that is returned stops it. */
  on<Name extends keyof Listeners>(name: Name, listener: Listeners[Name]): () => void {
    this.#listeners[name].add(listener);
    return () => void this.#listeners[name].delete(listener);
  }

  /** Connects, and from then on connects again by itself. Resolves with the first welcome; rejects where none can come. */
  connect(): Promise<Welcome> {
    if (this.#welcome !== null) return Promise.resolve(this.#welcome);
    const arrived = new Promise<Welcome>((resolve, reject) => this.#arrivals.push({ resolve: resolve as Waiting["resolve"], reject }));
    if (this.#socket === null && this.#timer === null) {
      this.#closed = false;
      this.#open();
    }
    return arrived;
  }

  /** Ends the connection, and with it every plugin that was registered over it. */
  close(): void {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#socket?.close();
    this.#gone("closed by this program", true);
  }

  /** Calls an operation. */
  async call<Name extends OperationName>(op: Name, params: Operations[Name]["params"]): Promise<Operations[Name]["result"]> {
    return (await this.#ask({ type: "request", op, params })) as Operations[Name]["result"];
  }

  /** Brings a plugin, now and after every reconnect. Rejects where it is refused now. */
  async register(plugin: PluginDefinition): Promise<JoinedPlugin> {
    this.#plugins.set(plugin.id, plugin);
    try {
      await this.#ask({ type: "register", plugin: registration(plugin) });
    } catch (error) {
      this.#plugins.delete(plugin.id);
      throw error;
    }
    return new JoinedPlugin(plugin.id, (frame) => this.#ask(frame), (frame) => this.#say(frame));
  }

  #open(): void {
    this.#tell("connecting", "");
    const socket = new this.#socketOf(this.#options.url);
    this.#socket = socket;
    this.#reason = "";
    socket.onmessage = ({ data }) => {
      if (socket === this.#socket && typeof data === "string") this.#take(JSON.parse(data) as ServerFrame);
    };
    socket.onerror = () => {};
    socket.onclose = ({ code }) => {
      if (socket === this.#socket) this.#gone(this.#reason || `the connection ended (${code})`, FINAL.has(code));
    };
  }

  #gone(reason: string, final: boolean): void {
    this.#socket = null;
    this.#welcome = null;
    const lost = new KataError("disconnected", reason);
    const requests = [...this.#requests.values()];
    this.#requests.clear();
    for (const waiting of requests) waiting.reject(lost);
    for (const call of this.#calls.values()) call.abort(lost);
    this.#calls.clear();
    if (final || this.#closed) {
      this.#closed = true;
      for (const waiting of this.#arrivals.splice(0)) waiting.reject(lost);
      this.#tell("closed", reason);
      return;
    }
    const { firstWaitMs = 500, mostWaitMs = 30_000 } = this.#options;
    const full = Math.min(firstWaitMs * 2 ** this.#attempt, mostWaitMs);
    this.#attempt += 1;
    this.#tell("waiting", reason);
    // Spread, so that programs that fell together do not come back together.
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#open();
    }, full * (0.75 + Math.random() / 2));
  }

  #take(frame: ServerFrame): void {
    switch (frame.type) {
      case "hello": {
        const { token, client, topics } = this.#options;
        const boot = this.#boot;
        this.#say({ type: "connect", version: VERSION, token, client, topics: topics ?? null, ...(boot === null ? {} : { boot, lastSeq: this.#lastSeq }) });
        return;
      }
      case "welcome": {
        const resumes = this.#boot === frame.boot;
        this.#boot = frame.boot;
        if (!resumes || this.#lastSeq === null) this.#lastSeq = frame.seq;
        this.#welcome = { boot: frame.boot, scope: frame.scope, operations: frame.operations };
        this.#attempt = 0;
        for (const plugin of this.#plugins.values()) this.#again(plugin);
        this.#tell("connected", "");
        for (const waiting of this.#arrivals.splice(0)) waiting.resolve(this.#welcome);
        return;
      }
      case "event":
        this.#lastSeq = frame.seq;
        for (const listener of this.#listeners.fact) listener(frame.fact as Fact, frame.seq);
        return;
      case "resync":
        this.#lastSeq = frame.seq;
        for (const listener of this.#listeners.resync) listener();
        return;
      case "response": {
        const waiting = this.#requests.get(frame.id);
        this.#requests.delete(frame.id);
        if (frame.error) waiting?.reject(KataError.of(frame.error));
        else waiting?.resolve(frame.result ?? null);
        return;
      }
      case "call":
        void this.#answer(frame);
        return;
      case "cancel":
        this.#calls.get(frame.call)?.abort(new KataError("cancelled", "nobody waits any longer"));
        this.#calls.delete(frame.call);
        return;
      case "goodbye":
        this.#reason = frame.reason;
        return;
      default:
        // A newer gateway may say more.
        return;
    }
  }

  #boot: string | null = null;

  #again(plugin: PluginDefinition): void {
    this.#ask({ type: "register", plugin: registration(plugin) }).catch((error: unknown) => {
      if (error instanceof KataError && error.code !== "disconnected") {
        for (const listener of this.#listeners.refused) listener(plugin.id, error);
      }
    });
  }

  async #answer(frame: Extract<ServerFrame, { type: "call" }>): Promise<void> {
    const { call, kind, deadlineMs } = frame;
    const abort = new AbortController();
    this.#calls.set(call, abort);
    const socket = this.#socket;
    let answer: ClientFrame;
    try {
      const plugin = this.#plugins.get(frame.plugin);
      if (plugin === undefined) throw new Error(`there is no plugin “${frame.plugin}”`);
      const result = await run(plugin, kind, frame.params, { signal: abort.signal, deadlineMs });
      answer = { type: "answer", call, result: result ?? null, error: null };
    } catch (thrown) {
      answer = { type: "answer", call, result: null, error: failure(thrown) };
    }
    // Numbers are one connection's own; an answer to another one's call would be a stray.
    if (this.#calls.delete(call) && socket === this.#socket && !abort.signal.aborted) this.#say(answer);
  }

  #ask(frame: Unnumbered): Promise<unknown> {
    if (this.#welcome === null) return Promise.reject(new KataError("disconnected", "there is no connection", "call `connect` and wait for it"));
    const id = ++this.#next;
    return new Promise((resolve, reject) => {
      this.#requests.set(id, { resolve, reject });
      this.#say({ ...frame, id } as ClientFrame);
    });
  }

  #say(frame: ClientFrame): void {
    this.#socket?.send(JSON.stringify(frame));
  }

  #tell(state: ConnectionState, reason: string): void {
    for (const listener of this.#listeners.state) listener(state, reason);
  }
}
