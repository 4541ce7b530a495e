/**
 * Who is signed in. A sign-in (password, login token of SSO) gives tokens; they are kept as the secret `session`, not in the
 * plugin's state, because a token is as good as the password and belongs where the person's other secrets lie: in the
 * system's keychain. A password or login token is forgotten as soon as the server has answered, whatever it answered.
 *
 * One `Session` serves a whole generation of the plugin, so that a refresh or a sign-in runs once, however many ask.
 */

import type { PluginContext } from "@kata-agents/plugin-sdk";
import { Api, MatrixError } from "./api.ts";
import { discover, Elsewhere, NotMatrix, type Server } from "./discovery.ts";
import { signedOut } from "./failures.ts";
import { type Fields, number, parseObject, text } from "./json.ts";
import { type Settings, settingsOf } from "./settings.ts";

/** What is kept. */
interface Kept {
  /** The server that gave it; no other one is ever shown it. */
  base: string;
  userId: string;
  deviceId: string | undefined;
  accessToken: string;
  refreshToken: string | undefined;
  /** When the access token is to be refreshed, by our clock: before it ends; nothing where the server does not say that it does. */
  refreshAt: number | undefined;
  /** The server does not take it any more. Kept, so that the next sign-in is for the same device. */
  ended: boolean;
}

/** A sign-in that works, as far as we know. */
export interface SignedIn {
  api: Api;
  userId: string;
  deviceId: string | undefined;
  server: Server;
}

/** Nobody is signed in. `code` and `message` go into the channel's state. */
export class NotSignedIn extends Error {
  readonly code: string;
  /** Setting or secret a person should fill in; nothing: sign in again. */
  readonly field: string | undefined;

  constructor(code: string, message: string, field?: string) {
    super(message);
    this.name = "NotSignedIn";
    this.code = code;
    this.field = field;
  }
}

/** A refresh is made this long before the token ends; of a short life, at three quarters of it. */
const EARLY_MS = 60_000;

export class Session {
  #turn: Promise<unknown> = Promise.resolve();
  #kept: Kept | undefined;
  #server: { key: string; found: Server } | undefined;
  /** A pasted token and whose it is. */
  #pasted: { token: string; userId: string; deviceId: string | undefined } | undefined;
  /** Tokens the server does not take. */
  readonly #refused = new Set<string>();
  /** What the server said to the last password or login token. */
  lastRefusal: NotSignedIn | undefined;
  readonly #waiting = new Set<() => void>();

  /** The sign-in; makes one where a password or a login token was given. Throws `NotSignedIn`, `NetworkError`, `MatrixError`. */
  signedIn(ctx: PluginContext): Promise<SignedIn> {
    return this.#inTurn(() => this.#signedIn(ctx));
  }

  /** Calls with the sign-in; a token that has ended is refreshed where it can be, once. */
  async call<T>(ctx: PluginContext, work: (signedIn: SignedIn) => Promise<T>): Promise<T> {
    const first = await this.signedIn(ctx);
    try {
      return await work(first);
    } catch (error) {
      if (!(error instanceof MatrixError) || !error.tokenRefused) throw error;
      const next = await this.#inTurn(() => this.#mend(ctx, first, error));
      if (next === undefined) throw error;
      return work(next);
    }
  }

  /** As `call`, for `outbound`: without a sign-in it is `unauthorized`. */
  async send<T>(ctx: PluginContext, work: (signedIn: SignedIn) => Promise<T>): Promise<T> {
    try {
      return await this.call(ctx, work);
    } catch (error) {
      if (error instanceof NotSignedIn || error instanceof Elsewhere || error instanceof NotMatrix) throw signedOut(error.message);
      throw error;
    }
  }

