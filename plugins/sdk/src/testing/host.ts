/** A host that a test holds in its hand: time, network, settings, secrets, state, log, and the front door for messages. */

import type { ServiceContext } from "../api.ts";
import type { ConnectContext, FileEntry, Folder, OauthToken, PluginContext, StatusReport } from "../context.ts";
import type {
  ButtonPress,
  ChannelNotice,
  DirectMessage,
  InboundDraft,
  IngressAnswer,
  KnownConversation,
  Media,
  OutboundMessage,
  PressAnswer,
  SessionSummary,
} from "../generated.ts";
import { FakeClock, settle } from "./clock.ts";
import { type Answer, FakeNetwork, refused } from "./fetch.ts";
import { FakeJobs } from "./jobs.ts";
import { FakeSocketServer, type SocketAnswer } from "./socket.ts";
import { FakeTcp, type TcpAnswer } from "./tcp.ts";

/** Where the SDK finds what needs a host. */
const HOST = Symbol.for("kata:sdk");

/** What a fake host starts with. */
export interface FakeHostOptions {
  /** Settings, all of them: the manifest's defaults are not filled in. */
  config?: Readonly<Record<string, unknown>>;
  /** Secrets by name; one that is not here was not set. */
  secrets?: Readonly<Record<string, string>>;
  /** What is on the disk already: hand in the `state` of another host to restart. */
  state?: Map<string, unknown>;
  /** Accounts by provider; one that is not here is not signed in. */
  accounts?: Readonly<Record<string, OauthToken>>;
  /** Answers requests; without it every request fails. */
  network?: Answer;
  /** Answers WebSockets; without it every one is refused. */
  sockets?: SocketAnswer;
  /** Answers TCP connections; without it every one is refused. */
  tcp?: TcpAnswer;
}

/** One line of the log. */
export interface LogLine {
  /** Level. */
  level: "error" | "warn" | "info" | "debug";
  /** Text. */
  message: string;
}

/** The host. `run` installs clock, network and sockets for the time of a test. */
export class FakeHost {
  /** Time. */
  readonly clock = new FakeClock();
  /** Network. */
  readonly network: FakeNetwork;
  /** WebSockets. */
  readonly sockets: FakeSocketServer;
  /** TCP. */
  readonly tcp: FakeTcp;
  /** The disk: survives this host. */
  readonly state: Map<string, unknown>;
  /** Settings. */
  config: Readonly<Record<string, unknown>>;
  /** Secrets; change them as a person would. */
  readonly secrets: Map<string, string>;
  /** Accounts by provider; delete one as a provider takes it back. */
  readonly accounts: Map<string, OauthToken>;
  /** What `oauth.refused` was told, in order; set another token in `accounts` to play the renewal. */
  readonly refusedTokens: { provider: string; accessToken: string }[] = [];
  /** What a refused token becomes; by default it stays as it is in `accounts`. */
  renew: (provider: string, accessToken: string) => void = () => undefined;
  /** Planned work of services. */
  readonly jobs = new FakeJobs();
  /** Everything that was handed in, in order. */
  readonly drafts: InboundDraft[] = [];
  /** Everything that was said about the state. */
  readonly statuses: StatusReport[] = [];
  /** The log. */
  readonly log: LogLine[] = [];
  /** Everything the plugin told clients. */
  readonly emitted: { name: string; payload: unknown }[] = [];
  /** Everything the plugin submitted to sessions. */
  readonly submitted: { session: string; text: string; idempotencyKey?: string }[] = [];
  /** What `sessions.list` gives. */
  sessions: SessionSummary[] = [];
  /** Every button press that was handed in. */
  readonly presses: ButtonPress[] = [];
  /** Everything else that was handed in: edits, deletions, reactions. */
  readonly notices: ChannelNotice[] = [];
  /** Files on their way, by id. */
  readonly media = new Map<string, { info: Media; bytes: Uint8Array<ArrayBuffer> }>();
  /** What the agent may write to of its own accord. */
  conversations: KnownConversation[] = [];
  /** What was sent that way. */
  readonly directed: (DirectMessage & { channel: string; idempotencyKey?: string })[] = [];
  /** What a button press leads to. */
  pressed: (press: ButtonPress) => PressAnswer | Promise<PressAnswer> = () => ({ text: "Done.", done: true });
  /** Files of the plugin's own folder and of the workspace, by path. */
  readonly files = { state: new Map<string, Uint8Array<ArrayBuffer>>(), workspace: new Map<string, Uint8Array<ArrayBuffer>>() };
  /** What the front door answers; it may wait, refuse, or throw as a full disk does. */
  door: (draft: InboundDraft) => IngressAnswer | Promise<IngressAnswer> = () => ({ outcome: "admitted" });

