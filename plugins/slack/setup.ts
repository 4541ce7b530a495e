/** What a person meets before the channel runs: the app to make, its two tokens, and what Slack says of them; later the audit. */

import type { AuthState, PluginContext, Probe, SecurityWarning, SetupStep } from "@kata-agents/plugin-sdk";
import { messageOf } from "@kata-agents/plugin-sdk/sending";
import { refusesToken, type SlackApi, SlackError } from "./api.ts";
import type { Identity } from "./inbound.ts";
import { text, textAt } from "./json.ts";
import { appManifest, APP_SCOPE, BOT_SCOPES, missing, NEEDED } from "./scopes.ts";

/** How the parts here reach Slack. */
export interface Access {
  /** The API with a stored token, or nothing without one. */
  open(ctx: PluginContext, secret: "botToken" | "appToken"): Promise<SlackApi | undefined>;
  /** The slash command of the settings. */
  command(ctx: PluginContext): string;
}

const SHORT = { timeoutMs: 8_000 } as const;

/** Who the bot is. */
export async function identify(api: SlackApi, signal?: AbortSignal): Promise<Identity> {
  const said = await api.call("auth.test", {}, { ...SHORT, ...(signal === undefined ? {} : { signal }) });
  const team = text(said["team_id"]);
  const user = text(said["user_id"]);
  if (user === undefined || team === undefined) throw new SlackError("auth.test", "not_allowed_token_type");
  const enterprise = text(said["enterprise_id"]);
  const whole = said["is_enterprise_install"] === true && enterprise !== undefined;
  return { account: whole ? enterprise : team, team, enterprise, user, bot: text(said["bot_id"]), name: `${text(said["team"]) ?? team} (@${text(said["user"]) ?? user})` };
}

export async function validate(access: Access, ctx: PluginContext): Promise<AuthState> {
  const bot = await access.open(ctx, "botToken");
  if (bot === undefined) return wrong("botToken", "token_missing", "There is no bot token yet.");
  let me: Identity;
  try {
    me = await identify(bot, ctx.signal);
  } catch (error) {
    if (!(error instanceof SlackError) || error.retryAfterMs !== undefined) throw error;
    return wrong("botToken", error.error, refusesToken(error) ? `Slack refuses the bot token (${error.error}). It begins with “xoxb-”.` : `Slack says ${error.error}.`);
  }
  const lacking = bot.scopes === undefined ? [] : missing(bot.scopes, NEEDED);
  if (lacking.length > 0) return wrong("botToken", "missing_scope", `The bot token lacks the scopes ${lacking.join(", ")}. Add them to the app, install it again and paste the new token.`);
  const app = await access.open(ctx, "appToken");
  if (app === undefined) return wrong("appToken", "token_missing", "There is no app-level token yet.");
  try {
    await app.call("apps.connections.open", {}, { ...SHORT, signal: ctx.signal });
  } catch (error) {
    if (!(error instanceof SlackError) || error.retryAfterMs !== undefined) throw error;
    return wrong("appToken", error.error, appTrouble(error));
  }
  return { ok: true, account: me.account, name: me.name };
}

function appTrouble(error: SlackError): string {
  if (error.error === "missing_scope") return `The app-level token lacks the scope “${error.needed ?? APP_SCOPE}”. Make another one with it.`;
  if (error.error === "not_allowed_token_type") return "This is no app-level token: it begins with “xapp-”.";
  return `Slack refuses the app-level token (${error.error}). It begins with “xapp-”, and Socket Mode must be on.`;
}

function wrong(field: "botToken" | "appToken", code: string, message: string): AuthState {
  return { ok: false, code, message, action: { kind: "configure", field } };
}

const BOT_STEP = {
  kind: "secret",
  secret: "botToken",
  title: "Make the app, and paste its bot token",
  help: [
    "1. Open [api.slack.com/apps](https://api.slack.com/apps?new_app=1), choose **Create New App**, **From a manifest**, your workspace, and paste the text below as JSON.",
    "2. Choose **Install to Workspace** and allow it.",
    "3. Under **OAuth & Permissions**, copy the **Bot User OAuth Token**, which begins with `xoxb-`.",
  ].join("\n"),
} as const;

const APP_STEP = {
  kind: "secret",
  secret: "appToken",
  title: "Paste the app-level token",
  help: `Under **Basic Information**, **App-Level Tokens**, choose **Generate Token and Scopes**, add the scope \`${APP_SCOPE}\`, and copy the token, which begins with \`xapp-\`. With it the app listens without a public address.`,
} as const;

export async function nextStep(access: Access, ctx: PluginContext): Promise<SetupStep> {
  const steps = { botToken: { ...BOT_STEP, copy: appManifest(access.command(ctx)) }, appToken: { ...APP_STEP } };
  try {
    const state = await validate(access, ctx);
    if (state.ok) return { kind: "done", account: state.account, name: state.name };
    const step = steps[state.action.kind === "configure" && state.action.field === "appToken" ? "appToken" : "botToken"];
    return state.code === "token_missing" ? step : { ...step, error: state.message };
  } catch {
    const step = (await access.open(ctx, "appToken")) === undefined ? steps.botToken : steps.appToken;
    return { ...step, error: "Slack does not answer, so the token could not be tried. Try again." };
  }
}

export async function probe(access: Access, ctx: PluginContext): Promise<Probe> {
  const start = Date.now();
  const said = (ok: boolean, message: string): Probe => ({ ok, latencyMs: Date.now() - start, message });
  try {
    const state = await validate(access, ctx);
    return state.ok ? said(true, `Slack answers as ${state.name}.`) : said(false, state.message);
  } catch (error) {
    return said(false, error instanceof SlackError ? `Slack says ${error.error}.` : "Slack does not answer.");
  }
}

/** What is wrong at Slack: scopes that are missing, and what does not work for it. */
export async function warnings(access: Access, ctx: PluginContext): Promise<SecurityWarning[]> {
  const bot = await access.open(ctx, "botToken");
  if (bot === undefined) return [{ code: "token_missing", message: "There is no bot token yet." }];
  try {
    const said = await bot.call("auth.test", {}, { ...SHORT, signal: ctx.signal });
    const found: SecurityWarning[] = [];
    if (bot.scopes === undefined) found.push({ code: "scopes_unknown", message: "Slack did not say which scopes the bot token has." });
    else {
      for (const scope of missing(bot.scopes)) {
        found.push({ code: "missing_scope", message: `The bot token lacks “${scope}”: ${BOT_SCOPES[scope as keyof typeof BOT_SCOPES]} does not work.` });
      }
      const wide = bot.scopes.filter((scope) => /^admin|:write\.(?:public|customize)$|^users:read\.email$/.test(scope));
      for (const scope of wide) found.push({ code: "wide_scope", message: `The bot token has “${scope}”, which this channel does not use.` });
    }
    if (said["is_enterprise_install"] === true) found.push({ code: "organisation", message: "The app is installed for the whole organisation: people of every workspace in it can write to it." });
    const url = textAt(said, "url");
    if (url === undefined) found.push({ code: "workspace_unknown", message: "Slack did not say which workspace this is." });
    return found;
  } catch (error) {
    return [{ code: "not_checked", message: `The settings at Slack could not be looked at: ${messageOf(error)}` }];
  }
}
