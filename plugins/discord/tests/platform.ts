/** Discord in memory, for tests with the host's kit: one server with two channels, one bot, sessions that can be resumed. */

import { type FakeConnection, type FakePlatform, type FakeRequest, json } from "@kata-agents/plugin-sdk/testing";

export const TOKEN = "bot-token-of-the-test";
export const ME = { id: "2000000000000000001", username: "kata", global_name: "Kata", bot: true };
export const ADA = { id: "1000000000000000001", username: "ada", global_name: "Ada" };
export const GUILD = "300000000000000001";
export const GENERAL = "400000000000000001";
export const DIRECT = "500000000000000001";
export const ALL_FLAGS = (1 << 18) | (1 << 19);

interface Frame {
  op: number;
  t?: string;
  s?: number;
  d: unknown;
}

interface KeptMessage {
  id: string;
  channel_id: string;
  content: string;
  author: unknown;
  nonce?: unknown;
  components?: unknown;
  [more: string]: unknown;
}

/** What the script can be asked and told. */
export class Discord implements FakePlatform {
  readonly route = { account: ME.id, conversation: DIRECT };
  readonly messages: KeptMessage[] = [];
  readonly calls: { route: string; body: Record<string, unknown> | undefined; headers: Readonly<Record<string, string>>; text: string }[] = [];
  /** Sessions by id: events so far. */
  readonly sessions = new Map<string, Frame[]>();
  readonly live = new Map<string, FakeConnection>();
  identifies = 0;
  resumes = 0;
  flags = ALL_FLAGS;
  /** Instead of an answer. */
  override: ((request: FakeRequest, route: string) => Response | Promise<Response> | undefined) | undefined;
  /** Close code instead of READY. */
  refuse: number | undefined;
  interval = 41_250;
  remaining = 1_000;
  /** Written before the bot was ever there: it hears of it when it comes, as if it were written then. */
  #early: (() => void)[] = [];
  #last = 0n;