  constructor(options: FakeHostOptions = {}) {
    this.config = options.config ?? {};
    this.secrets = new Map(Object.entries(options.secrets ?? {}));
    this.accounts = new Map(Object.entries(options.accounts ?? {}));
    this.state = options.state ?? new Map<string, unknown>();
    this.network = new FakeNetwork(
      options.network ??
        (() => {
          throw refused();
        }),
    );
    this.sockets = new FakeSocketServer(options.sockets);
    this.tcp = new FakeTcp(options.tcp);
  }

  /** Runs a test with this host's clock, network and sockets in the place of the global ones. */
  async run<T>(test: () => Promise<T>): Promise<T> {
    const before = { fetch: globalThis.fetch, WebSocket: globalThis.WebSocket };
    const restoreClock = this.clock.install();
    const sdk = globalThis as { [HOST]?: { connect: FakeTcp["connect"] } };
    const hostBefore = sdk[HOST];
    sdk[HOST] = { connect: this.tcp.connect };
    Object.assign(globalThis, { fetch: this.network.fetch, WebSocket: this.sockets.WebSocket });
    try {
      return await test();
    } finally {
      restoreClock();
      Object.assign(globalThis, before);
      if (hostBefore === undefined) delete sdk[HOST];
      else sdk[HOST] = hostBefore;
    }
  }

  /** Puts a file among those on their way, as the host does for a file that the agent sends. */
  keep(name: string, bytes: Uint8Array<ArrayBuffer>, mime = "application/octet-stream", kind: Media["kind"] = "file"): Media {
    const info: Media = { id: `media-${this.media.size + 1}`, kind, name, mime, bytes: bytes.length };
    this.media.set(info.id, { info, bytes });
    return info;
  }

  /** What a tool, a hook, a command, a service is given. */
  context(signal: AbortSignal = new AbortController().signal): PluginContext {
    return this.connectContext(signal);
  }

  /** What a service's `start` is given. */
  serviceContext(signal: AbortSignal = new AbortController().signal): ServiceContext {
    const context = this.connectContext(signal);
    return {
      ...context,
      schedule: (job) => this.jobs.schedule(job, context),
      unschedule: (id) => this.jobs.unschedule(id),
      busy: () => void (this.jobs.busy += 1),
    };
  }

  /** What `messaging.connect` is given. */
  connectContext(signal: AbortSignal = new AbortController().signal): ConnectContext {
    const line = (level: LogLine["level"]) => (message: string) => void this.log.push({ level, message: String(message) });
    const own = (key: string) => {
      if (key.startsWith("host:")) throw new TypeError("state: keys that begin with “host:” are the host's own");
      return key;
    };
    const copy = <T>(value: T): T => (value === undefined ? value : (JSON.parse(JSON.stringify(value)) as T));
    return {
      config: this.config,
      secrets: {
        get: async (name) => this.secrets.get(name),
        set: async (name, value) => void this.secrets.set(name, String(value)),
        delete: async (name) => void this.secrets.delete(name),
      },
      oauth: {
        token: async (provider) => {
          const token = this.accounts.get(provider);
          if (!token) throw Object.assign(new Error(`oauth.token: nobody is signed in at “${provider}”`), { code: "needs_user" });
          return token;
        },
        refused: async (provider, accessToken) => {
          this.refusedTokens.push({ provider, accessToken });
          if (this.accounts.get(provider)?.accessToken === accessToken) this.renew(provider, accessToken);
        },
      },
      routeUrl: async (path) => `http://127.0.0.1:4280/hooks/plugin/${path}`,
      state: {
        get: async (key) => copy(this.state.get(own(key))),
        set: async (key, value) => void this.state.set(own(key), copy(value)),
        delete: async (key) => void this.state.delete(own(key)),
      },
      logger: { error: line("error"), warn: line("warn"), info: line("info"), debug: line("debug") },
      sessions: {
        list: async () => copy(this.sessions),
        submit: async (session, text, options) => {
          this.submitted.push({ session, text, ...options });
          return { message: `message-${this.submitted.length}`, trace: `trace-${this.submitted.length}` };
        },
      },
      files: { state: folder(this.files.state), workspace: folder(this.files.workspace) },
      emit: async (name, payload) => void this.emitted.push({ name, payload: copy(payload) ?? null }),
      signal,
      status: (report) => void this.statuses.push(copy(report)),
      media: {
        fetch: async (url, options = {}) => {
          const answer = await globalThis.fetch(url, { method: options.method ?? "GET", headers: { ...options.headers } });
          if (!answer.ok) throw Object.assign(new Error(`media.fetch: ${answer.status}`), { code: answer.status === 404 ? "not_found" : "failed" });
          const bytes = new Uint8Array(await answer.arrayBuffer());
          if (bytes.length > (options.maxBytes ?? 16 << 20)) throw Object.assign(new Error("media.fetch: too large"), { code: "too_large" });
          const name = options.name ?? new URL(url).pathname.split("/").at(-1) ?? "file";
          return this.keep(name, bytes, answer.headers.get("content-type") ?? undefined, options.kind);
        },
        put: async (bytes, info) => this.keep(info.name, bytesOf(bytes), info.mime, info.kind),
        read: async (id) => {
          const found = this.media.get(id);
          if (!found) throw Object.assign(new Error(`media.read: there is no “${id}”`), { code: "not_found" });
          return found.bytes.slice();
        },
      },
      channels: {
        conversations: async () => copy(this.conversations),
        send: async (channel, message, options) => {
          const named = this.conversations.filter((known) => known.id === message.to || known.name === message.to);
          if (named.length === 0) throw Object.assign(new Error(`channels.send: “${message.to}” is not known`), { code: "forbidden" });
          if (named.length > 1) throw Object.assign(new Error(`channels.send: two are named “${message.to}”`), { code: "ambiguous" });
          this.directed.push({ channel, ...copy(message), ...options });
        },
      },
      press: async (press) => {
        this.presses.push(copy(press));
        return this.pressed(press);
      },
      notice: async (notice) => void this.notices.push(copy(notice)),
      receive: async (draft) => {
        const kept = copy(draft);
        this.drafts.push(kept);
        return this.door(kept);
      },
    };
  }

