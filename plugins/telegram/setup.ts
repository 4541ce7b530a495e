/** What a person meets before the channel runs: the token, and whether Telegram takes it. */

import type { AuthState, PluginContext, Probe, SecurityWarning, Sender, SetupStep } from "@kata-agents/plugin-sdk";
import { ApiError, type BotApi } from "./api.ts";
import type { User } from "./types.ts";

/** Makes the API with the stored token, or nothing without one. */
export type OpenApi = (ctx: PluginContext) => Promise<BotApi | undefined>;

const CONFIGURE = { kind: "configure", field: "botToken" } as const;

export async function validate(open: OpenApi, ctx: PluginContext): Promise<AuthState> {
  const api = await open(ctx);
  if (api === undefined) return { ok: false, code: "token_missing", message: "There is no token yet.", action: CONFIGURE };
  try {
    const me = await api.call<User>("getMe", {}, { signal: ctx.signal, timeoutMs: 10_000 });
    return { ok: true, account: String(me.id), name: me.username === undefined ? me.first_name : `@${me.username}` };
  } catch (error) {
    if (!(error instanceof ApiError) || (error.code !== 401 && error.code !== 404)) throw error;
    return { ok: false, code: "token_refused", message: "Telegram refuses the token.", action: CONFIGURE };
  }
}

export async function nextStep(open: OpenApi, ctx: PluginContext): Promise<SetupStep> {
  const state = await validate(open, ctx).catch(() => undefined);
  if (state?.ok === true) return { kind: "done", account: state.account, name: state.name };
  const step: SetupStep = {
    kind: "secret",
    secret: "botToken",
    title: "Bot token",
    help: "In Telegram, write `/newbot` to [@BotFather](https://t.me/BotFather) and paste the token it answers with. In groups a bot sees what mentions it; to let it see everything, send `/setprivacy` there and choose *Disable* before you add it.",
  };
  if (state === undefined) return { ...step, error: "Telegram does not answer, so the token could not be tried. Try again." };
  return state.code === "token_refused" ? { ...step, error: state.message } : step;
}

export async function probe(open: OpenApi, ctx: PluginContext): Promise<Probe> {
  const start = Date.now();
  const since = () => Date.now() - start;
  try {
    const state = await validate(open, ctx);
    return state.ok
      ? { ok: true, latencyMs: since(), message: `Telegram answers as ${state.name}.` }
      : { ok: false, latencyMs: since(), message: state.message };
  } catch {
    return { ok: false, latencyMs: since(), message: "Telegram does not answer." };
  }
}

/** The bot itself, for the directory. */
export async function self(api: BotApi, ctx: PluginContext): Promise<Sender> {
  const me = await api.call<User>("getMe", {}, { signal: ctx.signal, timeoutMs: 10_000 });
  return { id: String(me.id), name: me.username === undefined ? me.first_name : `@${me.username}`, isBot: true };
}

/** What a person should know before they let others write: who reads what in groups, and who else gets the messages. */
export async function warnings(open: OpenApi, ctx: PluginContext): Promise<SecurityWarning[]> {
  const api = await open(ctx);
  if (api === undefined) return [];
  const options = { signal: ctx.signal, timeoutMs: 10_000 };
  const found: SecurityWarning[] = [];
  const me = await api.call<User>("getMe", {}, options);
  const name = me.username === undefined ? me.first_name : `@${me.username}`;
  if (me.can_read_all_group_messages === true) {
    found.push({ code: "privacy_off", message: `${name} is given every message of its groups, also those that are not meant for it. /setprivacy at @BotFather changes that.` });
  } else if (me.can_join_groups !== false) {
    found.push({ code: "privacy_on", message: `In groups ${name} sees only what mentions it, answers it or is a command. If it should see everything, send /setprivacy to @BotFather and add the bot to the group again.` });
  }
  const hook = await api.call<{ url?: string }>("getWebhookInfo", {}, options);
  if (hook.url) found.push({ code: "webhook", message: "The bot's messages are delivered to a webhook elsewhere, so none come here. Remove it there, or make a bot of its own." });
  return found;
}