  /** As Discord makes them: the time, and what comes later is greater. */
  id(): string {
    const now = BigInt(Date.now() - 1_420_070_400_000) << 22n;
    this.#last = now > this.#last ? now : this.#last + 1n;
    return String(this.#last);
  }

  socket(connection: FakeConnection): void {
    connection.onMessage = (data) => this.#frame(connection, JSON.parse(String(data)) as Frame);
    setTimeout(() => connection.send({ op: 10, d: { heartbeat_interval: this.interval } }), 1);
  }

  #frame(connection: FakeConnection, { op, d }: Frame): void {
    const body = d as Record<string, unknown>;
    if (op === 1) connection.send({ op: 11 });
    if (op === 2 || op === 6) {
      if (this.refuse !== undefined) return connection.close(this.refuse);
      if (body["token"] !== TOKEN) return connection.close(4004);
    }
    if (op === 2) {
      this.identifies += 1;
      const id = `session-${this.identifies}`;
      this.sessions.set(id, []);
      this.live.set(id, connection);
      this.event("READY", { v: 10, user: ME, application: { id: ME.id, flags: this.flags }, guilds: [{ id: GUILD, unavailable: true }], session_id: id, resume_gateway_url: "wss://resume.discord.gg" }, id);
      const last = (channel: string) => this.messages.filter((one) => one.channel_id === channel).at(-1)?.id ?? null;
      const channels = [{ id: GENERAL, type: 0, name: "general", last_message_id: last(GENERAL) }];
      this.event("GUILD_CREATE", { id: GUILD, name: "Home", roles: [{ id: "9", name: "Kata", tags: { bot_id: ME.id } }, { id: "8", name: "crew" }], channels, threads: [] }, id);
      for (const one of this.#early.splice(0)) one();
    }
    if (op === 6) {
      const id = String(body["session_id"]);
      const events = this.sessions.get(id);
      if (events === undefined) return connection.send({ op: 9, d: false });
      this.resumes += 1;
      this.live.set(id, connection);
      for (const event of events) if ((event.s ?? 0) > Number(body["seq"])) connection.send({ ...event });
      this.event("RESUMED", {}, id);
    }
  }

  /** Tells one session, or all. */
  event(t: string, d: unknown, only?: string): void {
    for (const [id, events] of this.sessions) {
      if (only !== undefined && only !== id) continue;
      const frame: Frame = { op: 0, t, s: events.length + 1, d };
      events.push(frame);
      this.live.get(id)?.send({ ...frame });
    }
  }

  write(text: string, more: Record<string, unknown> = {}): string {
    return this.say(DIRECT, text, more);
  }

  say(channel: string, content: string, more: Record<string, unknown> = {}): string {
    const guild = channel === DIRECT ? {} : { guild_id: GUILD };
    const message: KeptMessage = { id: this.id(), channel_id: channel, type: 0, content, author: ADA, timestamp: "2024-01-01T00:00:00Z", mentions: [], attachments: [], ...more };
    const tell = () => {
      this.messages.push(message);
      this.event("MESSAGE_CREATE", { ...message, ...guild });
    };
    if (this.sessions.size === 0) this.#early.push(tell);
    else tell();
    return message.id;
  }

  sent(): readonly string[] {
    return this.messages.filter((one) => one.author === ME).map((one) => one.content);
  }

  answer(request: FakeRequest): Response | Promise<Response> {
    const path = request.url.pathname.replace("/api/v10", "");
    const route = `${request.method} ${path.replace(/\/\d{3,}/g, "/:id")}`;
    const body = request.body.startsWith("{") ? request.json() : undefined;
    this.calls.push({ route, body, headers: request.headers, text: request.body });
    const instead = this.override?.(request, route);
    if (instead !== undefined) return instead;
    const open = /^\/(interactions|webhooks)/.test(path);
    if (!open && request.headers["authorization"] !== `Bot ${TOKEN}`) return this.unauthorized();
    return this.#route(request, route, path.split("/").filter(Boolean), body ?? {});
  }

  #route(request: FakeRequest, route: string, [, channel = "", , id = ""]: string[], body: Record<string, unknown>): Response {
    const message = () => this.messages.find((one) => one.id === id);
    switch (route) {
      case "GET /gateway/bot":
        return json({ url: "wss://gateway.discord.gg", shards: 1, session_start_limit: { total: 1000, remaining: this.remaining, reset_after: 3_600_000, max_concurrency: 1 } });
      case "GET /users/@me":
        return json(ME);
      case "GET /applications/@me":
        return json({ id: ME.id, name: "Kata", flags: this.flags, bot_public: false });
      case "GET /applications/:id/commands":
        return json([]);
      case "GET /users/@me/guilds":
        return json([{ id: GUILD, name: "Home", permissions: "274878008384" }]);
      case "GET /channels/:id":
        if (channel === DIRECT) return json({ id: DIRECT, type: 1, recipients: [ADA] });
        return json({ id: channel, type: 0, guild_id: GUILD, name: "general" });
      case "GET /guilds/:id":
        return json({ id: GUILD, name: "Home", roles: [] });
      case "GET /guilds/:id/channels":
        return json([{ id: GENERAL, type: 0, guild_id: GUILD, name: "general" }]);
      case "GET /channels/:id/messages": {
        const after = BigInt(request.url.searchParams.get("after") ?? "0");
        const limit = Number(request.url.searchParams.get("limit"));
        const found = this.messages.filter((one) => one.channel_id === channel && BigInt(one.id) > after);
        return json(found.slice(0, limit).reverse());
      }
      case "GET /channels/:id/messages/:id":
        return json(message());
      case "POST /channels/:id/messages": {
        const fields = body["content"] === undefined ? (JSON.parse(/\r\n\r\n(\{.*\})\r\n/.exec(request.body)?.[1] ?? "{}") as Record<string, unknown>) : body;
        const had = this.messages.find((one) => one.nonce !== undefined && one.nonce === fields["nonce"] && one.channel_id === channel);
        if (had !== undefined) return json(had);
        const made: KeptMessage = { ...fields, id: this.id(), channel_id: channel, content: String(fields["content"] ?? ""), author: ME };
        this.messages.push(made);
        this.event("MESSAGE_CREATE", made);
        return json(made);
      }
      case "PATCH /channels/:id/messages/:id": {
        const found = message();
        if (found === undefined) return json({ code: 10008, message: "Unknown Message" }, 404);
        return json(Object.assign(found, body));
      }
      case "DELETE /channels/:id/messages/:id": {
        const found = message();
        if (found === undefined) return json({ code: 10008, message: "Unknown Message" }, 404);
        this.messages.splice(this.messages.indexOf(found), 1);
        return new Response(null, { status: 204 });
      }
      default:
        return request.method === "GET" ? json({ message: "404: Not Found", code: 0 }, 404) : new Response(null, { status: 204 });
    }
  }

  tooFast(): Response {
    return json({ message: "You are being rate limited.", retry_after: 20.5, global: false }, 429, { "retry-after": "21" });
  }

  unauthorized(): Response {
    return json({ message: "401: Unauthorized", code: 0 }, 401);
  }
}
