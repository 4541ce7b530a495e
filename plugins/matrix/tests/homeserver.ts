/**
 * A homeserver in memory, as much of it as the plugin asks for: for time and faults that a real one does not give. What it
 * says is judged elsewhere: `cargo xtask peers matrix` runs the plugin against Synapse.
 */

import { type FakeRequest, json } from "@kata-agents/plugin-sdk/testing";

export const ME = "@kata:example.org";
export const ANN = "@ann:example.org";
export const TOKEN = "syt_token_of_the_test";
export const ROOM = "!room";

export interface Stored {
  room: string;
  event: Record<string, unknown> & { event_id: string };
}

interface Wake {
  (): void;
}

export class Homeserver {
  /** The whole stream; a token `s5` stands after the fifth. */
  readonly stream: Stored[] = [];
  /** What the bot wrote, in order, each transaction once. */
  readonly written: Record<string, unknown>[] = [];
  /** Paths that were asked for, without the API's prefix. */
  readonly asked: string[] = [];
  /** Tokens that hold. */
  readonly tokens = new Set([TOKEN]);
  readonly invites = new Map<string, { inviter: string; direct: boolean; at: number }>();
  readonly receipts: string[] = [];
  readonly joins: string[] = [];
  /** Refresh tokens and what they are worth. */
  readonly refreshes = new Map<string, { access_token: string; refresh_token: string; expires_in_ms: number }>();
  softLogout = false;
  password = "correct horse";
  /** Answers before anything else, where it gives one. */
  fault: (request: FakeRequest, path: string) => Response | Promise<Response> | undefined = () => undefined;
  members: Record<string, { display_name?: string }> = { [ME]: { display_name: "Kata" }, [ANN]: { display_name: "Ann" } };
  /** Where each room's members joined, for rooms the bot is in from the start. */
  readonly joinedAt = new Map<string, number>([[ROOM, 0]]);
  encrypted = new Set<string>();
  #last = 0;
  readonly #transactions = new Map<string, string>();
  readonly #waiting = new Set<Wake>();

  /** Somebody does something in a room. */
  post(type: string, content: unknown, more: Partial<{ room: string; sender: string; redacts: string; state_key: string; at: number; unsigned: unknown }> = {}): string {
    this.#last += 1;
    const { room = ROOM, sender = ANN, at = Date.now(), ...rest } = more;
    const event = { event_id: `$e${this.#last}`, type, sender, content, origin_server_ts: at, ...rest };
    this.stream.push({ room, event });
    for (const wake of [...this.#waiting]) wake();
    return event.event_id;
  }

  say(body: string, more: Parameters<Homeserver["post"]>[2] & { relates?: unknown; msgtype?: string } = {}): string {
    const { relates, msgtype = "m.text", ...rest } = more;
    return this.post("m.room.message", { msgtype, body, ...(relates === undefined ? {} : { "m.relates_to": relates }) }, rest);
  }

  invite(room: string, inviter = ANN, direct = true): void {
    this.post("m.room.member", { membership: "invite", is_direct: direct }, { room, sender: inviter, state_key: ME });
    this.invites.set(room, { inviter, direct, at: this.stream.length });
    for (const wake of [...this.#waiting]) wake();
  }

  get bodies(): string[] {
    return this.written.map((content) => String(content["body"] ?? ""));
  }

  answer = async (request: FakeRequest): Promise<Response> => {
    const { pathname } = request.url;
    const path = pathname.replace(/^\/_matrix\/client\/v[13]/, "").replace(/^\/_matrix\/client/, "");
    this.asked.push(`${request.method} ${decodeURIComponent(path)}`);
    const fault = this.fault(request, path);
    if (fault !== undefined) return fault;
    const open = this.#open(request, path);
    if (open !== undefined) return open;
    const token = request.headers["authorization"]?.replace("Bearer ", "") ?? "";
    if (!this.tokens.has(token)) return json({ errcode: "M_UNKNOWN_TOKEN", error: "Unrecognised access token", soft_logout: this.softLogout }, 401);
    return this.#known(request, path);
  };

  #open(request: FakeRequest, path: string): Response | undefined {
    switch (path) {
      case "/.well-known/matrix/client":
        return json({ errcode: "M_NOT_FOUND" }, 404);
      case "/versions":
        return json({ versions: ["v1.1", "v1.11", "v1.15"] });
      case "/login":
        return request.method === "GET" ? json({ flows: [{ type: "m.login.password" }, { type: "m.login.sso" }] }) : this.#login(request.json());
      case "/refresh": {
        const next = this.refreshes.get(String(request.json()["refresh_token"]));
        if (next === undefined) return json({ errcode: "M_UNKNOWN_TOKEN", error: "invalid refresh token" }, 401);
        this.tokens.clear();
        this.tokens.add(next.access_token);
        return json(next);
      }
      default:
        return undefined;
    }
  }

  #login(body: Record<string, unknown>): Response {
    const good = body["password"] === this.password || body["token"] === "login-token";
    if (!good) return json({ errcode: "M_FORBIDDEN", error: "Invalid username or password" }, 403);
    const token = `syt_${this.tokens.size}_${this.asked.length}`;
    this.tokens.add(token);
    return json({ user_id: ME, access_token: token, device_id: body["device_id"] ?? "DEVICE" });
  }

  async #known(request: FakeRequest, path: string): Promise<Response> {
    const at = path.split("/").slice(1).map(decodeURIComponent);
    if (path === "/account/whoami") return json({ user_id: ME, device_id: "DEVICE" });
    if (path === "/logout") return this.tokens.clear(), json({});
    if (path === "/sync") return this.#sync(request.url.searchParams);
    if (path === "/joined_rooms") return json({ joined_rooms: [...this.joinedAt.keys()] });
    if (at[0] === "join") return this.#join(at[1] ?? "");
    if (at[0] === "user") return json({});
    if (at[0] === "profile") return json({ displayname: "Kata" });
    if (at[0] !== "rooms") return json({ errcode: "M_UNRECOGNIZED", error: path }, 404);
    return this.#room(request, at[1] ?? "", at.slice(2));
  }

  #join(room: string): Response {
    this.joins.push(room);
    if (!this.invites.delete(room)) return json({ errcode: "M_FORBIDDEN", error: "not invited" }, 403);
    this.joinedAt.set(room, this.stream.length + 1);
    this.post("m.room.member", { membership: "join" }, { room, sender: ME, state_key: ME, unsigned: { prev_content: { membership: "invite", is_direct: true } } });
    return json({ room_id: room });
  }

