/**
 * Reads the account's rooms by `/sync`. The place in the stream (`next_batch`) is written after every event of a batch was
 * taken by the host, and before the next is asked for: a crash at any place repeats at most what the host already knows. What
 * a sync leaves out (a limited timeline) is read back in order before its own events. The first sync of an account takes no
 * messages: what was written before the bot was there is not for it.
 *
 * Trouble that passes is waited out here, with the state shown. A session the server has ended waits for a person; the place
 * in the stream stays, so that what comes meanwhile is read after the next sign-in.
 */

import type { ConnectContext, StatusReport } from "@kata-agents/plugin-sdk";
import { systemClock } from "@kata-agents/plugin-sdk/sending";
import { type Api, MatrixError, NetworkError, part } from "./api.ts";
import { Elsewhere, NotMatrix } from "./discovery.ts";
import { eventsOf, relationOf, type RoomEvent } from "./events.ts";
import { Rooms } from "./facts.ts";
import { words } from "./failures.ts";
import { gap, TYPES } from "./history.ts";
import { refersTo, take, type View } from "./inbound.ts";
import { Invites, listAsDirect } from "./invites.ts";
import { type Fields, fields, list, number, text } from "./json.ts";
import { NotSignedIn, type Session, type SignedIn } from "./session.ts";
import { Seen } from "./seen.ts";
import { type Settings, settingsOf } from "./settings.ts";
import { tellEncrypted } from "./encrypted.ts";

const UNREACHABLE_MAX_MS = 5_000;
/** How often what a person can mend is looked at again. */
const AGAIN_MS = 10_000;
const DAY_MS = 24 * 3600 * 1000;
/** Messages of one room that are read after the program was away. */
const AWAY_MAX = 200;
/** A place in the stream younger than this is no absence: everything since is read. */
const AWAY_AFTER_MS = 15 * 60_000;
/** While running nothing is left out; this is for a server that never comes to an end. */
const LIVE_MAX = 5_000;
/** Events of one room in one answer. */
const TIMELINE = 50;

/** Where in the stream we are. */
interface Place {
  since: string;
  /** When it was reached. */
  at: number;
}

/** Runs until `ctx.signal` is aborted. */
export async function sync(ctx: ConnectContext, session: Session): Promise<void> {
  const { signal } = ctx;
  ctx.status({ state: "connecting" });
  let refused = false;
  while (!signal.aborted) {
    try {
      await session.call(ctx, (signedIn) => new Loop(ctx, session, signedIn).run());
    } catch (error) {
      if (signal.aborted) return;
      // The session knows now that it has ended, and says how it is mended.
      const told = error instanceof MatrixError && error.tokenRefused;
      if (told && !refused) {
        refused = true;
        continue;
      }
      refused = false;
      const wait = waiting(error);
      if (wait === undefined) throw error;
      ctx.status(wait);
      await session.changed(AGAIN_MS, signal);
    }
  }
}

/** The life of one sign-in: ends when it is refused, changed, or the channel is brought down. */
class Loop {
  readonly #ctx: ConnectContext;
  readonly #session: Session;
  readonly #me: string;
  #api: Api;
  readonly #settings: Settings;
  readonly #rooms: Rooms;
  readonly #invites: Invites;
  readonly #seen = new Seen();
  #place: Place | undefined;
  /** Whether this run has caught up with the stream. */
  #live = false;
  #failures = 0;
  #timeline = TIMELINE;

  constructor(ctx: ConnectContext, session: Session, { api, userId }: SignedIn) {
    this.#ctx = ctx;
    this.#session = session;
    this.#api = api;
    this.#me = userId;
    this.#settings = settingsOf(ctx);
    this.#rooms = new Rooms(ctx.state, userId);
    this.#invites = new Invites(ctx.state);
  }

