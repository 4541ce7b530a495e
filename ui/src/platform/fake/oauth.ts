/** Signing in at others: providers, sign-ins on their way, accounts. */
import type { OauthAccount, OauthProgress, OauthProvider, OauthSignIn } from "@/generated/protocol";
import { OperationError } from "../types";
import { hoursAgo, START } from "./clock";
import type { Table } from "./operations";
import { detailOf } from "./sourceDetail";
import { status } from "./sources";
import type { World } from "./world";

const provider = (row: Pick<OauthProvider, "id" | "name" | "authorizationUrl" | "tokenUrl"> & Partial<OauthProvider>): OauthProvider => ({
  deviceUrl: null, revocationUrl: null, userinfoUrl: null, parameters: {}, clientId: null, clientSecretSet: false, preset: true, ...row,
});

const PRESETS: readonly OauthProvider[] = [
  provider({ id: "google", name: "Google", authorizationUrl: "https://accounts.google.com/o/oauth2/v2/auth", tokenUrl: "https://oauth2.googleapis.com/token", deviceUrl: "https://oauth2.googleapis.com/device/code", revocationUrl: "https://oauth2.googleapis.com/revoke", userinfoUrl: "https://openidconnect.googleapis.com/v1/userinfo", parameters: { access_type: "offline", prompt: "consent" } }),
  provider({ id: "microsoft", name: "Microsoft", authorizationUrl: "https://login.microsoftonline.com/common/oauth2/v2.0/authorize", tokenUrl: "https://login.microsoftonline.com/common/oauth2/v2.0/token", deviceUrl: "https://login.microsoftonline.com/common/oauth2/v2.0/devicecode" }),
  provider({ id: "slack", name: "Slack", authorizationUrl: "https://slack.com/oauth/v2/authorize", tokenUrl: "https://slack.com/api/oauth.v2.access" }),
  provider({ id: "github", name: "GitHub", authorizationUrl: "https://github.com/login/oauth/authorize", tokenUrl: "https://github.com/login/oauth/access_token", deviceUrl: "https://github.com/login/device/code" }),
];

export const PROVIDERS: OauthProvider[] = PRESETS.map((row) => (row.id === "google" ? { ...row, clientId: "8812-kata.apps.googleusercontent.com", clientSecretSet: true } : row));

export const ACCOUNTS: OauthAccount[] = [
  { source: "service:gmail", provider: "google", account: "mara@acme.example", scopes: ["https://www.googleapis.com/auth/gmail.modify", "openid", "email"], expiresAt: START + 34 * 60_000, status: status({ kind: "running" }, "Signed in.", hoursAgo(26)) },
  { source: "service:running", provider: "google", account: "mara@acme.example", scopes: ["https://www.googleapis.com/auth/gmail.modify", "openid", "email"], expiresAt: START + 34 * 60_000, status: status({ kind: "running" }, "Signed in.", hoursAgo(26)) },
  { source: "mcp:acme:linear", provider: "mcp", account: null, scopes: ["read", "write"], expiresAt: START + 9 * 3_600_000, status: status({ kind: "running" }, "Signed in.", hoursAgo(26)) },
];

const MINUTES = 60_000;
const notFound = (what: string) => new OperationError({ code: "not_found", message: `There is no ${what}.` });

function signIn(world: World, id: string): OauthSignIn {
  const found = world.signIns.get(id);
  if (found === undefined) throw notFound("sign-in by that name");
  return found;
}

/** How the person, or the provider, ends a sign-in. */
export function endSignIn(world: World, id: string, progress: OauthProgress): void {
  const before = signIn(world, id);
  if (before.progress.kind !== "waiting") return;
  world.signIns.set(id, { ...before, progress });
  if (progress.kind === "done") {
    const account: OauthAccount = { source: before.source, provider: detailOf(world, before.source).signsInAt ?? "", account: progress.account, scopes: before.scopes, expiresAt: Date.now() + 60 * MINUTES, status: status({ kind: "running" }, "Signed in.", Date.now()) };
    world.accounts = [...world.accounts.filter((each) => each.source !== before.source), account];
    world.bringUp(before.source);
  }
  world.publish({ topic: "oauth_ended", id, source: before.source });
}

