/**
 * Keeps the bot connected: opens sockets, drives `link.ts` over them, deals with events one after the other, and says how it
 * stands. An event counts as taken only when the host has what it led to; the session then goes on from there, also after a
 * restart. Where a session is lost, `events.ts` reads the history.
 */

import type { ConnectContext, StatusReport } from "@kata-agents/plugin-sdk";
import { type Identifies, identified, readIdentifies, waitToIdentify } from "./budget.ts";
import { digest } from "./digest.ts";
import { Events, NotStored } from "./events.ts";
import { interact, registerCommands } from "./interactions.ts";
import { Ledger, type SignedIn } from "./ledger.ts";
import { type Act, type Ending, Link, type Session } from "./link.ts";
import { AppFlag, CLOSE_TO_RESUME, INTENT_OFF, intentsFor, TOKEN_MISSING, TOKEN_REFUSED, verdictOf } from "./protocol.ts";
import { ApiError, NetworkError, pause, type Rest, text } from "./rest.ts";
import type { Application, GatewayInfo, Interaction } from "./types.ts";
import type { World } from "./world.ts";

/** Longest wait before the next connection. */
const BACKOFF_MAX_MS = 30_000;
/** A connection that held this long makes up for failures before it. */
const STEADY_MS = 30_000;
/** Events that may wait; with more of them the connection is given up and resumed, so that none is lost. */
const MAX_WAITING = 5_000;
/** Interactions that may be dealt with at once. */
const MAX_INTERACTIONS = 16;
const TOKEN_CHECK_MS = 10_000;
const INTENT_CHECK_MS = 30_000;
const BEHIND_MS = 30_000;
/** How often an event is tried when Discord does not answer a question about it, before it is taken without the answer. */
const LOOKUP_TRIES = 4;

/** What the connection shares with the other parts of the plugin. */
export interface Shared {
  rest(token: string): Rest;
  world: World;
  /** Called by a send that met 401, so that the state is right at once. */
  onRefused: ((token: string) => void) | undefined;
  /** The bot's own id, once known. */
  me: string | undefined;
}

/** Runs until `ctx.signal` is aborted. */
export async function listen(ctx: ConnectContext, shared: Shared, random: () => number = Math.random): Promise<void> {
  let stopped: { token: string; report: StatusReport } | undefined;
  while (!ctx.signal.aborted) {
    const token = (await ctx.secrets.get("botToken"))?.trim();
    if (!token || token === stopped?.token) {
      ctx.status(token && stopped ? stopped.report : TOKEN_MISSING);
      await pause(TOKEN_CHECK_MS, ctx.signal);
      continue;
    }
    const report = await new Listener(ctx, shared, shared.rest(token), token, random).run();
    stopped = report === undefined ? undefined : { token, report };
  }
}

/** What is thrown where only a person can help. */
class Stop extends Error {
  readonly report: StatusReport;
  constructor(report: StatusReport) {
    super(report.code ?? report.state);
    this.report = report;
  }
}

interface Waiting {
  type: string;
  data: unknown;
  seq: number;
  session: Session | undefined;
}

type Over = { closed: number } | { ending: Ending } | { stop: StatusReport } | { aborted: true };

/** The life of one token: ends when it is refused or the channel is brought down. */
class Listener {
  readonly #ctx: ConnectContext;
  readonly #shared: Shared;
  readonly #rest: Rest;
  readonly #token: string;
  readonly #random: () => number;
  readonly #ledger: Ledger;
  readonly #events: Events;
  readonly #queue: Waiting[] = [];
  #working = false;
  #interactions = 0;
  #failures = 0;
  #registered = false;
  /** Ends the connection from outside. */
  #finish: (over: Over) => void = () => {};

  constructor(ctx: ConnectContext, shared: Shared, rest: Rest, token: string, random: () => number) {
    this.#ctx = ctx;
    this.#shared = shared;
    this.#rest = rest;
    this.#token = token;
    this.#random = random;
    this.#ledger = new Ledger(ctx.state, (error) => ctx.logger.warn(`the place could not be written down: ${text(error)}`));
    this.#events = new Events(ctx, rest, shared.world, this.#ledger, { id: "", name: "" });
  }

