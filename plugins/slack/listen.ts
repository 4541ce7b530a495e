/**
 * Keeps one line to Slack open for as long as the channel is connected: opens the next before it closes the last where Slack
 * asks for that, waits longer after each failure, and asks a person where a token is refused. What comes in is `intake.ts`'s;
 * what was missed, `catchup.ts`'s.
 */

import type { ConnectContext, StatusReport } from "@kata-agents/plugin-sdk";
import { backoff, messageOf, systemClock } from "@kata-agents/plugin-sdk/sending";
import { passes, refusesToken, type SlackApi, SlackError } from "./api.ts";
import type { Identity } from "./inbound.ts";
import type { Intake } from "./intake.ts";
import type { Fields } from "./json.ts";
import { type Hello, Line } from "./line.ts";
import type { Journal } from "./memory.ts";
import { APP_SCOPE } from "./scopes.ts";

/** A line that stood this long was a good one: what comes after its end is a first failure. */
const GOOD_MS = 60_000;
/** Failures in a row after which it is called a storm, and tried less often. */
const STORM = 8;
const STORM_WAIT_MS = 60_000;
/** How often it is written down until when everything was heard: while there is talk, and while there is none. */
const JOURNAL_MS = 60_000;
const JOURNAL_IDLE_MS = 600_000;
/** How long live messages wait for those that were missed before them. */
const CATCH_UP_FIRST_MS = 20_000;
/** How long a line goes on after the next one stands. */
const RETIRE_MS = 1_000;
/** Where Slack counts more lines than ours, one may be dead and still be given messages: looked for after this long. */
const GHOST_MS = 30_000;

/** Why listening ended, other than by the host. */
export type Refusal = { token: "bot" | "app"; report: StatusReport };

export interface ListenOptions {
  ctx: ConnectContext;
  /** With the app-level token. */
  app: SlackApi;
  me: Identity;
  intake: Intake;
  journal: Journal;
  random: () => number;
  /** Reads what was missed since then. */
  catchUp(heardUntil: number): Promise<number>;
  /** Resolves when a token turned out to be refused elsewhere. */
  refused: Promise<Refusal>;
}

/** Runs until the host or a refused token ends it. */
export async function listen(options: ListenOptions): Promise<Refusal | undefined> {
  const listener = new Listener(options);
  try {
    return await listener.run();
  } finally {
    await listener.end();
  }
}

class Listener {
  readonly #options: ListenOptions;
  readonly #waits;
  #line: Line | undefined;
  readonly #retired = new Set<Line>();
  #refusal: Refusal | undefined;
  /** Something may have been missed: read the history when a line stands again. */
  #missed = false;
  /** How often the history is being read at present. */
  #reading = 0;
  #ghosts = false;
  /** The last line was to be renewed before it was a good one. */
  #hurried = false;
  #journalTimer: ReturnType<typeof setInterval> | undefined;
  readonly #stopped: Promise<void>;

