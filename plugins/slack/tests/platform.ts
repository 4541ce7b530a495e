/**
 * A Slack in memory: Web API and Socket Mode, with the faults a test asks for. Events are given again until they are
 * acknowledged, as Slack does. Runs under vitest and in the host's sandbox.
 */

import { type FakeConnection, type FakePlatform, type FakeRequest, json } from "@kata-agents/plugin-sdk/testing";

export const BOT = "xoxb-secret-of-the-test";
export const APP = "xapp-secret-of-the-test";
export const ROOT = "https://slack.example/api/";
export const ME = { team: "T1", user: "UBOT", bot: "BBOT" };
export const SCOPES = [
  "app_mentions:read", "channels:history", "channels:read", "chat:write", "commands", "files:read", "files:write", "groups:history", "groups:read", "im:history",
  "im:read", "im:write", "mpim:history", "mpim:read", "reactions:read", "reactions:write", "users:read",
];
/** Slack gives an event that nobody acknowledged again after this long. */
const AGAIN_MS = 10_000;

type Fields = Record<string, unknown>;
export interface Call {
  method: string;
  params: Record<string, string>;
  token: string;
}

interface Waiting {
  envelope: Fields;
  taken: boolean;
}

export class FakeSlack implements FakePlatform {
  readonly route = { account: ME.team, conversation: "D1" };
  /** Every call, in order. */
  readonly calls: Call[] = [];
  /** Messages by conversation. */
  readonly messages = new Map<string, Fields[]>();
  /** Scopes that the bot token has. */
  scopes: string[] = [...SCOPES];
  /** Tokens that are good. */
  tokens = new Set([BOT, APP]);
  /** Answers a call in another way than usual; nothing: the usual. */
  fault: (call: Call) => Response | Promise<Response> | undefined = () => undefined;
  /** Answers a socket in another way than usual. */
  onSocket: ((connection: FakeConnection) => void | Promise<void>) | undefined;
  /** What a greeting says. */
  lastsSeconds = 18_000;
  connectionsSaid: number | undefined;
  /** Whether events are given. */
  giving = true;
  readonly acks: Fields[] = [];
  readonly lines: FakeConnection[] = [];
  readonly uploads = new Map<string, string>();
  /** Methods that this Slack has not. */
  readonly absent = new Set(["assistant.threads.setStatus", "chat.startStream"]);
  readonly #waiting: Waiting[] = [];
  readonly #sent: string[] = [];
  #clock = 1_699_999_000;
  #last = 0;

  sent(): readonly string[] {
    return this.#sent;
  }

  /** The next `ts`: now, and later than every one before. */
  ts(): string {
    this.#last += 1;
    this.#clock = Math.max(this.#clock, Math.floor(Date.now() / 1000));
    return `${this.#clock}.${String(this.#last).padStart(6, "0")}`;
  }

  write(text: string): string {
    return this.say({ channel: "D1", channel_type: "im", user: "UANN", text });
  }

  /** A person writes. Gives the id the plugin should hand it in under. */
  say(event: Fields): string {
    const whole: Fields = { type: "message", ts: this.ts(), ...event };
    const channel = String(whole["channel"]);
    this.messages.set(channel, [...(this.messages.get(channel) ?? []), whole]);
    this.happen(whole);
    return `${channel}:${String(whole["ts"])}`;
  }

  /** An event happens. */
  happen(event: Fields, payload: Fields = {}): Fields {
    return this.give("events_api", { team_id: ME.team, event_id: `Ev${this.#waiting.length + 1}`, type: "event_callback", event, ...payload });
  }

  /** Gives an envelope, again and again until it is acknowledged. */
  give(type: string, payload: Fields): Fields {
    const envelope = { envelope_id: `env-${this.#waiting.length + 1}`, type, payload, accepts_response_payload: type !== "events_api" };
    this.#waiting.push({ envelope, taken: false });
    if (this.giving) this.lines.filter((line) => line.open).at(-1)?.send(envelope);
    return envelope;
  }

  /** Envelopes nobody has acknowledged. */
  get open(): Fields[] {
    return this.#waiting.filter((one) => !one.taken).map((one) => one.envelope);
  }

