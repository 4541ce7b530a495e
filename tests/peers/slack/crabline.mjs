// The plugin's own modules against crabline's Slack, which is strict about tokens, conversations and threads and makes events by
// itself; it has no Socket Mode, so a small door in front gives a socket and carries its events there.
//
//   node --test crabline.mjs        (the pinned Node, which strips types itself)

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { registerHooks } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Sockets } from "./sockets.mjs";

const PLUGINS = new URL("../../../plugins/", import.meta.url);
const SDK = "@kata-agents/plugin-sdk";
registerHooks({
  resolve: (name, context, next) =>
    next(name === SDK ? new URL("sdk/src/index.ts", PLUGINS).href : name.startsWith(`${SDK}/`) ? new URL(`sdk/src/${name.slice(SDK.length + 1)}/index.ts`, PLUGINS).href : name, context),
});
const { default: register } = await import(new URL("slack/index.ts", PLUGINS).href);
const { FakeHost } = await import(new URL("sdk/src/testing/index.ts", PLUGINS).href);
let channel;
register({ registerChannel: (one) => (channel = one), registerTool: () => {} });

const dir = mkdtempSync(join(tmpdir(), "kata-crabline-"));
const APP = "xapp-crabline";
let crabline;
let door;
let root;
let child;
const sockets = new Sockets("", "A1");

before(async () => {
  const ready = join(dir, "slack.json");
  const bin = fileURLToPath(new URL("../node_modules/@openclaw/crabline/dist/src/bin/crabline.js", import.meta.url));
  child = spawn(process.execPath, [bin, "--json", "serve", "slack", "--ready-file", ready], { cwd: dir, env: { ...process.env, HOME: dir, XDG_CACHE_HOME: dir }, stdio: "ignore" });
  for (let tries = 0; !existsSync(ready); tries += 1) {
    assert.ok(tries < 600, "crabline did not start");
    await sleep(50);
  }
  crabline = JSON.parse(readFileSync(ready, "utf8"));
  door = createServer(async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    const method = request.url.replace("/api/", "");
    if (method === "apps.connections.open") {
      const good = request.headers.authorization === `Bearer ${APP}`;
      return response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(good ? { ok: true, url: `ws://127.0.0.1:${door.address().port}/link?ticket=${sockets.ticket()}` } : { ok: false, error: "invalid_auth" }));
    }
    const { authorization, "content-type": type } = request.headers;
    const answer = await fetch(`${crabline.endpoints.apiRoot}${method}`, { method: "POST", headers: { authorization, "content-type": type }, body: Buffer.concat(parts) });
    response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "application/json" }).end(Buffer.from(await answer.arrayBuffer()));
  });
  door.on("upgrade", (request, socket, head) => sockets.upgrade(request, socket, head));
  await new Promise((done) => door.listen(0, "127.0.0.1", done));
  root = `http://127.0.0.1:${door.address().port}/api/`;
});

after(() => {
  child.kill("SIGKILL");
  door.closeAllConnections();
  door.close();
  rmSync(dir, { recursive: true, force: true });
  setTimeout(() => process.exit(), 100).unref();
});

const hostOf = (bot = crabline.botToken, app = APP) => new FakeHost({ config: { apiRoot: root, replyInThread: true }, secrets: { botToken: bot, appToken: app } });
const message = (text, conversation, thread = null) => ({ route: { channel: "slack", account: "T", conversation, thread, replyTo: null }, text, idempotencyKey: text, attempt: 1 });
const until = async (what, ask) => {
  for (let tries = 0; tries < 400; tries += 1) {
    const got = ask();
    if (got) return got;
    await sleep(25);
  }
  throw new Error(`never: ${what}`);
};
async function write(body) {
  const answer = await fetch(crabline.endpoints.adminInboundUrl, { method: "POST", headers: { "content-type": "application/json", "x-crabline-admin-token": crabline.adminToken }, body: JSON.stringify(body) });
  const said = await answer.json();
  assert.equal(answer.status, 200, JSON.stringify(said));
  return said;
}

test("the wizard takes crabline's token and refuses another", async () => {
  const good = await channel.auth.validate(hostOf().context());
  assert.equal(good.ok, true, JSON.stringify(good));
  const bad = await channel.auth.validate(hostOf("xoxb-wrong").context());
  assert.deepEqual([bad.ok, bad.code, bad.action.field], [false, "invalid_auth", "botToken"]);
});

test("what crabline says happened is handed in, and an answer is in its thread", async () => {
  const host = hostOf();
  const stop = new AbortController();
  const running = channel.messaging.connect(host.connectContext(stop.signal));
  await until("running", () => host.states.at(-1) === "running");
  const said = await write({ channel: "C1234567890", user: "U1234567890", text: "hello from crabline" });
  const payload = said.event_id ? said : (said.payload ?? said.event ?? said.envelope ?? said);
  const event = payload.event ?? payload;
  sockets.give("events_api", { type: "event_callback", event_id: "Ev1", ...payload, team_id: payload.team_id, event });
  const draft = await until("the draft", () => host.drafts[0]);
  assert.equal(draft.text, "hello from crabline");
  await until("the acknowledgement", () => sockets.waiting === 0);
  const { messageIds } = await channel.outbound.send(message("in the thread", draft.conversation, event.ts), host.context());
  assert.match(messageIds[0], /^C1234567890:\d+\.\d+$/);
  stop.abort();
  await running;
});

test("a conversation, a thread and a token that are not there are told apart", async () => {
  const fails = async (bot, ...route) => channel.outbound.send(message("x", ...route), hostOf(bot).context()).then(() => assert.fail("it was sent"), (error) => [error.code, error.certain]);
  assert.deepEqual(await fails(undefined, "Z0000000000"), ["not_found", true]);
  assert.deepEqual(await fails(undefined, "C1234567890", "1600000000.000001"), ["not_found", true]);
  assert.deepEqual(await fails("xoxb-wrong", "C1234567890"), ["unauthorized", true]);
});