  #room(request: FakeRequest, room: string, rest: string[]): Response {
    const [what, ...more] = rest;
    switch (what) {
      case "send":
        return this.#send(room, more[0] ?? "", more[1] ?? "", request.json());
      case "redact":
        this.written.push({ redacts: more[0] });
        return json({ event_id: this.post("m.room.redaction", {}, { room, sender: ME, redacts: more[0] ?? "" }) });
      case "receipt":
        return this.receipts.push(more[1] ?? ""), json({});
      case "typing":
        return json({});
      case "joined_members":
        return json({ joined: this.members });
      case "messages":
        return this.#messages(room, request.url.searchParams);
      case "event": {
        const found = this.stream.find(({ event }) => event.event_id === more[0]);
        return found === undefined ? json({ errcode: "M_NOT_FOUND" }, 404) : json(found.event);
      }
      case "state": {
        if (more[0] === "m.room.encryption" && this.encrypted.has(room)) return json({ algorithm: "m.megolm.v1.aes-sha2" });
        const member = more[0] === "m.room.member" ? this.members[more[1] ?? ""] : undefined;
        return member === undefined ? json({ errcode: "M_NOT_FOUND" }, 404) : json({ membership: "join", displayname: member.display_name });
      }
      case "relations":
        return json({ chunk: this.stream.map(({ event }) => event).filter((event) => event["type"] === "m.reaction") });
      default:
        return json({ errcode: "M_UNRECOGNIZED" }, 404);
    }
  }

  #send(room: string, type: string, txn: string, content: Record<string, unknown>): Response {
    const had = this.#transactions.get(txn);
    if (had !== undefined) return json({ event_id: had });
    this.written.push(content);
    const id = this.post(type, content, { room, sender: ME });
    this.#transactions.set(txn, id);
    return json({ event_id: id });
  }

  async #sync(query: URLSearchParams): Promise<Response> {
    const since = query.get("since");
    const from = since === null ? 0 : Number(since.slice(1));
    const fresh = () => this.stream.slice(from).some(({ room }) => this.joinedAt.has(room)) || [...this.invites.values()].some((invite) => invite.at > from);
    if (since !== null && !fresh()) await this.#news(Number(query.get("timeout")));
    const limit = Number((JSON.parse(query.get("filter") ?? "{}") as { room?: { timeline?: { limit?: number } } }).room?.timeline?.limit ?? 10);
    return json(this.batch(from, since === null, limit));
  }

  #news(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#waiting.add(done);
    });
  }

  batch(from: number, initial: boolean, limit: number): Record<string, unknown> {
    const join: Record<string, unknown> = {};
    for (const [room, joined] of this.joinedAt) {
      const fresh = joined > from && !initial;
      const all = this.stream.map((stored, index) => ({ ...stored, at: index + 1 })).filter((one) => one.room === room && (one.at > from || fresh));
      if (all.length === 0 && !initial) continue;
      const shown = all.slice(-limit);
      const state = initial && this.encrypted.has(room) ? [{ event_id: "$enc", type: "m.room.encryption", sender: ANN, state_key: "", content: { algorithm: "m.megolm.v1.aes-sha2" } }] : [];
      join[room] = {
        summary: initial || fresh ? { "m.joined_member_count": 2, "m.invited_member_count": 0, "m.heroes": [ANN] } : {},
        state: { events: state },
        timeline: { events: shown.map(({ event }) => event), limited: all.length > shown.length, prev_batch: `t${(shown[0]?.at ?? this.stream.length + 1) - 1}` },
      };
    }
    const invite = Object.fromEntries(
      [...this.invites].filter(([, { at }]) => at > from || initial).map(([room, { inviter, direct }]) => {
        const own = { type: "m.room.member", sender: inviter, state_key: ME, content: { membership: "invite", is_direct: direct } };
        return [room, { invite_state: { events: [own] } }];
      }),
    );
    return { next_batch: `s${this.stream.length}`, rooms: { join, invite } };
  }

  #messages(room: string, query: URLSearchParams): Response {
    const [from, to] = [Number(query.get("from")?.slice(1)), Number(query.get("to")?.slice(1) ?? 0)];
    const limit = Number(query.get("limit"));
    const all = this.stream.map((stored, index) => ({ ...stored, at: index + 1 })).filter((one) => one.room === room && one.at <= from && one.at > to);
    const page = all.slice(-limit).reverse();
    const oldest = page.at(-1)?.at ?? 0;
    return json({ chunk: page.map(({ event }) => event), start: `t${from}`, ...(all.length > page.length ? { end: `t${oldest - 1}` } : {}) });
  }
}