  /** Slack forgets what it has not given, as it does after a few minutes. */
  forget(): void {
    for (const one of this.#waiting) one.taken = true;
  }

  socket(connection: FakeConnection): void | Promise<void> {
    if (this.onSocket !== undefined) return this.onSocket(connection);
    this.greet(connection);
  }

  greet(connection: FakeConnection): void {
    this.lines.push(connection);
    connection.onMessage = (data) => {
      const ack = JSON.parse(String(data)) as Fields;
      this.acks.push(ack);
      for (const one of this.#waiting) if (one.envelope["envelope_id"] === ack["envelope_id"]) one.taken = true;
    };
    const standing = this.lines.filter((line) => line.open).length;
    connection.send({
      type: "hello",
      num_connections: this.connectionsSaid ?? standing,
      debug_info: { approximate_connection_time: this.lastsSeconds },
      connection_info: { app_id: "A1" },
    });
    const push = () => {
      if (this.giving) for (const envelope of this.open) connection.send(envelope);
    };
    push();
    const timer = setInterval(() => (connection.open ? push() : clearInterval(timer)), AGAIN_MS);
    connection.onClose = () => clearInterval(timer);
  }

  answer(request: FakeRequest): Response | Promise<Response> {
    if (request.url.pathname.startsWith("/upload/")) {
      this.uploads.set(request.url.pathname.slice("/upload/".length), request.body);
      return new Response("OK");
    }
    if (request.url.pathname.startsWith("/files/")) {
      return new Response("the file", { headers: { "content-type": request.headers["authorization"] === `Bearer ${BOT}` ? "image/png" : "text/html" } });
    }
    const method = request.url.pathname.replace("/api/", "");
    const token = (request.headers["authorization"] ?? "").replace("Bearer ", "");
    const call = { method, params: Object.fromEntries(new URLSearchParams(request.body)), token };
    this.calls.push(call);
    const faulty = this.fault(call);
    if (faulty !== undefined) return faulty;
    if (!this.tokens.has(token)) return no("invalid_auth");
    if ((method === "apps.connections.open") !== token.startsWith("xapp-")) return no("not_allowed_token_type");
    if (this.absent.has(method)) return no("unknown_method");
    return this.#method(method, call.params);
  }

  called(method: string): Record<string, string>[] {
    return this.calls.filter((call) => call.method === method).map((call) => call.params);
  }

  #method(method: string, params: Record<string, string>): Response {
    const channel = params["channel"] ?? "";
    const there = this.messages.get(channel) ?? [];
    const found = there.find((one) => one["ts"] === (params["ts"] ?? params["timestamp"]));
    const since = there.filter((one) => Number(one["ts"]) > Number(params["oldest"] ?? 0));
    switch (method) {
      case "auth.test":
        return this.yes({ team_id: ME.team, team: "Acme", user_id: ME.user, user: "kata", bot_id: ME.bot, url: "https://acme.slack.com/" });
      case "apps.connections.open":
        return this.yes({ url: `wss://slack.example/link/?ticket=${this.lines.length + 1}` });
      case "chat.postMessage": {
        const ts = this.ts();
        const more = params["metadata"] === undefined ? {} : { metadata: JSON.parse(params["metadata"]) as Fields };
        const thread = params["thread_ts"] === undefined ? {} : { thread_ts: params["thread_ts"] };
        this.messages.set(channel, [...there, { type: "message", user: ME.user, bot_id: ME.bot, ts, text: params["text"], ...thread, ...more }]);
        this.#sent.push(String(params["text"]));
        return this.yes({ channel, ts });
      }
      case "chat.update":
        if (found === undefined) return no("message_not_found");
        Object.assign(found, { text: params["text"], blocks: JSON.parse(params["blocks"] ?? "[]") as unknown });
        return this.yes({ channel, ts: params["ts"] });
      case "chat.delete":
        if (found === undefined) return no("message_not_found");
        this.messages.set(channel, there.filter((one) => one !== found));
        return this.yes({});
      case "chat.startStream": {
        const ts = this.ts();
        this.messages.set(channel, [...there, { type: "message", user: ME.user, ts, text: params["markdown_text"] }]);
        return this.yes({ channel, ts });
      }
      case "chat.appendStream":
        Object.assign(found ?? {}, { text: String(found?.["text"]) + String(params["markdown_text"]) });
        return this.yes({});
      case "users.conversations":
        return this.yes({ channels: [...this.messages.keys()].map((id) => ({ id, name: id.toLowerCase(), user: "UANN" })) });
      case "conversations.history":
        return this.yes({
          messages: since
            .filter((one) => one["thread_ts"] === undefined || one["thread_ts"] === one["ts"])
            .map((root) => ({ root, last: there.filter((one) => one["thread_ts"] === root["ts"]).at(-1) }))
            .map(({ root, last }) => (last === undefined ? root : { ...root, reply_count: 1, latest_reply: last["ts"] }))
            .reverse(),
        });
      case "conversations.replies":
        return this.yes({ messages: since.filter((one) => one["thread_ts"] === params["ts"]) });
      case "conversations.info":
        return this.yes({ channel: channel.startsWith("G") ? { id: channel, name: "mpdm-ann--bob-1", is_mpim: true } : { id: channel, name: "general" } });
      case "users.info":
        return this.yes({ user: { id: params["user"], name: params["user"]?.toLowerCase(), profile: { display_name: params["user"] === "UANN" ? "Ann" : "" } } });
      case "users.list":
        return this.yes({ members: [{ id: "UANN", name: "ann", profile: { display_name: "Ann" } }] });
      case "conversations.members":
        return this.yes({ members: ["UANN", ME.user] });
      case "reactions.get":
        return this.yes({ message: { reactions: [{ name: "eyes", users: [ME.user] }] } });
      case "files.getUploadURLExternal":
        return this.yes({ upload_url: `https://slack.example/upload/F${this.uploads.size + 1}`, file_id: `F${this.uploads.size + 1}` });
      case "files.completeUploadExternal":
        return this.yes({ files: (JSON.parse(params["files"] ?? "[]") as Fields[]).map((file) => ({ ...file, shares: { private: { [params["channel_id"] ?? ""]: [{ ts: this.ts() }] } } })) });
      case "files.info":
        return this.yes({ file: { id: params["file"], mimetype: "image/png", size: 8, url_private_download: params["file"] === "FEVIL" ? "https://evil.example/x" : "https://slack.example/files/a.png" } });
      default:
        return this.yes({});
    }
  }

  yes(fields: Fields): Response {
    return json({ ok: true, ...fields }, 200, { "x-oauth-scopes": this.scopes.join(",") });
  }

  tooFast(): Response {
    return json({ ok: false, error: "ratelimited" }, 429, { "retry-after": "3" });
  }

  unauthorized(): Response {
    return no("invalid_auth");
  }
}

export function no(error: string, more: Fields = {}): Response {
  return json({ ok: false, error, ...more });
}
