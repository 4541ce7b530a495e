/** `messaging.connect`: waits for two tokens that Slack takes, then listens; begins anew when a token was refused and changed. */

import type { ConnectContext, PressAnswer } from "@kata-agents/plugin-sdk";
import { backoff, messageOf, systemClock } from "@kata-agents/plugin-sdk/sending";
import { passes, type SlackApi, SlackError } from "./api.ts";
import { catchUp } from "./catchup.ts";
import type { Identity } from "./inbound.ts";
import { Intake } from "./intake.ts";
import type { Fields } from "./json.ts";
import { listen, needs, type Refusal, refusalOf } from "./listen.ts";
import { Journal, type Places } from "./memory.ts";
import { People } from "./people.ts";
import { identify } from "./setup.ts";

/** How often a changed token is looked for. */
const TOKEN_CHECK_MS = 10_000;

/** What sending and receiving share. */
export interface Shared {
  places: Places;
  /** Set while connected: told of threads the bot writes in, and of a token that was refused. */
  takesPart: ((channel: string, thread: string) => void) | undefined;
  refused: ((refusal: Refusal) => void) | undefined;
}

export interface ConnectOptions {
  api(token: string): SlackApi;
  replyInThread: boolean;
  shared: Shared;
  random: () => number;
  answered(api: SlackApi, payload: Fields, answer: PressAnswer): Promise<void>;
}

/** Runs until `ctx.signal` is aborted. */
export async function connect(ctx: ConnectContext, options: ConnectOptions): Promise<void> {
  const refused = new Set<string>();
  while (!ctx.signal.aborted) {
    const bot = (await ctx.secrets.get("botToken"))?.trim();
    const app = (await ctx.secrets.get("appToken"))?.trim();
    if (!bot) ctx.status(needs("token_missing", "Paste the bot token, which begins with “xoxb-”.", "botToken"));
    else if (!app) ctx.status(needs("token_missing", "Paste the app-level token, which begins with “xapp-”.", "appToken"));
    else if (!refused.has(bot) && !refused.has(app)) {
      refused.clear();
      const refusal = await session(ctx, options, options.api(bot), options.api(app));
      if (refusal === undefined) continue;
      refused.add(refusal.token === "bot" ? bot : app);
      ctx.status(refusal.report);
    }
    await systemClock.sleep(TOKEN_CHECK_MS, ctx.signal);
  }
}

/** The life of two tokens. */
async function session(ctx: ConnectContext, options: ConnectOptions, api: SlackApi, app: SlackApi): Promise<Refusal | undefined> {
  ctx.status({ state: "connecting" });
  const me = await who(ctx, api, options.random);
  if (me === undefined || "token" in me) return me;
  const { shared, replyInThread, random } = options;
  const journal = new Journal(ctx.state);
  await journal.load(me.account);
  const people = new People(api);
  const how = { replyInThread, takesPart: (channel: string, thread: string) => journal.isPart(channel, thread) };
  let refuse: (refusal: Refusal) => void = () => {};
  const refused = new Promise<Refusal>((resolve) => (refuse = resolve));
  shared.takesPart = (channel, thread) => {
    if (journal.takesPart(channel, thread)) void journal.save(me.account).catch((error: unknown) => ctx.logger.warn(`a thread was not written down: ${messageOf(error)}`));
  };
  shared.refused = (refusal) => refuse(refusal);
  const gone = (why: "token_revoked" | "app_uninstalled") => {
    const message = why === "app_uninstalled" ? "The app was removed from the workspace. Install it again and paste the new bot token." : "The bot token was revoked. Paste a new one.";
    refuse({ token: "bot", report: needs(why, message, "botToken") });
  };
  const answered = (payload: Fields, answer: PressAnswer) => options.answered(api, payload, answer);
  const intake = new Intake({ ctx, me, people, journal, places: shared.places, replyInThread, random, gone, answered });
  const read = (from: number) => catchUp({ ctx, api, me, journal, how, hand: (draft) => intake.message(draft) }, from);
  try {
    return await listen({ ctx, app, me, intake, journal, random, refused, catchUp: read });
  } finally {
    shared.takesPart = shared.refused = undefined;
  }
}

/** Asks who the bot is until Slack answers. Nothing: the host ended it. */
async function who(ctx: ConnectContext, api: SlackApi, random: () => number): Promise<Identity | Refusal | undefined> {
  const waits = backoff(random, { firstMs: 1_000, maxMs: 30_000 });
  while (!ctx.signal.aborted) {
    try {
      return await identify(api, ctx.signal);
    } catch (error) {
      if (ctx.signal.aborted) break;
      const refusal = refusalOf(error);
      if (refusal !== undefined) return refusal;
      if (!passes(error) && !(error instanceof SlackError)) throw error;
      const ms = waits.next(error instanceof SlackError ? error.retryAfterMs : undefined);
      ctx.status({ state: "degraded", code: "unreachable", message: `Slack does not answer (${messageOf(error)}); trying again.` });
      await systemClock.sleep(ms, ctx.signal);
    }
  }
  return undefined;
}
