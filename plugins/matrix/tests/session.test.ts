import { json } from "@kata-agents/plugin-sdk/testing";
import { expect, test } from "vitest";
import { Homeserver, ME, TOKEN } from "./homeserver.ts";
import { Bench } from "./support.ts";

const BASE = "https://matrix.example";
const PASSWORD_LOGIN = { login: "password", user: "kata" };
const kept = (bench: Bench) => JSON.parse(bench.host.secrets.get("session") ?? "{}") as Record<string, unknown>;

test("a password is exchanged for tokens once, and forgotten", () =>
  Bench.run({ config: PASSWORD_LOGIN, secrets: { password: "correct horse" } }, async (bench) => {
    const running = await bench.connected();
    await bench.settled(bench.send("hello"));
    const logins = bench.host.network.requests.filter((request) => request.method === "POST" && request.url.pathname.endsWith("/login"));
    expect(logins).toHaveLength(1);
    expect(logins[0]?.json()).toEqual({
      type: "m.login.password",
      identifier: { type: "m.id.user", user: "kata" },
      password: "correct horse",
      initial_device_display_name: "Kata Agents",
      refresh_token: true,
    });
    expect([...bench.host.secrets.keys()]).toEqual(["session"]);
    expect(kept(bench)).toMatchObject({ userId: ME, deviceId: "DEVICE" });
    expect(JSON.stringify([...bench.host.state])).not.toContain("syt_");
    await running.stopped(bench.host);
  }));

test("a refused password is forgotten too, and asked for again", () =>
  Bench.run({ config: PASSWORD_LOGIN, secrets: { password: "wrong" } }, async (bench) => {
    const running = bench.connect();
    await bench.until(() => bench.host.states.includes("needs_user/password_refused"));
    await bench.host.clock.advance(60_000);
    expect(bench.server.asked.filter((path) => path === "POST /login")).toHaveLength(1);
    expect(bench.host.secrets.size).toBe(0);
    const step = await bench.settled(bench.channel.setup?.next(bench.host.context()) ?? Promise.reject(new Error("no setup")));
    expect(step).toMatchObject({ kind: "secret", secret: "password", error: "The Matrix server refuses user or password." });
    await running.stopped(bench.host);
  }));

test("a token that is about to end is refreshed, the pair kept before it is used, once for all who ask", () =>
  Bench.run({ config: PASSWORD_LOGIN, secrets: {} }, async (bench) => {
    bench.host.secrets.set("session", JSON.stringify({ base: BASE, userId: ME, deviceId: "D", accessToken: TOKEN, refreshToken: "r1", refreshAt: bench.host.clock.now - 1 }));
    bench.server.refreshes.set("r1", { access_token: "syt_second", refresh_token: "r2", expires_in_ms: 3_600_000 });
    let keptBefore = false;
    bench.server.fault = (request, path) => {
      if (path === "/sync" && request.headers["authorization"] === "Bearer syt_second") keptBefore = kept(bench)["accessToken"] === "syt_second";
      return undefined;
    };
    const running = bench.connect();
    await Promise.all([bench.settled(bench.send("a", { idempotencyKey: "a" })), bench.settled(bench.send("b", { idempotencyKey: "b" }))]);
    await bench.until(() => bench.host.states.at(-1) === "running");
    expect(bench.server.asked.filter((path) => path === "POST /refresh")).toHaveLength(1);
    expect(keptBefore).toBe(true);
    expect(kept(bench)).toMatchObject({ accessToken: "syt_second", refreshToken: "r2", deviceId: "D" });
    await running.stopped(bench.host);
  }));