type OauthOperations = Pick<Table, Extract<keyof Table, `oauth.${string}`>>;

export const OAUTH_OPERATIONS: OauthOperations = {
  "oauth.providers": (world) => world.providers,
  "oauth.configure": (world, { id, clientSecret, ...change }) => {
    const before = world.providers.find((row) => row.id === id);
    const { name, authorizationUrl, tokenUrl, deviceUrl, revocationUrl, userinfoUrl, parameters, clientId } = change;
    for (const [field, value] of Object.entries({ authorizationUrl, tokenUrl, deviceUrl, revocationUrl, userinfoUrl })) {
      if (value != null && value !== "" && !/^https:|^http:\/\/(127\.0\.0\.1|localhost)/.test(value)) throw new OperationError({ code: "invalid", message: `“${field}”: must begin with https:, or lead to this machine.`, details: { field } });
    }
    if (before === undefined && (authorizationUrl == null || tokenUrl == null)) throw new OperationError({ code: "invalid", message: "“authorizationUrl”: is needed.", details: { field: "authorizationUrl" } });
    const base = before ?? provider({ id, name: name ?? id, authorizationUrl: authorizationUrl ?? "", tokenUrl: tokenUrl ?? "", preset: false });
    const row: OauthProvider = {
      ...base,
      name: name ?? base.name,
      authorizationUrl: authorizationUrl ?? base.authorizationUrl,
      tokenUrl: tokenUrl ?? base.tokenUrl,
      deviceUrl: deviceUrl ?? base.deviceUrl,
      revocationUrl: revocationUrl ?? base.revocationUrl,
      userinfoUrl: userinfoUrl ?? base.userinfoUrl,
      parameters: parameters ?? base.parameters,
      clientId: clientId ?? base.clientId,
      clientSecretSet: clientSecret == null ? base.clientSecretSet : clientSecret !== "",
    };
    world.providers = before === undefined ? [...world.providers, row] : world.providers.map((each) => (each.id === id ? row : each));
    return row;
  },
  "oauth.remove": (world, { id }) => {
    const preset = PRESETS.find((row) => row.id === id);
    world.providers = world.providers.flatMap((row) => (row.id !== id ? [row] : preset === undefined ? [] : [preset]));
    return {};
  },
  "oauth.begin": (world, { source, method }) => {
    const at = detailOf(world, source).signsInAt;
    if (at === null) throw new OperationError({ code: "conflict", message: "This source signs in nowhere." });
    const known = world.providers.find((row) => row.id === at || row.name === at);
    if (known !== undefined && known.clientId === null) throw new OperationError({ code: "needs_user", message: `${known.name} does not know this app yet.`, hint: "Give it a client id of your own." });
    const id = `sign-in-${world.signIns.size + 1}`;
    const device = method === "device";
    const row: OauthSignIn = {
      id, source, provider: known?.name ?? "Linear", scopes: ["https://www.googleapis.com/auth/calendar", "openid", "email"], method: method ?? "browser",
      url: device ? "https://www.google.com/device" : `${known?.authorizationUrl ?? "https://linear.app/oauth/authorize"}?client_id=kata&state=fake`,
      userCode: device ? "WDJB-MJHT" : null, expiresAt: Date.now() + 10 * MINUTES, progress: { kind: "waiting" },
    };
    world.signIns.set(id, row);
    const step = world.options.stepMs ?? 30;
    // In a test the person ends it; on a page it ends by itself after a while.
    if (step > 0) setTimeout(() => endSignIn(world, id, { kind: "done", account: "mara@acme.example" }), step * 200);
    return row;
  },
  "oauth.get": (world, { id }) => signIn(world, id),
  "oauth.cancel": (world, { id }) => {
    endSignIn(world, id, { kind: "failed", code: "cancelled", message: "The sign-in was given up." });
    return {};
  },
  "oauth.accounts": (world) => world.accounts,
  "oauth.revoke": (world, { id }) => {
    world.accounts = world.accounts.filter((each) => each.source !== id);
    return world.changeSource(id, { status: status({ kind: "needs_user", action: { kind: "relogin" } }, "Nobody is signed in.", Date.now(), "signed_out") });
  },
};
