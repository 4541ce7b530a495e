/** What a person meets before the channel runs: the token, the intent, a server to be in. */

import type { AuthState, PluginContext, Probe, SetupStep } from "@kata-agents/plugin-sdk";
import { AppFlag } from "./protocol.ts";
import { ApiError, type Rest } from "./rest.ts";
import type { Application, User } from "./types.ts";
import { nameOf } from "./world.ts";

/** Makes the API with the stored token, or nothing without one. */
export type OpenRest = (ctx: PluginContext) => Promise<Rest | undefined>;

const CONFIGURE = { kind: "configure", field: "botToken" } as const;
const PORTAL = "https://discord.com/developers/applications";

/** What the bot has to be allowed in a server, as Discord's bits. */
const PERMISSIONS = {
  addReactions: 1n << 6n,
  viewChannel: 1n << 10n,
  sendMessages: 1n << 11n,
  embedLinks: 1n << 14n,
  attachFiles: 1n << 15n,
  readHistory: 1n << 16n,
  sendInThreads: 1n << 38n,
} as const;

/** Where a person adds the bot to a server, with just those permissions. */
export function inviteUrl(application: string): string {
  const permissions = Object.values(PERMISSIONS).reduce((all, one) => all | one, 0n);
  return `https://discord.com/oauth2/authorize?client_id=${application}&scope=bot+applications.commands&permissions=${permissions}`;
}

export async function validate(open: OpenRest, ctx: PluginContext): Promise<AuthState> {
  const rest = await open(ctx);
  if (rest === undefined) return { ok: false, code: "token_missing", message: "There is no token yet.", action: CONFIGURE };
  try {
    const me = await rest.get<User>("/users/@me", { signal: ctx.signal, timeoutMs: 8_000 });
    return { ok: true, account: me.id, name: nameOf(me) };
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401) throw error;
    return { ok: false, code: "token_refused", message: "Discord refuses the token.", action: CONFIGURE };
  }
}

export async function nextStep(open: OpenRest, ctx: PluginContext): Promise<SetupStep> {
  const state = await validate(open, ctx).catch(() => undefined);
  const rest = await open(ctx);
  if (state?.ok !== true || rest === undefined) {
    const step: SetupStep = {
      kind: "secret",
      secret: "botToken",
      title: "Bot token",
      help: `Open [the developer portal](${PORTAL}), choose **New Application**, then **Bot** → **Reset Token**, and paste the token here. On the same page switch on **Message Content Intent**.`,
    };
    if (state === undefined) return { ...step, error: "Discord does not answer, so the token could not be tried. Try again." };
    return state.ok === false && state.code === "token_refused" ? { ...step, error: state.message } : step;
  }
  const signal = ctx.signal;
  const app = await rest.get<Application>("/applications/@me", { signal, timeoutMs: 8_000 }).catch(() => undefined);
  if (app !== undefined && ctx.config["reads"] !== "addressed" && ((app.flags ?? 0) & AppFlag.messageContent) === 0) {
    return {
      kind: "open",
      url: `${PORTAL}/${app.id}/bot`,
      title: "Message Content Intent",
      help: "Switch on **Message Content Intent** under “Privileged Gateway Intents” and save. Without it the bot sees only direct messages and messages that mention it; if that is what you want, set “What it reads in servers” to `addressed`.",
    };
  }
  const guilds = await rest.get<unknown>("/users/@me/guilds?limit=1", { signal, timeoutMs: 8_000 }).catch(() => undefined);
  if (app !== undefined && Array.isArray(guilds) && guilds.length === 0) {
    return {
      kind: "open",
      url: inviteUrl(app.id),
      title: "Add the bot to a server",
      help: "Choose a server of yours. The permissions asked for are: see channels, send messages (also in threads), embed links, attach files, read the history, add reactions. To write to the bot directly you need a server that both of you are in, too.",
    };
  }
  return { kind: "done", account: state.account, name: state.name };
}

export async function probe(open: OpenRest, ctx: PluginContext): Promise<Probe> {
  const start = Date.now();
  const since = () => Date.now() - start;
  try {
    const state = await validate(open, ctx);
    return state.ok
      ? { ok: true, latencyMs: since(), message: `Discord answers as ${state.name}.` }
      : { ok: false, latencyMs: since(), message: state.message };
  } catch {
    return { ok: false, latencyMs: since(), message: "Discord does not answer." };
  }
}