  constructor(options: ListenOptions) {
    this.#options = options;
    this.#waits = backoff(options.random, { firstMs: 1_000, maxMs: 30_000 });
    const { signal } = options.ctx;
    this.#stopped = new Promise((resolve) => (signal.aborted ? resolve() : signal.addEventListener("abort", () => resolve(), { once: true })));
    options.intake.missed = () => this.#catchUp();
    void options.refused.then((refusal) => (this.#refusal ??= refusal));
  }

  async run(): Promise<Refusal | undefined> {
    const { ctx, journal, me } = this.#options;
    this.#missed = journal.heardUntil !== undefined;
    if (journal.heardUntil === undefined) {
      journal.heardUntil = Date.now();
      await journal.save(me.account);
    }
    this.#journalTimer = setInterval(() => {
      if (journal.changed || Date.now() - journal.written >= JOURNAL_IDLE_MS) void this.#write();
    }, JOURNAL_MS);
    while (!this.#ended) {
      try {
        await this.#open();
        await this.#stay();
      } catch (error) {
        if (this.#ended) break;
        this.#refusal ??= refusalOf(error);
        if (this.#refusal === undefined) await this.#wait(error);
      }
    }
    if (this.#refusal !== undefined) ctx.status(this.#refusal.report);
    return this.#refusal;
  }

  async end(): Promise<void> {
    clearInterval(this.#journalTimer);
    await this.#write();
    for (const line of this.#retired) line.close();
    this.#line?.close();
  }

  get #ended(): boolean {
    return this.#options.ctx.signal.aborted || this.#refusal !== undefined;
  }

  /** Opens a line and, when it stands, closes the one before. */
  async #open(): Promise<void> {
    const { ctx, app } = this.#options;
    if (this.#line?.open !== true) {
      this.#line = undefined;
      if (this.#waits.failures === 0) ctx.status({ state: "connecting" });
    }
    const answer = await app.call("apps.connections.open", {}, { signal: ctx.signal });
    if (this.#ended) return;
    const next = new Line(String(answer["url"]), { envelope: (envelope, line) => this.#envelope(envelope, line) });
    let hello: Hello;
    try {
      const said = await Promise.race([next.hello, this.#stopped, this.#options.refused]);
      if (said === undefined || "token" in said) return next.close();
      hello = said;
    } catch (error) {
      next.close();
      throw error;
    }
    const before = this.#line;
    this.#line = next;
    if (before !== undefined) this.#retire(before);
    if (!this.#options.intake.notStored) ctx.status({ state: "running" });
    if (this.#missed) this.#catchUp();
    const ours = before === undefined ? 1 : 2;
    if (hello.connections !== undefined && hello.connections > ours && !this.#ghosts) this.#lookForGhosts(hello.connections - ours);
    if (hello.lastsMs !== undefined) this.#renew(next, hello.lastsMs);
  }

  /** Waits until the line is over, or about to be. */
  async #stay(): Promise<void> {
    const line = this.#line;
    if (line === undefined || this.#ended) return;
    const since = Date.now();
    const over = await Promise.race([line.over, this.#stopped, this.#options.refused]);
    if (over === undefined || "token" in over) return;
    const good = Date.now() - since >= GOOD_MS;
    if (good) this.#waits.reset();
    if (over.kind === "disabled") {
      const message = "Socket Mode is switched off for the app. Switch it on at api.slack.com/apps, under “Socket Mode”.";
      this.#refusal ??= { token: "app", report: needs("socket_mode_off", message, "appToken") };
    } else if (over.kind === "closed") {
      this.#missed = true;
      throw new Error(over.why);
    } else {
      // Asked for a new line right after the last, once more: that may go on for ever.
      const again = this.#hurried && !good;
      this.#hurried = !good;
      if (again) throw new Error("Slack asks for a new socket again and again");
    }
  }

  async #wait(error: unknown): Promise<void> {
    const { ctx } = this.#options;
    const asked = error instanceof SlackError ? error.retryAfterMs : undefined;
    const storm = this.#waits.failures >= STORM;
    const ms = this.#waits.next(Math.max(asked ?? 0, storm ? STORM_WAIT_MS * (0.5 + this.#options.random() / 2) : 0));
    const why = messageOf(error).replace(/[.\s]+$/, "");
    if (this.#line?.open !== true) {
      this.#missed = true;
      const report = storm
        ? { code: "reconnect_storm", message: `The connection to Slack keeps breaking (${why}); trying about once a minute.` }
        : asked !== undefined
          ? { code: "rate_limited", message: `Slack asks to wait ${Math.ceil(asked / 1000)} s.` }
          : { code: "unreachable", message: `Slack does not answer (${why}); trying again.` };
      ctx.status({ state: "degraded", ...report });
    }
    ctx.logger.warn(`${why}; next try in ${Math.round(ms / 100) / 10} s`);
    await Promise.race([systemClock.sleep(ms, ctx.signal), this.#options.refused]);
  }

  #envelope(envelope: Fields, line: Line): void {
    if (!this.#ended) this.#options.intake.envelope(envelope, line);
  }

  /** Reads what was missed. What is live meanwhile waits for it, for a while. */
  #catchUp(): void {
    const { ctx, intake, journal, catchUp } = this.#options;
    this.#missed = false;
    this.#reading += 1;
    const from = journal.heardUntil ?? Date.now();
    const reading = catchUp(from)
      .then(
        (count) => ctx.logger.info(`read ${count} messages of the history, for some may have been missed`),
        (error: unknown) => {
          this.#missed = true;
          ctx.logger.warn(`catching up: ${messageOf(error)}`);
        },
      )
      .finally(() => (this.#reading -= 1));
    intake.holdUntil(Promise.race([reading, systemClock.sleep(CATCH_UP_FIRST_MS, ctx.signal)]));
  }

  #lookForGhosts(others: number): void {
    const { ctx } = this.#options;
    this.#ghosts = true;
    ctx.logger.info(`Slack counts ${others} more connection(s) of this app: another program, or one that broke off and is still counted`);
    const from = Date.now();
    void systemClock.sleep(GHOST_MS, ctx.signal).then(async () => {
      this.#ghosts = false;
      if (!this.#ended && this.#line?.open === true) await this.#options.catchUp(from).catch(() => undefined);
    });
  }

  /** Closes a line whose follower stands, once what it gave could be acknowledged on it. */
  #retire(line: Line): void {
    this.#retired.add(line);
    setTimeout(() => {
      this.#retired.delete(line);
      line.close();
    }, RETIRE_MS);
  }

  /** Slack says how long a line stands, and asks for a new one before; one that it forgets is renewed all the same. */
  #renew(line: Line, lastsMs: number): void {
    const timer = setTimeout(() => line.expire(), lastsMs + 60_000);
    void Promise.race([line.over, this.#stopped]).then(() => clearTimeout(timer));
  }

  /** Writes down until when everything was heard; not while there is no line or the history is read, nor beyond what is being taken. */
  async #write(): Promise<void> {
    const { ctx, journal, intake, me } = this.#options;
    if (this.#line?.open === true && !this.#missed && this.#reading === 0) journal.heardUntil = Math.min(Date.now(), intake.oldest ?? Infinity);
    await journal.save(me.account).catch((error: unknown) => ctx.logger.warn(`the time was not written down: ${messageOf(error)}`));
  }
}

/** What a person has to mend, where it is that. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (!(error instanceof SlackError) || passes(error)) return undefined;
  const app = error.method.startsWith("apps.");
  const field = app ? "appToken" : "botToken";
  const token = app ? "app" : "bot";
  if (error.error === "missing_scope") {
    const scope = error.needed ?? (app ? APP_SCOPE : "unknown");
    return { token, report: needs("missing_scope", `The ${app ? "app-level" : "bot"} token lacks the scope “${scope}”. Add it at api.slack.com/apps, install the app again and paste the new token.`, field) };
  }
  if (refusesToken(error) || app) return { token, report: needs(error.error, `${sentence(error.error, app)} Paste a new one.`, field) };
  return undefined;
}

function sentence(error: string, app: boolean): string {
  const which = app ? "app-level token" : "bot token";
  switch (error) {
    case "token_revoked":
      return `The ${which} was revoked.`;
    case "token_expired":
      return `The ${which} has expired.`;
    case "account_inactive":
      return `The ${which} belongs to an app or a workspace that is gone.`;
    case "not_allowed_token_type":
      return app ? "This is no app-level token: it begins with “xapp-”." : "This is no bot token: it begins with “xoxb-”.";
    default:
      return `Slack refuses the ${which} (${error}).`;
  }
}

export function needs(code: string, message: string, field: string): StatusReport {
  return { state: "needs_user", code, message, action: { kind: "configure", field } };
}