test("tokens of half a minute are refreshed as often as that, and no more", () =>
  Bench.run({ config: PASSWORD_LOGIN, secrets: {} }, async (bench) => {
    bench.host.secrets.set("session", JSON.stringify({ base: BASE, userId: ME, accessToken: TOKEN, refreshToken: "r0", refreshAt: bench.host.clock.now }));
    for (let n = 0; n < 100; n += 1) bench.server.refreshes.set(`r${n}`, { access_token: `syt_${n}`, refresh_token: `r${n + 1}`, expires_in_ms: 30_000 });
    const running = await bench.connected();
    await bench.host.clock.advance(300_000);
    const refreshes = bench.server.asked.filter((path) => path === "POST /refresh").length;
    expect(refreshes).toBeGreaterThanOrEqual(10);
    expect(refreshes).toBeLessThanOrEqual(15);
    expect(bench.host.states).toEqual(["connecting", "running"]);
    await running.stopped(bench.host);
  }));

test("a soft logout is mended by the refresh token without anybody noticing", () =>
  Bench.run({ config: PASSWORD_LOGIN, secrets: { session: JSON.stringify({ base: BASE, userId: ME, accessToken: TOKEN, refreshToken: "r1" }) } }, async (bench) => {
    const running = await bench.connected();
    bench.server.refreshes.set("r1", { access_token: "syt_second", refresh_token: "r2", expires_in_ms: 3_600_000 });
    bench.server.softLogout = true;
    bench.server.tokens.clear();
    expect((await bench.settled(bench.send("hello"))).messageIds).toHaveLength(1);
    bench.server.say("still there?");
    await bench.until(() => bench.texts.includes("still there?"));
    expect(bench.host.states).not.toContain("needs_user/signed_out");
    await running.stopped(bench.host);
  }));

test("a session that was ended waits for a person, loses nothing, and goes on under the same device after the next sign-in", () =>
  Bench.run({ config: PASSWORD_LOGIN, secrets: { session: JSON.stringify({ base: BASE, userId: ME, deviceId: "OLD", accessToken: TOKEN }) } }, async (bench) => {
    const running = await bench.connected();
    bench.server.tokens.clear();
    bench.server.say("while nobody is signed in");
    await bench.until(() => bench.host.states.includes("needs_user/signed_out"));
    await expect(bench.settled(bench.send("reply"))).rejects.toMatchObject({ code: "unauthorized", certain: true });
    expect(bench.host.statuses.at(-1)).toMatchObject({ action: { kind: "configure", field: "password" } });
    bench.host.secrets.set("password", "correct horse");
    await bench.until(() => bench.texts.includes("while nobody is signed in"));
    const login = bench.host.network.requests.find((request) => request.method === "POST" && request.url.pathname.endsWith("/login"));
    expect(login?.json()["device_id"]).toBe("OLD");
    await bench.settled(bench.send("reply"));
    expect(bench.server.bodies).toEqual(["reply"]);
    await running.stopped(bench.host);
  }));

test("a sign-in is shown to no server but the one that gave it, and to no other user of that one", async () => {
  const secrets = { session: JSON.stringify({ base: BASE, userId: ME, accessToken: TOKEN }) };
  for (const config of [{ ...PASSWORD_LOGIN, server: "https://other.example" }, { ...PASSWORD_LOGIN, user: "somebody" }]) {
    await Bench.run({ config, secrets }, async (bench) => {
      const running = bench.connect();
      await bench.until(() => bench.host.states.includes("needs_user/password_missing"));
      expect(bench.host.network.requests.filter((request) => request.headers["authorization"] !== undefined)).toEqual([]);
      await running.stopped(bench.host);
    });
  }
});

test("a pasted token that is refused is asked for again, and nobody is asked without a pause", () =>
  Bench.run({ config: { login: "token" }, secrets: { accessToken: "syt_wrong" } }, async (bench) => {
    const running = bench.connect();
    await bench.host.clock.advance(120_000);
    expect(bench.host.statuses.at(-1)).toMatchObject({ state: "needs_user", code: "token_refused", action: { kind: "configure", field: "accessToken" } });
    expect(bench.server.asked.filter((path) => path.includes("whoami"))).toHaveLength(1);
    bench.host.secrets.set("accessToken", TOKEN);
    await bench.until(() => bench.host.states.at(-1) === "running");
    await running.stopped(bench.host);
  }));