  /** Finds the server without a sign-in. */
  async server(ctx: PluginContext, settings: Settings = settingsOf(ctx)): Promise<Server> {
    const { named } = settings;
    if (named === undefined) throw new NotSignedIn("server_missing", "Name the server of the Matrix account.", "server");
    const key = `${named.server} ${named.homeserver ?? ""}`;
    if (this.#server?.key !== key) this.#server = { key, found: await discover(named, ctx.signal) };
    return this.#server.found;
  }

  /** Exchanges a login token that SSO gave. */
  loginWithToken(ctx: PluginContext, token: string): Promise<SignedIn> {
    return this.#inTurn(async () => {
      const server = await this.server(ctx);
      return this.#login(ctx, server, { type: "m.login.token", token });
    });
  }

  /** Signs out at the server and forgets everything. A server that does not know the token has signed us out already. */
  logout(ctx: PluginContext): Promise<void> {
    return this.#inTurn(async () => {
      try {
        const { api } = await this.#signedIn(ctx);
        await api.post("/_matrix/client/v3/logout", {}, { signal: ctx.signal, timeoutMs: 10_000 });
      } catch (error) {
        if (!(error instanceof NotSignedIn) && !(error instanceof MatrixError && error.tokenRefused)) throw error;
      }
      for (const name of ["session", "accessToken", "password"]) await ctx.secrets.delete(name);
      this.#kept = this.#pasted = this.lastRefusal = undefined;
      this.#wake();
    });
  }

  /** Resolves when somebody signed in or out, or after `ms`. */
  changed(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", done);
        this.#waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal.addEventListener("abort", done);
      this.#waiting.add(done);
      if (signal.aborted) done();
    });
  }

  async #signedIn(ctx: PluginContext): Promise<SignedIn> {
    const settings = settingsOf(ctx);
    // While it holds, what the person enters is not looked for: a change of it loads the plugin again.
    const now = this.#now(settings);
    if (now !== undefined) return now;
    if (settings.login === "token") return this.#pastedIn(ctx, settings);
    const password = settings.login === "sso" ? undefined : await ctx.secrets.get("password");
    if (password !== undefined && password !== "") return this.#withPassword(ctx, settings, password);
    const kept = this.#kept ?? (await readKept(ctx));
    if (kept === undefined) {
      if (settings.login === undefined && text(await ctx.secrets.get("accessToken")) !== undefined) return this.#pastedIn(ctx, settings);
      throw this.lastRefusal ?? nobody(settings);
    }
    this.#kept = kept;
    const server = await this.server(ctx, settings);
    if (!isFor(kept, server, settings)) throw this.lastRefusal ?? nobody(settings);
    if (kept.ended || this.#refused.has(kept.accessToken)) throw ended(settings);
    if (kept.refreshAt !== undefined && kept.refreshAt <= Date.now() && kept.refreshToken !== undefined) {
      return this.#refresh(ctx, server, kept);
    }
    return signedInAs(server, kept);
  }

  /** The sign-in in memory, where it needs nothing. */
  #now(settings: Settings): SignedIn | undefined {
    const found = this.#server?.found;
    if (found === undefined) return undefined;
    if (settings.login === "token") {
      const pasted = this.#pasted;
      if (pasted === undefined || this.#refused.has(pasted.token)) return undefined;
      return { api: new Api(found.base, pasted.token), server: found, userId: pasted.userId, deviceId: pasted.deviceId };
    }
    const kept = this.#kept;
    if (kept === undefined || kept.ended || this.#refused.has(kept.accessToken)) return undefined;
    const late = kept.refreshAt !== undefined && kept.refreshAt <= Date.now();
    return late ? undefined : signedInAs(found, kept);
  }

  async #withPassword(ctx: PluginContext, settings: Settings, password: string): Promise<SignedIn> {
    const { user } = settings;
    if (user === undefined) throw new NotSignedIn("user_missing", "Say which user signs in.", "user");
    const server = await this.server(ctx, settings);
    const identifier = { type: "m.id.user", user };
    return this.#login(ctx, server, { type: "m.login.password", identifier, password });
  }

  /** Signs in. What was given for it is forgotten once the server has answered, also when it said no. */
  async #login(ctx: PluginContext, server: Server, credentials: Fields): Promise<SignedIn> {
    const last = this.#kept ?? (await readKept(ctx));
    const before = last !== undefined && isFor(last, server, settingsOf(ctx)) ? last : undefined;
    const device = { initial_device_display_name: settingsOf(ctx).deviceName, refresh_token: true, ...(before?.deviceId ? { device_id: before.deviceId } : {}) };
    try {
      const answer = await new Api(server.base).post("/_matrix/client/v3/login", { ...credentials, ...device }, { signal: ctx.signal });
      const kept = keptOf(server.base, answer);
      if (kept === undefined) throw new NotSignedIn("login_odd", "The server's answer to the sign-in cannot be read.");
      await this.#keep(ctx, kept);
      await ctx.secrets.delete("password");
      this.lastRefusal = undefined;
      this.#wake();
      return signedInAs(server, kept);
    } catch (error) {
      const refusal = error instanceof MatrixError ? refusalOf(error, credentials["type"]) : undefined;
      if (refusal === undefined) throw error;
      await ctx.secrets.delete("password");
      this.lastRefusal = refusal;
      throw refusal;
    }
  }

  async #pastedIn(ctx: PluginContext, settings: Settings): Promise<SignedIn> {
    const token = (await ctx.secrets.get("accessToken"))?.trim();
    if (token === undefined || token === "") throw new NotSignedIn("token_missing", "Paste the account's access token.", "accessToken");
    const server = await this.server(ctx, settings);
    const api = new Api(server.base, token);
    if (this.#refused.has(token)) throw new NotSignedIn("token_refused", "The Matrix server refuses the access token.", "accessToken");
    if (this.#pasted?.token !== token) {
      try {
        const me = await api.get("/_matrix/client/v3/account/whoami", { signal: ctx.signal, timeoutMs: 10_000 });
        const userId = text(me["user_id"]);
        if (userId === undefined) throw new NotSignedIn("login_odd", "The server does not say whose the access token is.");
        this.#pasted = { token, userId, deviceId: text(me["device_id"]) };
      } catch (error) {
        if (!(error instanceof MatrixError) || !error.tokenRefused) throw error;
        this.#refused.add(token);
        throw new NotSignedIn("token_refused", "The Matrix server refuses the access token.", "accessToken");
      }
    }
    return { api, server, userId: this.#pasted.userId, deviceId: this.#pasted.deviceId };
  }

  /** After the server has refused the token of `used`: the sign-in that works now, or nothing. */
  async #mend(ctx: PluginContext, used: SignedIn, error: MatrixError): Promise<SignedIn | undefined> {
    const token = used.api.token ?? "";
    if (this.#pasted?.token === token) {
      this.#refused.add(token);
      return undefined;
    }
    const kept = this.#kept;
    if (kept === undefined || kept.accessToken !== token) {
      // Somebody else has mended it, or signed in anew, meanwhile.
      return this.#signedIn(ctx).catch((other: unknown) => {
        if (other instanceof NotSignedIn) return undefined;
        throw other;
      });
    }
    const mayRefresh = kept.refreshToken !== undefined && (error.softLogout || kept.refreshAt !== undefined);
    if (mayRefresh) {
      try {
        return await this.#refresh(ctx, used.server, kept);
      } catch (other) {
        if (!(other instanceof NotSignedIn)) throw other;
        return undefined;
      }
    }
    await this.#end(ctx, kept);
    return undefined;
  }

  async #refresh(ctx: PluginContext, server: Server, kept: Kept): Promise<SignedIn> {
    try {
      const answer = await new Api(server.base).post("/_matrix/client/v3/refresh", { refresh_token: kept.refreshToken }, { signal: ctx.signal });
      const accessToken = text(answer["access_token"]);
      if (accessToken === undefined) throw new NotSignedIn("login_odd", "The server's answer to the refresh cannot be read.");
      const next: Kept = { ...kept, accessToken, refreshToken: text(answer["refresh_token"]) ?? kept.refreshToken, refreshAt: refreshOf(answer) };
      // Kept before it is used: with its first use the server forgets the pair before.
      await this.#keep(ctx, next);
      return signedInAs(server, next);
    } catch (error) {
      if (!(error instanceof MatrixError) || error.tooFast || error.status >= 500) throw error;
      await this.#end(ctx, kept);
      throw ended(settingsOf(ctx));
    }
  }

  async #keep(ctx: PluginContext, kept: Kept): Promise<void> {
    await ctx.secrets.set("session", JSON.stringify(kept));
    this.#kept = kept;
  }

  async #end(ctx: PluginContext, kept: Kept): Promise<void> {
    this.#refused.add(kept.accessToken);
    await this.#keep(ctx, { ...kept, ended: true, refreshToken: undefined });
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work, work);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}