  /** Ids of the messages that were handed in, each once, in order of their first time. */
  get received(): string[] {
    return [...new Set(this.drafts.map((draft) => draft.messageId))];
  }

  /** The states as a person sees them change: `running`, `degraded/unreachable`, … */
  get states(): string[] {
    const shown = this.statuses.map((status) => (status.code === undefined ? status.state : `${status.state}/${status.code}`));
    return shown.filter((state, index) => state !== shown[index - 1]);
  }

  /** Everything the plugin has said: log, states, and the messages of errors that a test collected. */
  said(errors: readonly unknown[] = []): string {
    const words = errors.map((error) => (error instanceof Error ? error.message : String(error)));
    return [...this.log.map((line) => line.message), ...this.statuses.map((status) => status.message ?? ""), ...words].join("\n");
  }
}

function bytesOf(data: ArrayBuffer | ArrayBufferView): Uint8Array<ArrayBuffer> {
  const view = ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data);
  return new Uint8Array(view);
}

/** A folder in memory; a folder in it is what the paths of its files say. */
function folder(files: Map<string, Uint8Array<ArrayBuffer>>): Folder {
  const read = async (path: string) => {
    const found = files.get(path);
    if (!found) throw Object.assign(new Error(`files: “${path}” does not exist`), { code: "not_found" });
    return found.slice();
  };
  return {
    read,
    readText: async (path) => new TextDecoder().decode(await read(path)),
    write: async (path, data) => {
      const bytes = typeof data === "string" ? new TextEncoder().encode(data) : bytesOf(data);
      files.set(path, bytes);
    },
    list: async (path = "") => {
      const below = path === "" ? "" : `${path}/`;
      const found = new Map<string, FileEntry>();
      for (const [key, bytes] of files) {
        if (!key.startsWith(below)) continue;
        const [name = "", ...deeper] = key.slice(below.length).split("/");
        found.set(name, deeper.length ? { name, kind: "folder", bytes: 0 } : { name, kind: "file", bytes: bytes.length });
      }
      return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    },
    delete: async (path) => void files.delete(path),
  };
}

/** A call that runs until it is told to end. */
export class Running {
  readonly #abort = new AbortController();
  /** Whether it has ended. */
  ended = false;
  /** What it threw. */
  error: unknown;

  /** Begins `work`. */
  constructor(work: (signal: AbortSignal) => void | Promise<void>) {
    const done = (error?: unknown) => {
      this.ended = true;
      this.error = error;
    };
    void (async () => work(this.#abort.signal))().then(() => done(), done);
  }

  /** Tells it to end. */
  stop(): void {
    this.#abort.abort();
  }

  /** Tells it to end and lets `host` run until it has, at most five seconds of its time. */
  async stopped(host: FakeHost): Promise<boolean> {
    this.stop();
    await settle();
    return host.clock.until(() => this.ended, 5_000);
  }
}

/** A message as `outbound.send` gets it. */
export function outbound(text: string, fields: Partial<Omit<OutboundMessage, "route">> & { route?: Partial<OutboundMessage["route"]> } = {}): OutboundMessage {
  const { route, ...rest } = fields;
  return {
    route: { channel: "channel", account: "account", conversation: "conversation", thread: null, replyTo: null, ...route },
    text,
    idempotencyKey: "key-1",
    attempt: 1,
    ...rest,
  };
}
