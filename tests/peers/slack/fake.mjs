// Slack for the tests: Socket Mode by us (`sockets.mjs`), the Web API by emulate with a strict door in front (`web.mjs`), people
// who write, press and react by the admin path. Bolt and slack_sdk judge it (`judge.mjs`, `judge.py`).
//
//   node fake.mjs [--team Name] [--channel name] [--rooms N]      (Node 22 or newer; ends when stdin closes)
//
// Prints one JSON line: {api, admin, bot, app, people, botUser, channel, rooms, team}. POST {do, …} to `admin`; GET it for the log.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as plainServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Sockets } from "./sockets.mjs";
import { Web } from "./web.mjs";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const { values } = parseArgs({ options: { team: { type: "string", default: "Acme" }, channel: { type: "string", default: "team" }, rooms: { type: "string", default: "0" } } });
const slug = values.team.toLowerCase();
const tokens = { bot: `xoxb-${slug}-bot`, app: `xapp-${slug}-app`, people: { ann: `xoxp-${slug}-ann`, bob: `xoxp-${slug}-bob` } };

const freePort = () =>
  new Promise((done) => {
    const server = plainServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });

const dir = mkdtempSync(join(tmpdir(), "kata-slack-"));
const seed = {
  slack: {
    team: { name: values.team, domain: slug },
    users: [{ name: "ann", real_name: "Ann Lee" }, { name: "bob", real_name: "Bob" }, { name: "kata", real_name: "Kata" }],
    channels: [{ name: values.channel }, ...Array.from({ length: Number(values.rooms) }, (_, n) => ({ name: `room-${n}` }))],
    tokens: [{ token: tokens.bot, user: "kata" }, ...Object.entries(tokens.people).map(([user, token]) => ({ token, user }))],
  },
};
writeFileSync(join(dir, "seed.json"), JSON.stringify(seed));
const port = await freePort();
const emulate = `http://127.0.0.1:${port}`;
const child = spawn(process.execPath, [join(HERE, "node_modules/emulate/dist/index.js"), "--port", String(port), "--service", "slack", "--seed", join(dir, "seed.json")], {
  stdio: ["ignore", "pipe", "pipe"],
  env: { ...process.env, HOME: dir },
});
let said = "";
for (const stream of [child.stdout, child.stderr]) stream.on("data", (bytes) => (said = (said + bytes).slice(-4000)));
const down = (code = 0) => {
  child.kill("SIGKILL");
  rmSync(dir, { recursive: true, force: true });
  process.exit(code);
};
child.once("exit", (code) => {
  process.stderr.write(`emulate ended with ${code}:\n${said}\n`);
  process.exit(1);
});
process.stdin.resume().once("end", () => down());
for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => down());
for (let tries = 0; ; tries += 1) {
  if (await fetch(emulate).then(() => true, () => false)) break;
  if (tries > 600) down(1);
  await sleep(50);
}

const sockets = new Sockets("", "A0FAKE");
let origin = "";
const web = new Web({ emulate, tokens, sockets, origin: () => origin });
const me = await web.ask("auth.test", {}, tokens.bot);
sockets.teamId = me.team_id;
const people = {};
for (const [name, token] of Object.entries(tokens.people)) people[name] = (await web.ask("auth.test", {}, token)).user_id;
const { channels } = await web.ask("conversations.list", { limit: "1000" }, tokens.bot);
const rooms = channels.filter((one) => one.name.startsWith("room-")).map((one) => one.id);
const channel = channels.find((one) => one.name === values.channel).id;
let events = 0;

const direct = async (name) => (await web.ask("conversations.open", { users: me.user_id }, tokens.people[name])).channel.id;
const typeOf = (id) => (id.startsWith("D") ? "im" : "channel");

function happen(event, options) {
  events += 1;
  const authorizations = [{ enterprise_id: null, team_id: me.team_id, user_id: me.user_id, is_bot: true, is_enterprise_install: false }];
  const whole = { event_ts: event.ts ?? `${Date.now() / 1000}`, ...event };
  sockets.give("events_api", { token: "x", team_id: me.team_id, api_app_id: sockets.appId, event: whole, type: "event_callback", event_id: `Ev${events}`, event_time: Math.floor(Date.now() / 1000), authorizations }, options);
}