test("signing out ends the session at the server and forgets it here", () =>
  Bench.run({ config: PASSWORD_LOGIN, secrets: { password: "correct horse" } }, async (bench) => {
    const running = await bench.connected();
    await bench.settled(bench.channel.auth?.logout?.(bench.host.context()) ?? Promise.resolve());
    expect(bench.server.asked).toContain("POST /logout");
    expect(bench.host.secrets.size).toBe(0);
    await bench.until(() => bench.host.states.at(-1) === "needs_user/password_missing");
    await running.stopped(bench.host);
  }));

test("single sign-on: the browser leads back with a login token, which is exchanged once and only with the word that was given out", () =>
  Bench.run({ config: { login: "sso" }, secrets: {} }, async (bench) => {
    const running = bench.connect();
    await bench.until(() => bench.host.states.includes("needs_user/signed_out"));
    const step = await bench.settled(bench.channel.setup?.next(bench.host.context()) ?? Promise.reject(new Error("no setup")));
    if (step.kind !== "open") throw new Error(`the step is ${step.kind}`);
    const open = new URL(step.url);
    expect(open.pathname).toBe("/_matrix/client/v3/login/sso/redirect");
    const back = new URL(open.searchParams.get("redirectUrl") ?? "");
    const route = bench.loaded.routes[0];
    const request = (query: string) => ({ method: "GET", path: "signed-in", query, headers: {}, body: "", bytes: new Uint8Array() });
    const ctx = bench.host.context();
    expect(await route?.verify(request("word=guessed&loginToken=login-token"), ctx)).toBe(false);
    const query = `${back.search.slice(1)}&loginToken=login-token`;
    expect(await route?.verify(request(query), ctx)).toBe(true);
    expect(await bench.settled(Promise.resolve(route?.handle(request(query), ctx)))).toMatchObject({ status: 200, body: expect.stringContaining(ME) as string });
    expect(await route?.verify(request(query), ctx)).toBe(false);
    await bench.until(() => bench.host.states.at(-1) === "running");
    await running.stopped(bench.host);
  }));

test("the set-up asks for what is missing, one after the other", async () => {
  const next = async (config: Record<string, unknown>, secrets: Record<string, string> = {}, change: (server: Homeserver) => void = () => undefined) => {
    let step: unknown;
    const server = new Homeserver();
    change(server);
    await Bench.run({ config: { server: undefined, invites: undefined, ...config }, secrets, server }, async (bench) => {
      step = await bench.settled(bench.channel.setup?.next(bench.host.context()) ?? Promise.resolve(undefined));
    });
    return step;
  };
  const server = "https://matrix.example";
  expect(await next({})).toMatchObject({ kind: "input", field: "server" });
  expect(await next({ server })).toMatchObject({ kind: "choice", field: "login", options: [{ value: "password" }, { value: "sso" }, { value: "token" }] });
  expect(await next({ server, login: "password" })).toMatchObject({ kind: "input", field: "user" });
  expect(await next({ server, ...PASSWORD_LOGIN })).toMatchObject({ kind: "secret", secret: "password" });
  expect(await next({ server, login: "token" })).toMatchObject({ kind: "secret", secret: "accessToken" });
  expect(await next({ server, ...PASSWORD_LOGIN }, { password: "correct horse" })).toMatchObject({ kind: "choice", field: "invites" });
  expect(await next({ server, invites: "all", ...PASSWORD_LOGIN }, { password: "correct horse" })).toEqual({ kind: "done", account: ME, name: ME });
  const elsewhere = (told: Homeserver) => {
    told.fault = (_, path) => (path.startsWith("/.well-known") ? json({ "m.homeserver": { base_url: "https://api.elsewhere.example/" } }) : undefined);
  };
  expect(await next({ server }, {}, elsewhere)).toMatchObject({ kind: "choice", field: "homeserver", options: [{ value: "https://api.elsewhere.example" }] });
  const noMatrix = (told: Homeserver) => {
    told.fault = () => new Response("<html>hello</html>");
  };
  expect(await next({ server }, {}, noMatrix)).toMatchObject({ kind: "input", field: "server", error: expect.stringContaining("no Matrix server") as string });
});