function nobody({ login, named }: Settings): NotSignedIn {
  if (named === undefined) return new NotSignedIn("server_missing", "Name the server of the Matrix account.", "server");
  if (login === "sso") return new NotSignedIn("signed_out", "Sign in at the Matrix server.");
  return new NotSignedIn("password_missing", "Enter the account's password, once; it is not kept.", "password");
}

function ended({ login }: Settings): NotSignedIn {
  const how = login === "sso" ? "Sign in again." : "Enter the password again, once.";
  return new NotSignedIn("signed_out", `The Matrix server has ended the session. ${how} Nothing is lost meanwhile.`, login === "sso" ? undefined : "password");
}

function refusalOf(error: MatrixError, type: unknown): NotSignedIn | undefined {
  if (error.tooFast || error.status >= 500) return undefined;
  if (error.errcode === "M_USER_DEACTIVATED") return new NotSignedIn("deactivated", "The Matrix account was deactivated.", "user");
  if (type === "m.login.token") return new NotSignedIn("sso_refused", "The server does not take the sign-in; it may have taken too long. Sign in again.");
  if (error.status === 403) return new NotSignedIn("password_refused", "The Matrix server refuses user or password.", "password");
  return new NotSignedIn("login_refused", `The Matrix server refuses the sign-in: ${error.reason}`, "password");
}