/** A person's message is emulate's, so it is in the history; the event is ours. */
async function say({ from = "ann", to, text = "", thread, file, silent = false, copies = 1 }) {
  const where = to ?? (await direct(from));
  const token = tokens.people[from];
  let ts;
  let files = {};
  if (file === undefined) {
    const answer = await web.ask("chat.postMessage", { channel: where, text, ...(thread === undefined ? {} : { thread_ts: thread }) }, token);
    if (!answer.ok) throw new Error(`emulate: ${answer.error}`);
    ts = answer.ts;
  } else {
    const bytes = Buffer.from(file.base64, "base64");
    const place = await web.ask("files.getUploadURLExternal", { filename: file.name, length: String(bytes.length) }, token);
    await fetch(place.upload_url.replace("localhost", "127.0.0.1"), { method: "POST", body: bytes });
    const done = await web.ask("files.completeUploadExternal", { files: JSON.stringify([{ id: place.file_id, title: file.name }]), channel_id: where, ...(text === "" ? {} : { initial_comment: text }) }, token);
    const { messages } = await web.ask("conversations.history", { channel: where, limit: "1" }, token);
    ts = messages[0].ts;
    files = { subtype: "file_share", files: done.files.map((one) => ({ ...one, name: file.name, mimetype: file.mime, size: bytes.length, url_private_download: one.url_private_download?.replace(emulate, origin) })), upload: true };
  }
  const message = { type: "message", channel: where, channel_type: typeOf(where), user: people[from], text, ts, team: me.team_id, ...(thread === undefined ? {} : { thread_ts: thread, parent_user_id: people[from] }), ...files };
  if (!silent) {
    happen(message, { copies });
    // The mention of a channel comes a second time.
    if (text.includes(`<@${me.user_id}>`) && !where.startsWith("D")) happen({ ...message, type: "app_mention", channel_type: undefined });
  }
  return { channel: where, ts };
}

const orders = {
  say,
  async many({ from = "ann", to, count, text = "message" }) {
    const where = to ?? (await direct(from));
    for (let index = 1; index <= count; index += 1) await say({ from, to: where, text: `${text} ${index}` });
    return { channel: where };
  },
  async edit({ from = "ann", channel: where, ts, text }) {
    await web.ask("chat.update", { channel: where, ts, text }, tokens.people[from]);
    happen({ type: "message", subtype: "message_changed", channel: where, channel_type: typeOf(where), message: { type: "message", user: people[from], text, ts, edited: { user: people[from], ts } }, previous_message: { type: "message", user: people[from], text: "before", ts }, ts: `${Date.now() / 1000}` });
  },
  async delete({ from = "ann", channel: where, ts }) {
    await web.ask("chat.delete", { channel: where, ts }, tokens.people[from]);
    happen({ type: "message", subtype: "message_deleted", channel: where, channel_type: typeOf(where), deleted_ts: ts, previous_message: { type: "message", user: people[from], text: "x", ts }, ts: `${Date.now() / 1000}` });
  },
  async react({ from = "ann", channel: where, ts, name, take = false }) {
    await web.ask(take ? "reactions.remove" : "reactions.add", { channel: where, timestamp: ts, name }, tokens.people[from]);
    happen({ type: take ? "reaction_removed" : "reaction_added", user: people[from], reaction: name, item: { type: "message", channel: where, ts }, item_user: me.user_id });
  },
  /** Presses the button of that value under the newest message that has one. */
  async press({ from = "ann", channel: where, label, thread }) {
    const method = thread === undefined ? "conversations.history" : "conversations.replies";
    const { messages } = await web.ask(method, { channel: where, limit: "100", ...(thread === undefined ? {} : { ts: thread }) }, tokens.bot);
    const found = messages.flatMap((message) => (message.blocks ?? []).flatMap((block) => (block.elements ?? []).map((button) => ({ message, block, button })))).filter(({ button }) => button.text?.text === label);
    const [last] = found.sort((a, b) => (a.message.ts < b.message.ts ? 1 : -1));
    if (last === undefined) throw new Error(`no button “${label}” in ${where}`);
    const { message, block, button } = last;
    sockets.give("interactive", {
      type: "block_actions",
      user: { id: people[from], username: from, name: from, team_id: me.team_id },
      api_app_id: sockets.appId,
      token: "x",
      container: { type: "message", message_ts: message.ts, channel_id: where, is_ephemeral: false, ...(message.thread_ts ? { thread_ts: message.thread_ts } : {}) },
      trigger_id: `${Date.now()}.${Math.random()}`,
      team: { id: me.team_id, domain: slug },
      channel: { id: where, name: where.startsWith("D") ? "directmessage" : values.channel },
      message: { type: "message", user: me.user_id, ...message },
      response_url: `${origin}/response`,
      actions: [{ action_id: button.action_id, block_id: block.block_id, text: button.text, value: button.value, type: "button", action_ts: `${Date.now() / 1000}` }],
    });
    return { value: button.value };
  },
  async command({ from = "ann", to, text = "" }) {
    const where = to ?? (await direct(from));
    const trigger_id = `${Date.now()}.${Math.random()}`;
    sockets.give("slash_commands", { token: "x", team_id: me.team_id, team_domain: slug, channel_id: where, channel_name: where.startsWith("D") ? "directmessage" : values.channel, user_id: people[from], user_name: from, command: "/kata", text, api_app_id: sockets.appId, response_url: `${origin}/response`, trigger_id });
  },
  async history({ channel: where, thread }) {
    const method = thread === undefined ? "conversations.history" : "conversations.replies";
    return web.ask(method, { channel: where, limit: "1000", ...(thread === undefined ? {} : { ts: thread }) }, tokens.bot);
  },
  direct: async ({ from = "ann" }) => ({ channel: await direct(from) }),
  disconnect: async ({ reason = "refresh_requested", afterMs }) => sockets.disconnect(reason, afterMs),
  drop: async () => sockets.drop(),
  silence: async () => sockets.silence(),
  refuse: async ({ times }) => sockets.refuse(times),
  hold: async () => void (sockets.holding = true),
  release: async (how) => sockets.release(how),
  fault: async ({ do: _, ...fault }) => void web.faults.push({ times: 1, ...fault }),
  revoke: async ({ token = tokens.bot, error = "token_revoked" }) => void web.revoked.set(token, error),
  restore: async ({ token = tokens.bot }) => void web.revoked.delete(token),
  scopes: async ({ scopes }) => void (web.scopes = scopes),
  streaming: async ({ on }) => void (web.streaming = on),
};