  /** Gives what a person has to do, or nothing when the channel is brought down or the token was changed. */
  async run(): Promise<StatusReport | undefined> {
    const { signal } = this.#ctx;
    this.#ctx.status({ state: "connecting" });
    this.#shared.onRefused = (token) => void (token === this.#rest.token && this.#finish({ stop: TOKEN_REFUSED }));
    await this.#ledger.load(digest(this.#rest.token));
    if (this.#ledger.who !== undefined) this.#iAm(this.#ledger.who);
    const behind = setInterval(() => this.#wait({ type: BEHIND, data: null, seq: 0, session: undefined }), BEHIND_MS);
    try {
      while (!signal.aborted) {
        if ((await this.#ctx.secrets.get("botToken"))?.trim() !== this.#token) return undefined;
        const url = await this.#address();
        if (url === undefined) return undefined;
        const began = Date.now();
        const { over, up } = await this.#connection(url);
        if ("aborted" in over || signal.aborted) return undefined;
        if (up && Date.now() - began >= STEADY_MS) this.#failures = 0;
        await this.#after(over);
      }
      return undefined;
    } catch (error) {
      if (error instanceof Stop) return error.report;
      throw error;
    } finally {
      clearInterval(behind);
      this.#queue.length = 0;
      this.#shared.onRefused = undefined;
      await this.#ledger.flush();
    }
  }

  /** What the end of a connection leads to; returns when the next one may begin. */
  async #after(over: Exclude<Over, { aborted: true }>): Promise<void> {
    if ("stop" in over) throw new Stop(over.stop);
    let wait = 0;
    let why: string;
    if ("ending" in over) {
      ({ waitMs: wait, why } = over.ending);
      if (!over.ending.resume) this.#ledger.keep(undefined);
    } else {
      const verdict = verdictOf(over.closed);
      why = `closed with ${over.closed}`;
      if (verdict.then === "identify") this.#ledger.keep(undefined);
      if (verdict.then === "person") {
        this.#ledger.keep(undefined);
        if (verdict.report !== INTENT_OFF) throw new Stop(verdict.report);
        return this.#untilIntent();
      }
    }
    const growing = this.#failures === 0 ? this.#random() * 500 : Math.min(1_000 * 2 ** (this.#failures - 1), BACKOFF_MAX_MS) * (0.5 + this.#random() / 2);
    this.#failures += 1;
    const ms = Math.floor(Math.max(wait, growing));
    if (this.#failures > 1) {
      this.#ctx.status({ state: "degraded", code: "reconnecting", message: `The connection to Discord broke off (${why}); trying again.` });
    }
    this.#ctx.logger.info(`${why}; next connection in ${Math.round(ms / 100) / 10} s`);
    await pause(ms, this.#ctx.signal);
  }

  /** Waits for a person to switch the intent on at Discord. */
  async #untilIntent(): Promise<void> {
    this.#ctx.status(INTENT_OFF);
    for (;;) {
      await pause(INTENT_CHECK_MS, this.#ctx.signal);
      if (this.#ctx.signal.aborted || (await this.#ctx.secrets.get("botToken"))?.trim() !== this.#token) return;
      const app = await this.#rest.get<Application>("/applications/@me", { signal: this.#ctx.signal }).catch(() => undefined);
      if (((app?.flags ?? 0) & AppFlag.messageContent) !== 0) return;
    }
  }

  /** Where to connect: the session's own address, or what Discord names; waits out trouble and the budget of identifies. */
  async #address(): Promise<string | undefined> {
    const { signal } = this.#ctx;
    for (let tried = 0; !signal.aborted; tried += 1) {
      const session = this.#ledger.session;
      // A session's own address that does not work is given up for the general one, with the same session.
      if (session !== undefined && this.#failures < 3) return session.resumeUrl;
      try {
        const info = await this.#rest.get<GatewayInfo>("/gateway/bot", { signal, timeoutMs: 15_000 });
        if (session !== undefined) return info.url;
        const had = readIdentifies(await this.#ctx.state.get("identifies"));
        const { ms, spent } = waitToIdentify(had, info.session_start_limit ?? {}, Date.now());
        if (spent) {
          const until = new Date(Date.now() + ms).toISOString().slice(0, 16).replace("T", " ");
          const message = `This bot has signed in to Discord too often in the last 24 hours (is another program using it?). It goes on at ${until} UTC.`;
          this.#ctx.status({ state: "degraded", code: "identify_budget", message });
          await pause(Math.min(ms, 600_000), signal);
          continue;
        }
        await pause(ms, signal);
        const next: Identifies = identified(had, Date.now());
        await this.#ctx.state.set("identifies", next);
        return info.url;
      } catch (error) {
        if (signal.aborted) return undefined;
        await this.#trouble(error, tried);
      }
    }
    return undefined;
  }

  async #trouble(error: unknown, tried: number): Promise<void> {
    if (error instanceof ApiError && error.status === 401) throw new Stop(TOKEN_REFUSED);
    const growing = Math.min(500 * 2 ** tried, BACKOFF_MAX_MS);
    const ms = (error instanceof ApiError ? error.retryAfterMs : undefined) ?? growing;
    const limited = error instanceof ApiError && error.status === 429;
    this.#ctx.status({
      state: "degraded",
      code: limited ? "rate_limited" : "unreachable",
      message: limited ? `Discord asks to wait ${Math.ceil(ms / 1_000)} s.` : `Discord does not answer (${text(error)}); trying again.`,
    });
    await pause(ms, this.#ctx.signal);
  }

  #connection(url: string): Promise<{ over: Over; up: boolean }> {
    const { signal } = this.#ctx;
    const reads = this.#ctx.config["reads"] === "addressed" ? "addressed" : "all";
    const link = new Link({ token: this.#rest.token, intents: intentsFor(reads) }, this.#ledger.session, this.#random, Date.now());
    return new Promise((resolve) => {
      let timer: ReturnType<typeof setTimeout> | undefined;
      let done = false;
      let socket: WebSocket | undefined;
      const aborted = () => finish({ aborted: true });
      const finish = (over: Over) => {
        if (done) return;
        done = true;
        clearTimeout(timer);
        signal.removeEventListener("abort", aborted);
        // What was not dealt with comes again: the session stands where it stands.
        this.#queue.length = 0;
        try {
          socket?.close(CLOSE_TO_RESUME);
        } catch (error) {
          this.#ctx.logger.debug(`closing: ${text(error)}`);
        }
        resolve({ over, up: link.up });
      };
      this.#finish = finish;
      const perform = (acts: Act[]) => {
        for (const act of acts) {
          if (done) return;
          if (act.do === "end") finish({ ending: act.ending });
          else if (act.do === "send") socket?.send(act.text);
          else this.#arrived(act, link);
        }
        clearTimeout(timer);
        const at = link.wakeAt;
        if (at !== undefined && !done) timer = setTimeout(() => perform(link.tick(Date.now())), Math.max(0, at - Date.now()));
      };
      signal.addEventListener("abort", aborted);
      if (signal.aborted) return aborted();
      try {
        const address = new URL(url);
        address.search = "?v=10&encoding=json";
        socket = new WebSocket(address.href);
      } catch (error) {
        return finish({ ending: { resume: true, waitMs: 0, why: text(error) } });
      }
      socket.onmessage = (event: MessageEvent) => {
        if (typeof event.data === "string") perform(link.receive(event.data, Date.now()));
      };
      socket.onclose = (event: CloseEvent) => finish({ closed: event.code });
      perform([]);
    });
  }

  #arrived(act: Extract<Act, { do: "dispatch" }>, link: Link): void {
    if (act.type === "INTERACTION_CREATE") this.#interaction(act.data as Interaction);
    this.#wait({ type: act.type, data: act.type === "INTERACTION_CREATE" ? null : act.data, seq: act.seq, session: link.session });
  }

  #wait(item: Waiting): void {
    if (this.#queue.length >= MAX_WAITING) {
      return this.#finish({ ending: { resume: true, waitMs: 1_000, why: `more than ${MAX_WAITING} events wait` } });
    }
    this.#queue.push(item);
    if (!this.#working) void this.#work();
  }

  /** Interactions do not wait behind messages: Discord gives them three seconds. */
  #interaction(interaction: Interaction): void {
    if (this.#interactions >= MAX_INTERACTIONS) return this.#ctx.logger.warn("too many buttons are pressed at once; one was passed over");
    this.#interactions += 1;
    const desk = { ctx: this.#ctx, rest: this.#rest, world: this.#shared.world, me: this.#events.me };
    void interact(desk, interaction).finally(() => (this.#interactions -= 1));
  }

  /** Deals with events one after the other, as long as there are any. */
  async #work(): Promise<void> {
    this.#working = true;
    try {
      for (let item = this.#queue.shift(); item !== undefined; item = this.#queue.shift()) {
        await this.#deal(item);
        if (this.#ctx.signal.aborted) return;
        const { session, seq } = item;
        if (session === undefined || session !== this.#ledger.session) continue;
        session.seq = Math.max(session.seq, seq);
        this.#ledger.moved();
      }
    } finally {
      this.#working = false;
    }
  }

  /** One event, again and again until the host has it. */
  async #deal(item: Waiting): Promise<void> {
    for (let tried = 0; !this.#ctx.signal.aborted; tried += 1) {
      try {
        await this.#one(item);
        if (tried > 0) this.#running();
        return;
      } catch (error) {
        if (this.#ctx.signal.aborted) return;
        if (error instanceof ApiError && error.status === 401) return this.#finish({ stop: TOKEN_REFUSED });
        const stored = !(error instanceof NotStored);
        const asked = error instanceof ApiError || error instanceof NetworkError;
        if (stored && (!asked || tried >= LOOKUP_TRIES)) {
          this.#ctx.logger.error(`an event ${item.type} was passed over: ${text(error)}`);
          return;
        }
        if (!stored) {
          this.#ctx.status({ state: "degraded", code: "not_stored", message: "A message could not be stored; it is tried again." });
          this.#ctx.logger.warn(`not stored: ${text(error)}`);
        }
        const wait = error instanceof ApiError ? error.retryAfterMs : undefined;
        await pause(wait ?? Math.min(250 * 2 ** tried, 5_000), this.#ctx.signal);
      }
    }
  }

  async #one({ type, data, session }: Waiting): Promise<void> {
    if (type === BEHIND) return this.#events.again();
    if (type === "READY") return this.#ready(data as Ready, session);
    if (type === "RESUMED") return this.#running();
    const told = this.#events.contentMissing;
    await this.#events.handle(type, data);
    if (!told && this.#events.contentMissing) this.#running();
  }

  async #ready(ready: Ready, session: Session | undefined): Promise<void> {
    const { user, application } = ready;
    const who: SignedIn = {
      token: digest(this.#rest.token),
      user: user.id,
      name: user.global_name || user.username,
      application: application?.id ?? user.id,
    };
    this.#ledger.signedIn(who);
    this.#iAm(who);
    this.#running();
    // Only what was read from the history makes the new session the one to go on with.
    await this.#events.directs();
    this.#ledger.keep(session);
    await this.#commands(who.application);
  }

  #iAm(who: SignedIn): void {
    this.#events.me = { id: who.user, name: who.name };
    this.#shared.me = who.user;
  }

  #running(): void {
    if (!this.#events.contentMissing || this.#ctx.config["reads"] === "addressed") return this.#ctx.status({ state: "running" });
    const message =
      "Discord gives this bot messages without their text. Switch on “Message Content Intent” (discord.com/developers/applications → your application → Bot), or mention the bot.";
    this.#ctx.status({ state: "degraded", code: "message_content_missing", message });
  }

  async #commands(application: string): Promise<void> {
    if (this.#registered || this.#ctx.config["slashCommands"] === false) return;
    this.#registered = true;
    try {
      await registerCommands(this.#rest, application, this.#ctx.signal);
    } catch (error) {
      this.#ctx.logger.warn(`slash commands could not be registered: ${text(error)}`);
    }
  }
}

/** Not an event of Discord's: time to read the history of channels where that failed. */
const BEHIND = "kata:behind";

interface Ready {
  user: { id: string; username: string; global_name?: string | null };
  application?: { id: string };
}
