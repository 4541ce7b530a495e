/**
 * What a person meets before the channel runs. The set-up is a state machine whose state is what is stored: each answer is
 * stored by the host, and the next look decides what is missing. Nothing is kept here but the sign-in itself, by `session.ts`.
 */

import type { AuthState, PluginContext, Probe, SetupOption, SetupStep } from "@kata-agents/plugin-sdk";
import { Api, MatrixError, NetworkError } from "./api.ts";
import { Elsewhere, NotMatrix } from "./discovery.ts";
import { words } from "./failures.ts";
import { fields, list, text } from "./json.ts";
import { NotSignedIn, type Session } from "./session.ts";
import { settingsOf, type Settings } from "./settings.ts";
import type { SingleSignOn } from "./sso.ts";

const SERVER: Extract<SetupStep, { kind: "input" }> = {
  kind: "input",
  field: "server",
  title: "Server",
  help: "The address of the account's server, such as `https://matrix.org`: what stands behind the colon in its Matrix id. Make an account of its own for the agent there.",
};

const HOW: Readonly<Record<string, SetupOption>> = {
  "m.login.password": { value: "password", label: "User and password (the password is not kept)" },
  "m.login.sso": { value: "sso", label: "In the browser, at the server (single sign-on)" },
};

export async function validate(session: Session, ctx: PluginContext): Promise<AuthState> {
  try {
    return await session.call(ctx, async ({ api, userId }) => {
      await api.get("/_matrix/client/v3/account/whoami", { signal: ctx.signal, timeoutMs: 10_000 });
      return { ok: true, account: userId, name: userId };
    });
  } catch (error) {
    const wrong = wrongOf(error);
    if (wrong === undefined) throw error;
    const action = wrong.field === undefined ? ({ kind: "relogin" } as const) : ({ kind: "configure", field: wrong.field } as const);
    return { ok: false, code: wrong.code, message: wrong.message, action };
  }
}

/** What a person can mend; nothing for a network that does not answer. */
function wrongOf(error: unknown): { code: string; message: string; field: string | undefined } | undefined {
  if (error instanceof NotSignedIn) return error;
  if (error instanceof Elsewhere) return { code: "elsewhere", message: `The server says that its API is at ${error.base}.`, field: "homeserver" };
  if (error instanceof NotMatrix) return { code: "no_matrix", message: error.message, field: "server" };
  if (error instanceof MatrixError && error.tokenRefused) return { code: "signed_out", message: "The Matrix server has ended the session.", field: undefined };
  return undefined;
}

export async function nextStep(session: Session, sso: SingleSignOn, ctx: PluginContext): Promise<SetupStep> {
  const settings = settingsOf(ctx);
  if (settings.named === undefined) return SERVER;
  try {
    const server = await session.server(ctx, settings);
    if (settings.login === undefined) return await howStep(server.base, ctx);
    if (settings.login === "password" && settings.user === undefined) return USER;
    const state = await validate(session, ctx);
    if (!state.ok) return await signInStep(settings, state, sso, server.base, ctx);
    if (settings.invites === undefined) return INVITES;
    return { kind: "done", account: state.account, name: state.name };
  } catch (error) {
    if (error instanceof Elsewhere) return elsewhere(error.base);
    if (error instanceof NotMatrix) return { ...SERVER, error: `There is no Matrix server: ${error.message}.` };
    if (error instanceof NetworkError && error.forbidden) return { ...SERVER, error: "That address may not be reached; enter it as the server's address." };
    const step = settings.login === "token" ? TOKEN : settings.login === "password" ? PASSWORD : SERVER;
    return { ...step, error: `The Matrix server does not answer (${words(error)}). Try again.` };
  }
}

const USER: SetupStep = { kind: "input", field: "user", title: "User", help: "The account's name: `kata`, or `@kata:example.org`." };

const PASSWORD: Extract<SetupStep, { kind: "secret" }> = {
  kind: "secret",
  secret: "password",
  title: "Password",
  help: "Used once, to sign in; then it is forgotten. What the server gives for it lies with your other secrets.",
};

const TOKEN: Extract<SetupStep, { kind: "secret" }> = {
  kind: "secret",
  secret: "accessToken",
  title: "Access token",
  help: "In Element: signed in as the agent's account, Settings → Help & About → Advanced → Access Token. Do not sign out there afterwards: that ends the token.",
};

const INVITES: SetupStep = {
  kind: "choice",
  field: "invites",
  title: "Whose invitations are accepted?",
  help: "A chat with the agent begins with an invitation. This lets nobody talk to the agent: that is decided apart from it, by pairing and the channel's policy.",
  options: [
    { value: "listed", label: "Those of the people listed under “Who may invite”" },
    { value: "all", label: "Everybody's" },
    { value: "never", label: "Nobody's; I accept them myself" },
  ],
};

function elsewhere(base: string): SetupStep {
  return {
    kind: "choice",
    field: "homeserver",
    title: "The server is reached elsewhere",
    help: "The server's `/.well-known/matrix/client` says that its API is at another address. Choosing it allows this plugin to reach it.",
    options: [{ value: base, label: base }],
  };
}

/** Ways to sign in that the server offers; a token can always be pasted. */
async function howStep(base: string, ctx: PluginContext): Promise<SetupStep> {
  const answer = await new Api(base).get("/_matrix/client/v3/login", { signal: ctx.signal, timeoutMs: 10_000 });
  const kinds = list(answer["flows"]).map((flow) => text(fields(flow)["type"]) ?? "");
  const options = Object.entries(HOW).flatMap(([kind, option]) => (kinds.includes(kind) ? [option] : []));
  options.push({ value: "token", label: "With an access token" });
  return { kind: "choice", field: "login", title: "How to sign in", help: "What the server offers.", options };
}

type Refused = Extract<AuthState, { ok: false }>;

async function signInStep({ login }: Settings, state: Refused, sso: SingleSignOn, base: string, ctx: PluginContext): Promise<SetupStep> {
  const error = ["password_missing", "token_missing"].includes(state.code) ? {} : { error: state.message };
  if (state.code === "user_missing") return USER;
  if (login === "token") return { ...TOKEN, ...error };
  if (login === "password") return { ...PASSWORD, ...error };
  const url = await sso.begin(base, ctx);
  if (url === undefined) return { ...TOKEN, secret: "accessToken", error: "The gateway does not listen, so the browser cannot lead back here. Choose another way to sign in." };
  const help = "Sign in as the agent's account. The browser then leads back to this program, and you can close the page.";
  return { kind: "open", url, title: "Sign in at the server", help, ...(state.code === "signed_out" ? {} : error) };
}

export async function probe(session: Session, ctx: PluginContext): Promise<Probe> {
  const start = Date.now();
  const since = () => Date.now() - start;
  try {
    const state = await validate(session, ctx);
    return state.ok
      ? { ok: true, latencyMs: since(), message: `Matrix answers as ${state.name}.` }
      : { ok: false, latencyMs: since(), message: state.message };
  } catch {
    return { ok: false, latencyMs: since(), message: "The Matrix server does not answer." };
  }
}
