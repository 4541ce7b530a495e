/**
 * What of the gateway's protocol this program needs (docs/gateway): connect, register, hand messages in, answer calls. The names are those of
 * `@kata-agents/client`, which does more; where that is at hand, its path takes this one's place.
 */

import { backoff } from "../../../plugins/sdk/src/sending/backoff.ts";
import type { InboundDraft, IngressAnswer, OutboundMessage, Receipt, SendErrorCode } from "../../../plugins/sdk/src/generated.ts";

export type { InboundDraft, IngressAnswer, OutboundMessage };

/** The part of WebSocket that is used. */
export interface SocketLike {
  onmessage: ((event: { data: unknown }) => unknown) | null;
  onclose: ((event: { code: number }) => unknown) | null;
  onerror: ((event: never) => unknown) | null;
  send(text: string): void;
  close(): void;
}

/** A request failed, or there is no connection to ask over. */
export class KataError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = "KataError";
    this.code = code;
  }
}

/** Thrown by `send`. `certain`: nothing can have left. */
export class SendFailed extends Error {
  readonly code: SendErrorCode;
  readonly certain: boolean;
  readonly retryAfterMs: number | null;

  constructor(code: SendErrorCode, message: string, options: { certain: boolean; retryAfterMs?: number }) {
    super(message);
    this.name = "SendFailed";
    this.code = code;
    this.certain = options.certain;
    this.retryAfterMs = options.retryAfterMs ?? null;
  }
}

export interface Channel {
  name: string;
  capabilities?: object;
  start?(): void;
  stop?(): void;
  send(message: OutboundMessage): Promise<Receipt>;
}

export interface PluginDefinition {
  id: string;
  name: string;
  version: string;
  description?: string;
  channels?: Record<string, Channel>;
}

type State = { kind: "connecting" | "running" | "degraded" } | { kind: "needs_user"; action: { kind: "relogin" } };
type Frame = Record<string, unknown> & { type?: string; id?: number; call?: number };

export interface JoinedPlugin {
  receive(channel: string, message: InboundDraft): Promise<IngressAnswer>;
  report(channel: string, state: State, more: { code: string; message: string }): void;
}

export interface ClientOptions {
  url: string;
  token: string;
  client: string;
  topics: [];
  WebSocket: new (url: string) => SocketLike;
}

interface Listeners {
  state: (state: "connecting" | "connected" | "waiting" | "closed", reason: string) => void;
  refused: (plugin: string, error: KataError) => void;
}

/** Codes of a close after which the same `connect` would be refused again. */
const FINAL = new Set([4001, 4002, 4003]);