async function bodyOf(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts);
}

const server = createServer(async (request, response) => {
  const send = (status, value, headers = {}) => response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(value));
  try {
    const url = new URL(request.url, origin);
    const body = await bodyOf(request);
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1];
    if (url.pathname === "/admin") {
      if (request.method === "GET") return send(200, { calls: web.calls, ...sockets.log, waiting: sockets.waiting, open: sockets.count });
      const order = JSON.parse(body.toString());
      const run = orders[order.do];
      if (run === undefined) return send(400, { error: `no such order: ${order.do}` });
      return send(200, (await run(order)) ?? {});
    }
    if (url.pathname.startsWith("/api/")) {
      const json = request.headers["content-type"]?.startsWith("application/json") === true;
      const given = json ? JSON.parse(body.toString() || "{}") : Object.fromEntries([...new URLSearchParams(body.toString()), ...url.searchParams]);
      const fields = Object.fromEntries(Object.entries(given).map(([name, value]) => [name, typeof value === "object" ? JSON.stringify(value) : String(value)]));
      const answer = await web.call(url.pathname.slice("/api/".length), fields, token ?? fields.token);
      if (answer === undefined) return void request.socket.destroy();
      return send(answer.status, answer.body, answer.headers);
    }
    // Uploads and downloads are emulate's; a download wants the token, and shows a sign-in page without it.
    const upload = request.method === "POST";
    if (!upload && token !== tokens.bot) return void response.writeHead(200, { "content-type": "text/html" }).end("<html>Sign in</html>");
    const from = await fetch(`${emulate}${url.pathname}${url.search}`, { method: request.method, headers: { "content-type": request.headers["content-type"] ?? "application/octet-stream", ...(token ? { authorization: `Bearer ${token}` } : {}) }, ...(upload ? { body } : {}) });
    response.writeHead(from.status, { "content-type": from.headers.get("content-type") ?? "application/octet-stream" }).end(Buffer.from(await from.arrayBuffer()));
  } catch (error) {
    send(500, { ok: false, error: String(error.stack ?? error) });
  }
});
server.on("upgrade", (request, socket, head) => sockets.upgrade(request, socket, head));
server.listen(0, "127.0.0.1", () => {
  origin = `http://127.0.0.1:${server.address().port}`;
  process.stdout.write(`${JSON.stringify({ api: `${origin}/api/`, admin: `${origin}/admin`, bot: tokens.bot, app: tokens.app, people, botUser: me.user_id, channel, rooms, team: me.team_id })}\n`);
});