  async run(): Promise<void> {
    const { signal } = this.#ctx;
    this.#place = placeOf(await this.#ctx.state.get(this.#key));
    while (!signal.aborted) {
      try {
        // The token is refreshed before its end; another account has a loop of its own.
        const { api, userId } = await this.#session.signedIn(this.#ctx);
        if (userId !== this.#me) return;
        this.#api = api;
        await this.#round();
        this.#failures = 0;
        this.#live = true;
        this.#ctx.status({ state: "running" });
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof MatrixError && error.tokenRefused) throw error;
        if (!(error instanceof MatrixError || error instanceof NetworkError || error instanceof NotStored)) throw error;
        await this.#wait(error);
      }
    }
  }

  async #round(): Promise<void> {
    const patient = this.#live && this.#failures === 0;
    const answer = await this.#ask(patient ? this.#settings.pollMs : 0);
    const next = text(answer["next_batch"]);
    if (next === undefined) throw new NetworkError("the sync names no next place", true);
    await this.#take(answer);
    await this.#stored(() => this.#rooms.flush());
    await this.#stored(() => this.#ctx.state.set(this.#key, { since: next, at: Date.now() }));
    this.#place = { since: next, at: Date.now() };
    await this.#accept();
  }

  async #ask(timeout: number): Promise<Fields> {
    const since = this.#place?.since;
    const query = { since, timeout: String(timeout), filter: filterOf(this.#timeline), set_presence: "online" };
    try {
      return await this.#api.get("/_matrix/client/v3/sync", { query, signal: this.#ctx.signal, timeoutMs: timeout + 20_000 });
    } catch (error) {
      // A batch that is too large comes in smaller ones; what they leave out is read back room by room.
      if (error instanceof NetworkError && error.tooLarge && this.#timeline > 1) this.#timeline = Math.ceil(this.#timeline / 4);
      throw error;
    }
  }

  async #take(answer: Fields): Promise<void> {
    for (const event of list(fields(answer["account_data"])["events"]).map(fields)) {
      if (event["type"] === "m.direct") await this.#stored(() => this.#rooms.takeDirects(fields(event["content"])));
    }
    const rooms = fields(answer["rooms"]);
    const left = [...Object.keys(fields(rooms["leave"])), ...Object.keys(fields(rooms["join"]))];
    await this.#stored(() => this.#invites.take(this.#me, fields(rooms["invite"]), left));
    for (const room of Object.keys(fields(rooms["leave"]))) await this.#stored(() => this.#rooms.forget(room));
    for (const [room, join] of Object.entries(fields(rooms["join"]))) await this.#room(room, fields(join));
  }

  async #room(room: string, join: Fields): Promise<void> {
    await this.#rooms.take(room, join);
    const timeline = fields(join["timeline"]);
    const events = eventsOf(timeline["events"]);
    if (this.#place === undefined) return;
    const state = eventsOf(fields(join["state"])["events"]);
    const mine = [...state, ...events].find((event) => this.#isMyJoin(event));
    const before = timeline["limited"] === true ? await this.#before(room, text(timeline["prev_batch"]), mine !== undefined, events) : [];
    let all = [...before, ...events];
    if (mine !== undefined) all = sinceInvited(all, this.#me);
    const last = new Map<string, RoomEvent>();
    for (const event of all) if (await this.#event(room, event)) last.set(relationOf(event.content).thread ?? "main", event);
    if (this.#settings.receipts) for (const [thread, event] of last) await this.#receipt(room, event.id, thread);
  }

  /** What a limited timeline left out, in order. */
  async #before(room: string, from: string | undefined, joined: boolean, known: readonly RoomEvent[]): Promise<RoomEvent[]> {
    if (from === undefined || (joined && known.some((event) => isInvite(event, this.#me)))) return [];
    const away = !this.#live && Date.now() - (this.#place?.at ?? 0) > AWAY_AFTER_MS;
    const bounds = joined || away ? { events: AWAY_MAX, notBefore: Date.now() - DAY_MS } : { events: LIVE_MAX, notBefore: 0 };
    const until = joined ? { stop: (event: RoomEvent) => isInvite(event, this.#me) } : { to: this.#place?.since };
    const found = await gap(this.#api, room, from, { ...bounds, ...until }, this.#ctx.signal);
    this.#rooms.takeMembers(room, found.members);
    if (found.cut && !joined) this.#ctx.logger.warn(`a room had more than is read after an absence (${AWAY_MAX} messages, 24 hours); what is older was left out`);
    const ids = new Set(known.map((event) => event.id));
    // The place up to which is read is a batch's, and may stand a little before this room's last event.
    return found.events.filter((event) => !ids.has(event.id));
  }

  /** Hands one event in; whether a message was admitted. */
  async #event(room: string, event: RoomEvent): Promise<boolean> {
    this.#seen.note(event);
    if (event.sender === this.#me || this.#seen.isDone(event.id) || !(TYPES as readonly string[]).includes(event.type)) return false;
    const taken = take(event, await this.#view(room, event));
    let admitted = false;
    switch (taken.kind) {
      case "draft":
        admitted = await this.#stored(async () => (await this.#ctx.receive(taken.draft)).outcome === "admitted");
        break;
      case "notice":
        await this.#stored(() => this.#ctx.notice(taken.notice));
        break;
      case "encrypted":
        await this.#stored(() => tellEncrypted(this.#ctx, this.#api, room, this.#settings));
        break;
      case "nothing":
        break;
    }
    this.#seen.done(event.id);
    return admitted;
  }

  async #view(room: string, event: RoomEvent): Promise<View> {
    const { signal } = this.#ctx;
    const facts = await this.#rooms.facts(room, this.#api, signal);
    const other = refersTo(event);
    // What was taken back holds nothing any more, so only what came by tells what a redaction means.
    const known = other === undefined || event.type === "m.room.redaction" ? this.#seen.trace(other ?? "") : await this.#seen.find(room, other, this.#api, signal);
    for (const user of [event.sender, this.#me]) await this.#rooms.nameOf(room, user, this.#api, signal);
    const [chatType, title] = [await this.#rooms.chatType(room, facts), await this.#rooms.title(room, facts, this.#api, signal)];
    return { me: this.#me, room, chatType, title, nameOf: (user) => this.#rooms.name(room, user), referred: known };
  }

  /** What the host could not take is asked for again; what it can never take is left out, and named. */
  async #stored<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof MatrixError || error instanceof NetworkError) throw error;
      const code: unknown = error instanceof Error && "code" in error ? error.code : undefined;
      if (!(error instanceof TypeError) && code !== "invalid") throw new NotStored(words(error));
      this.#ctx.logger.error(`an event cannot be handed in and is left out: ${words(error)}`);
      return undefined as T;
    }
  }

  #isMyJoin(event: RoomEvent): boolean {
    return event.type === "m.room.member" && event.stateKey === this.#me && event.content["membership"] === "join" && event.before["membership"] !== "join";
  }

  async #accept(): Promise<void> {
    const { signal } = this.#ctx;
    for (const invite of await this.#invites.settle(this.#api, this.#settings, signal)) {
      if (!invite.direct) continue;
      await this.#rooms.markDirect(invite.room);
      await this.#quietly(() => listAsDirect(this.#api, this.#me, invite, signal));
    }
  }

  async #receipt(room: string, id: string, thread: string): Promise<void> {
    const path = `/_matrix/client/v3/rooms/${part(room)}/receipt/m.read/${part(id)}`;
    await this.#quietly(() => this.#api.post(path, { thread_id: thread }, { signal: this.#ctx.signal, timeoutMs: 10_000 }));
  }

  /** What is only polite holds nothing up. */
  async #quietly(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!this.#ctx.signal.aborted) this.#ctx.logger.debug(words(error));
    }
  }

  get #key(): string {
    return `place:${this.#me}`;
  }

  async #wait(error: unknown): Promise<void> {
    this.#failures += 1;
    const { report, ms } = trouble(error, this.#failures);
    this.#ctx.status(report);
    this.#ctx.logger.warn(`${report.code}: ${words(error)}; next try in ${Math.round(ms / 100) / 10} s`);
    await systemClock.sleep(ms, this.#ctx.signal);
  }
}

/** The host could not take something in. */
class NotStored extends Error {}

/** From the bot's invitation on; without one, from where it came in. What was written before is not for it. */
export function sinceInvited(events: readonly RoomEvent[], me: string): RoomEvent[] {
  const invited = events.findLastIndex((event) => isInvite(event, me));
  if (invited >= 0) return events.slice(invited + 1);
  const joined = events.findLastIndex((event) => event.type === "m.room.member" && event.stateKey === me && event.content["membership"] === "join");
  return events.slice(joined + 1);
}

function isInvite(event: RoomEvent, me: string): boolean {
  return event.type === "m.room.member" && event.stateKey === me && event.content["membership"] === "invite";
}

function filterOf(timeline: number): string {
  const none = { types: [] };
  return JSON.stringify({
    presence: none,
    account_data: { types: ["m.direct"] },
    room: {
      account_data: none,
      ephemeral: none,
      state: { types: TYPES, lazy_load_members: true, include_redundant_members: true },
      timeline: { types: TYPES, limit: timeline, lazy_load_members: true, include_redundant_members: true },
    },
  });
}

function placeOf(value: unknown): Place | undefined {
  const { since, at } = fields(value);
  return text(since) === undefined ? undefined : { since: text(since) ?? "", at: number(at) ?? 0 };
}

type Trouble = Extract<StatusReport, { state: "degraded" }>;

function trouble(error: unknown, failures: number): { report: Trouble; ms: number } {
  const growing = Math.min(500 * 2 ** (failures - 1), UNREACHABLE_MAX_MS);
  const report = (code: string, message: string, ms: number) => ({ report: { state: "degraded", code, message } satisfies Trouble, ms });
  if (error instanceof NotStored) {
    return report("not_stored", "A message could not be stored; it stays with the server and is asked for again.", growing);
  }
  if (error instanceof MatrixError && error.tooFast) {
    const ms = error.retryAfterMs ?? 5_000;
    return report("rate_limited", `The Matrix server asks to wait ${Math.ceil(ms / 1000)} s.`, ms);
  }
  if (error instanceof MatrixError && error.status < 500) {
    return report(`http_${error.status}`, `The Matrix server refuses to give messages: ${error.reason}`, 30_000);
  }
  // Everybody who was cut off comes back at once, unless each waits a little differently.
  return report("unreachable", `The Matrix server does not answer (${words(error)}); trying again.`, Math.round(growing * (0.8 + 0.4 * Math.random())));
}

/** The state that waits for a person; nothing for what is no such thing. */
function waiting(error: unknown): StatusReport | undefined {
  if (error instanceof NotSignedIn) {
    const action = error.field === undefined ? ({ kind: "relogin" } as const) : ({ kind: "configure", field: error.field } as const);
    return { state: "needs_user", code: error.code, message: error.message, action };
  }
  if (error instanceof Elsewhere) {
    const message = `The server says that its API is at ${error.base}. Put that into “Address of the API”, if you trust it.`;
    return { state: "needs_user", code: "elsewhere", message, action: { kind: "configure", field: "homeserver" } };
  }
  if (error instanceof NotMatrix) {
    return { state: "needs_user", code: "no_matrix", message: `${capital(error.message)}.`, action: { kind: "configure", field: "server" } };
  }
  if (error instanceof MatrixError && error.tokenRefused) {
    const message = "The Matrix server has ended the session. Sign in again. Nothing is lost meanwhile.";
    return { state: "needs_user", code: "signed_out", message, action: { kind: "relogin" } };
  }
  if (error instanceof NetworkError || error instanceof MatrixError) return trouble(error, 4).report;
  return undefined;
}

function capital(sentence: string): string {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}