export class KataClient {
  readonly #options: ClientOptions;
  readonly #waits = backoff(Math.random, { firstMs: 500, maxMs: 30_000 });
  readonly #listeners: { [Name in keyof Listeners]: Listeners[Name][] } = { state: [], refused: [] };
  readonly #requests = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>();
  #arrival: { resolve(): void; reject(error: Error): void } | undefined;
  #plugin: PluginDefinition | undefined;
  #socket: SocketLike | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;
  #reason = "";
  #next = 0;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  on<Name extends keyof Listeners>(name: Name, listener: Listeners[Name]): void {
    this.#listeners[name].push(listener);
  }

  connect(): Promise<void> {
    const arrived = new Promise<void>((resolve, reject) => (this.#arrival = { resolve, reject }));
    this.#open();
    return arrived;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#socket?.close();
    this.#gone("closed by this program");
  }

  async register(plugin: PluginDefinition): Promise<JoinedPlugin> {
    this.#plugin = plugin;
    await this.#ask({ type: "register", plugin: wire(plugin) });
    return {
      receive: async (channel, message) => (await this.#ask({ type: "inbound", plugin: plugin.id, channel, message })) as IngressAnswer,
      report: (channel, state, more) => this.#say({ type: "report", plugin: plugin.id, channel, status: { state, ...more, since: Date.now() } }),
    };
  }

  #open(): void {
    this.#tell("connecting", "");
    const socket = new this.#options.WebSocket(this.#options.url);
    this.#socket = socket;
    this.#reason = "";
    socket.onmessage = ({ data }) => {
      if (socket === this.#socket) this.#take(JSON.parse(String(data)) as Frame);
    };
    socket.onerror = () => {};
    socket.onclose = ({ code }) => {
      if (socket !== this.#socket) return;
      if (FINAL.has(code)) this.#closed = true;
      this.#gone(this.#reason || `the connection ended (${code})`);
    };
  }

  #gone(reason: string): void {
    this.#socket = undefined;
    const lost = new KataError("disconnected", reason);
    for (const waiting of this.#requests.values()) waiting.reject(lost);
    this.#requests.clear();
    if (this.#closed) {
      this.#arrival?.reject(lost);
      return this.#tell("closed", reason);
    }
    this.#tell("waiting", reason);
    this.#timer = setTimeout(() => this.#open(), this.#waits.next());
  }

  #take(frame: Frame): void {
    const { client, token, topics } = this.#options;
    if (frame.type === "hello") return this.#say({ type: "connect", version: 1, token, client, topics });
    if (frame.type === "goodbye") this.#reason = String(frame["reason"]);
    if (frame.type === "call") return void this.#answer(frame);
    if (frame.type === "welcome") {
      this.#waits.reset();
      if (this.#plugin !== undefined) {
        const { id } = this.#plugin;
        this.#ask({ type: "register", plugin: wire(this.#plugin) }).catch((error: unknown) => {
          if (error instanceof KataError && error.code !== "disconnected") for (const listener of this.#listeners.refused) listener(id, error);
        });
      }
      this.#tell("connected", "");
      this.#arrival?.resolve();
    }
    if (frame.type === "response" && frame.id !== undefined) {
      const waiting = this.#requests.get(frame.id);
      this.#requests.delete(frame.id);
      const error = frame["error"] as { code?: unknown; message?: unknown } | null | undefined;
      if (error) waiting?.reject(new KataError(String(error.code), String(error.message)));
      else waiting?.resolve(frame["result"]);
    }
  }

  async #answer(frame: Frame): Promise<void> {
    const socket = this.#socket;
    const params = frame["params"] as { channel?: string; message?: OutboundMessage };
    const channel = this.#plugin?.channels?.[params.channel ?? ""];
    let answer: Frame = {};
    try {
      if (channel === undefined) throw new Error("there is no such channel here");
      if (frame["kind"] === "start") channel.start?.();
      else if (frame["kind"] === "stop") channel.stop?.();
      else if (frame["kind"] === "send" && params.message !== undefined) answer = { result: await channel.send(params.message) };
      else throw new Error("this program is not asked for that");
    } catch (error) {
      const details = error instanceof SendFailed ? { code: error.code, certain: error.certain, retryAfterMs: error.retryAfterMs } : null;
      answer = { error: { code: "upstream", message: error instanceof Error ? error.message : String(error), hint: null, details } };
    }
    // Numbers are one connection's own.
    if (socket === this.#socket) this.#say({ type: "answer", call: frame.call ?? 0, result: null, ...answer });
  }

  #ask(frame: Frame): Promise<unknown> {
    this.#next += 1;
    const id = this.#next;
    return new Promise((resolve, reject) => {
      if (this.#socket === undefined) return reject(new KataError("disconnected", "there is no connection"));
      this.#requests.set(id, { resolve, reject });
      this.#say({ ...frame, id });
    });
  }

  #say(frame: Frame): void {
    this.#socket?.send(JSON.stringify(frame));
  }

  #tell(state: Parameters<Listeners["state"]>[0], reason: string): void {
    for (const listener of this.#listeners.state) listener(state, reason);
  }
}

function wire({ channels = {}, description = "", id, name, version }: PluginDefinition): object {
  return { id, name, version, description, channels: Object.entries(channels).map(([channel, each]) => ({ id: channel, name: each.name, capabilities: each.capabilities ?? null })) };
}
