// oidc-provider as the place people sign in at, a small API that takes its tokens, and the person with the browser: follows
// redirects with a cookie jar and fills in the provider's own pages. Prints one JSON line with its address, obeys one command per
// line on stdin, each answered with one JSON line, and ends when stdin closes.
//
//   node provider.mjs [narrow]      (narrow: it knows no “mail”, and leaves out what it does not know)
//
// Commands: `browse URL` (to the end, over every page), `life SECONDS` (of access tokens from now on), `revoke` (every grant),
// `skew SECONDS` (its clock, from now on), `deny` (the person says no),
// `stats`, `stop` (answers nobody), `start`.

import { createServer } from "node:http";
import { createInterface } from "node:readline";
import Provider, { interactionPolicy } from "oidc-provider";

// What it has to say about its defaults does not belong among the answers.
for (const level of ["debug", "info", "log", "warn"]) console[level] = (...words) => console.error(...words);

const real = Date.now.bind(Date);
let skew = 0;
Date.now = () => real() + skew * 1000;

const narrow = process.argv[2] === "narrow";
const life = { seconds: 5 };
const stats = { refreshed: 0, codes: 0, devices: 0, refused: {}, api: { ok: 0, unauthorized: 0, forbidden: 0 }, revoked: 0 };
const grants = new Set();
const person = { deny: false };

const http = createServer();
await new Promise((done) => http.listen(0, "127.0.0.1", done));
const issuer = `http://127.0.0.1:${http.address().port}`;

const DEVICE = "urn:ietf:params:oauth:grant-type:device_code";
const native = { application_type: "native", redirect_uris: ["http://127.0.0.1/callback"], response_types: ["code"], grant_types: ["authorization_code", "refresh_token", DEVICE] };
const provider = new Provider(issuer, {
  clients: [
    { ...native, client_id: "kata", token_endpoint_auth_method: "none" },
    { ...native, client_id: "kata-secret", client_secret: "a-secret-of-an-app/with+signs", token_endpoint_auth_method: "client_secret_post" },
  ],
  scopes: ["openid", "offline_access", "calendar", ...(narrow ? [] : ["mail"])],
  claims: { openid: ["sub"], email: ["email"] },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, email: `${id}@example.org` }) }),
  features: { devInteractions: { enabled: true }, deviceFlow: { enabled: true }, revocation: { enabled: true }, userinfo: { enabled: true } },
  pkce: { required: (_, client) => client.grantTypeAllowed("authorization_code") },
  rotateRefreshToken: true,
  issueRefreshToken: async (_, client) => client.grantTypeAllowed("refresh_token"),
  ttl: {
    AccessToken: () => life.seconds,
    RefreshToken: 86_400,
    AuthorizationCode: 60,
    DeviceCode: 300,
    Grant: 86_400,
    IdToken: 3600,
    Interaction: 600,
    Session: 86_400,
  },
  cookies: { keys: ["only on this machine"] },
  interactions: { policy: interactionPolicy.base() },
});
provider.on("grant.success", (ctx) => {
  grants.add(ctx.oidc.entities.Grant?.jti);
  const type = ctx.oidc.params.grant_type;
  if (type === "refresh_token") stats.refreshed++;
  else if (type === DEVICE) stats.devices++;
  else stats.codes++;
});
provider.on("grant.error", (_, error) => {
  const why = `${error.error}: ${error.error_detail ?? error.error_description}`;
  stats.refused[why] = (stats.refused[why] ?? 0) + 1;
});
provider.on("grant.revoked", () => stats.revoked++);
provider.use(async (ctx, next) => {
  await next();
  if (skew !== 0) ctx.set("Date", new Date(Date.now()).toUTCString());
});

const oidc = provider.callback();
http.on("request", async (request, answer) => {
  if (!request.url.startsWith("/api/")) return oidc(request, answer);
  const bearer = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1];
  const token = bearer && (await provider.AccessToken.find(bearer));
  const [status, kind] = !token ? [401, "unauthorized"] : !token.scopes.has("mail") ? [403, "forbidden"] : [200, "ok"];
  stats.api[kind]++;
  answer.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify({ status, account: token?.accountId }));
});

/** The person: goes wherever the pages lead and fills them in. Answers what stands on the last one. */
async function browse(start) {
  const jar = new Map();
  let url = new URL(start);
  let form;
  for (let step = 0; step < 40; step++) {
    const ours = url.origin === issuer;
    const headers = ours && jar.size > 0 ? { cookie: [...jar].map(([k, v]) => `${k}=${v}`).join("; ") } : {};
    const response = await fetch(url, { redirect: "manual", headers, method: form ? "POST" : "GET", body: form });
    form = undefined;
    if (ours) {
      for (const cookie of response.headers.getSetCookie()) {
        const [pair] = cookie.split(";");
        const at = pair.indexOf("=");
        if (/expires=Thu, 01 Jan 1970/i.test(cookie)) jar.delete(pair.slice(0, at));
        else jar.set(pair.slice(0, at), pair.slice(at + 1));
      }
    }
    const next = response.headers.get("location");
    if (next !== null) {
      url = new URL(next, url);
      continue;
    }
    const page = await response.text();
    const action = /<form[^>]*action="([^"]+)"/i.exec(page)?.[1];
    if (!ours || action === undefined) return { url: url.href, status: response.status, page: page.replace(/<style>.*?<\/style>/gs, "").replace(/<[^>]+>/g, " ").replace(/\s+/g, " ").trim() };
    form = new URLSearchParams();
    for (const [tag] of page.matchAll(/<input[^>]*>/gi)) {
      const attribute = (name) => new RegExp(`${name}="([^"]*)"`, "i").exec(tag)?.[1];
      const name = attribute("name");
      if (name === undefined) continue;
      form.set(name, attribute("value") ?? { login: "ada", password: "any" }[name] ?? "");
    }
    if (person.deny && form.get("prompt") === "consent") {
      form = undefined;
      const abort = /href="([^"]*\/abort)"/i.exec(page)?.[1];
      url = new URL(abort, url);
      continue;
    }
    url = new URL(action.replaceAll("&amp;", "&"), url);
  }
  return { url: url.href, status: 0, page: "it led nowhere" };
}

const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
say({ issuer });
const lines = createInterface({ input: process.stdin });
for await (const line of lines) {
  const [command, argument] = line.split(" ");
  if (command === "browse") say(await browse(argument).catch((error) => ({ status: 0, page: `${error.cause ?? error}` })));
  else if (command === "life") say({ life: (life.seconds = Number(argument)) });
  else if (command === "skew") say({ skew: (skew = Number(argument)) });
  else if (command === "deny") say({ deny: (person.deny = !person.deny) });
  else if (command === "revoke") {
    for (const id of grants) {
      await (await provider.Grant.find(id))?.destroy();
      for (const kind of ["AccessToken", "RefreshToken"]) await provider[kind].revokeByGrantId(id);
    }
    say({ revoked: grants.size });
    grants.clear();
  } else if (command === "stop") {
    http.closeAllConnections();
    await new Promise((done) => http.close(done));
    say({ done: true });
  } else if (command === "start") {
    await new Promise((done) => http.listen(Number(new URL(issuer).port), "127.0.0.1", done));
    say({ done: true });
  } else say(stats);
}
process.exit(0);