function signedInAs(server: Server, kept: Kept): SignedIn {
  return { server, api: new Api(server.base, kept.accessToken), userId: kept.userId, deviceId: kept.deviceId };
}

function refreshOf(answer: Fields): number | undefined {
  const ms = number(answer["expires_in_ms"]);
  return ms === undefined ? undefined : Date.now() + Math.max(ms - EARLY_MS, ms * 0.75);
}

/** Whether a sign-in is for this server and user: a person may have named others since. */
function isFor(kept: Kept, server: Server, { login, user }: Settings): boolean {
  if (kept.base !== server.base) return false;
  if (login !== "password" || user === undefined) return true;
  const id = kept.userId.toLowerCase();
  return user.startsWith("@") ? id === user.toLowerCase() : id.startsWith(`@${user.toLowerCase()}:`);
}

function keptOf(base: string, answer: Fields): Kept | undefined {
  const [userId, accessToken] = [text(answer["user_id"]), text(answer["access_token"])];
  if (userId === undefined || accessToken === undefined) return undefined;
  return { base, userId, accessToken, deviceId: text(answer["device_id"]), refreshToken: text(answer["refresh_token"]), refreshAt: refreshOf(answer), ended: false };
}

async function readKept(ctx: PluginContext): Promise<Kept | undefined> {
  const value = parseObject((await ctx.secrets.get("session")) ?? "");
  const [base, userId, accessToken] = [text(value?.["base"]), text(value?.["userId"]), text(value?.["accessToken"])];
  if (value === undefined || base === undefined || userId === undefined || accessToken === undefined) return undefined;
  return {
    base,
    userId,
    accessToken,
    deviceId: text(value["deviceId"]),
    refreshToken: text(value["refreshToken"]),
    refreshAt: number(value["refreshAt"]),
    ended: value["ended"] === true,
  };
}
