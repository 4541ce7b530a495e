// A stand-in for Discord on this machine: gateway and REST on one port, an admin port beside it. Prints one JSON line with its
// addresses and ends when stdin closes. What it does is judged by discord.js and discord.py (`judge.mjs`, `judge.py`).
//
// Admin, JSON by POST: /say /edit /delete /react /press /command /thread /fault /set; by GET: /messages?channel= /journal /seen /answers.

import { createServer } from "node:http";
import { randomUUID } from "node:crypto";
import { Gateway } from "./gateway.mjs";
import { Rest } from "./rest.mjs";
import { World, snowflake } from "./world.mjs";

const world = new World();
const server = createServer();
const gateway = new Gateway(world, server);
const rest = new Rest(world, gateway);

const read = async (request) => {
  const parts = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts);
};

server.on("request", async (request, response) => {
  try {
    const url = new URL(request.url, rest.base);
    const body = await read(request);
    const answer = await rest.handle({ method: request.method, url, headers: request.headers, body });
    const out = answer.bytes ?? answer.text ?? (answer.json === undefined ? "" : JSON.stringify(answer.json));
    response.writeHead(answer.status, { via: "1.1 google", ...(answer.json === undefined ? {} : { "content-type": "application/json" }), ...answer.headers });
    response.end(out);
  } catch (error) {
    console.error(error);
    response.writeHead(500).end();
  }
});

const by = (user) => [...world.users.values()].find((one) => one.id === user || one.username === user) ?? world.users.get("100000000000000001");
const channelOf = ({ channel, direct, user }) => (direct === undefined ? world.channels.get(channel) : world.direct([...world.bots.values()].find((bot) => bot.user.username === direct), by(user).id));

function interaction(type, body, data, message) {
  const channel = channelOf(body);
  const person = by(body.user);
  const [bot] = world.readers(channel);
  const id = snowflake();
  const token = randomUUID().replaceAll("-", "");
  rest.answers.set(token, { id, at: Date.now(), first: undefined, follows: [], channel, message, bot: bot.user.id });
  const who = channel.guild_id ? { guild_id: channel.guild_id, member: { ...world.member(channel.guild_id, person.id), permissions: "0" } } : { user: person };
  gateway.tell(bot, "INTERACTION_CREATE", { id, application_id: bot.application, type, token, version: 1, channel_id: channel.id, channel, data, message, locale: "en-US", entitlements: [], authorizing_integration_owners: {}, app_permissions: "0", context: channel.guild_id ? 0 : 1, attachment_size_limit: 10_485_760, ...who });
  return { token };
}

const admin = {
  say(body) {
    const channel = channelOf(body);
    const author = by(body.user);
    const files = (body.files ?? []).map(({ name, type, base64 }, index) => rest.keep(channel, { name, type, bytes: Buffer.from(base64, "base64") }, index));
    const reply = body.replyTo === undefined ? {} : { message_reference: { message_id: body.replyTo } };
    const message = world.write(channel, author.id, { content: body.content ?? "", attachments: files, ...reply });
    if (body.webhook) Object.assign(message, { webhook_id: snowflake() });
    if (!body.unheard) gateway.dispatch("MESSAGE_CREATE", message, channel, channel.guild_id ? { member: world.member(channel.guild_id, author.id) } : {});
    return { id: message.id, channel: channel.id };
  },
  edit({ channel, id, content }) {
    const message = Object.assign(world.find(channel, id), { content, edited_timestamp: new Date().toISOString() });
    gateway.dispatch("MESSAGE_UPDATE", message, world.channels.get(channel));
    return {};
  },
  delete({ channel, id }) {
    const list = world.list(channel);
    list.splice(list.findIndex((one) => one.id === id), 1);
    gateway.dispatch("MESSAGE_DELETE", { id, channel_id: channel }, world.channels.get(channel));
    return {};
  },
  react({ channel, id, emoji, user, removed }) {
    const person = by(user);
    const at = world.channels.get(channel);
    const d = { user_id: person.id, channel_id: channel, message_id: id, emoji: { id: null, name: emoji }, burst: false, type: 0, message_author_id: person.id };
    gateway.dispatch(removed ? "MESSAGE_REACTION_REMOVE" : "MESSAGE_REACTION_ADD", d, at, !removed && at.guild_id ? { member: world.member(at.guild_id, person.id) } : {});
    return {};
  },
  press(body) {
    const message = world.find(body.channel, body.message);
    return interaction(3, body, { custom_id: body.button, component_type: 2 }, message);
  },
  command: (body) => interaction(2, body, { id: snowflake(), name: body.name, type: 1, options: body.options ?? [] }),
  thread({ channel, name }) {
    const thread = world.thread(world.channels.get(channel), name);
    gateway.dispatch("THREAD_CREATE", { ...thread, newly_created: true }, thread);
    return { id: thread.id };
  },
  fault(body) {
    if (body.rest) rest.faults.push(body.rest);
    else gateway.fault(body);
    return {};
  },
  set(body) {
    const bot = [...world.bots.values()].find((one) => one.user.username === (body.bot ?? "kata"));
    for (const name of ["revoked", "flags", "permissions"]) if (name in body) bot[name] = body[name];
    if ("interval" in body) gateway.interval = body.interval;
    if ("windowMs" in body) rest.windowMs = body.windowMs;
    return {};
  },
};
const looks = {
  messages: (query) => world.list(query.get("channel")),
  journal: () => rest.journal,
  seen: () => ({ ...gateway.seen, connections: gateway.connections.size, sessions: gateway.sessions.size, typed: rest.typed, commands: [...world.bots.values()].map((bot) => bot.commands.map((one) => one.name)) }),
  answers: () => [...rest.answers].map(([token, { first, follows, edited, afterMs }]) => ({ token, first: first ?? null, follows, edited: edited ?? null, afterMs: afterMs ?? null })),
};

const door = createServer(async (request, response) => {
  const url = new URL(request.url, "http://x");
  const name = url.pathname.slice(1);
  try {
    const value = request.method === "GET" ? looks[name](url.searchParams) : admin[name](JSON.parse((await read(request)).toString()));
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value));
  } catch (error) {
    response.writeHead(400).end(`${name}: ${error.message}`);
  }
});

const listen = (one) => new Promise((done) => one.listen(0, "127.0.0.1", () => done(one.address().port)));
const [port, adminPort] = [await listen(server), await listen(door)];
rest.base = `http://127.0.0.1:${port}`;
gateway.url = `ws://127.0.0.1:${port}/gateway`;
process.stdout.write(
  `${JSON.stringify({
    apiRoot: `${rest.base}/api`,
    gatewayUrl: gateway.url,
    adminUrl: `http://127.0.0.1:${adminPort}`,
    bots: [...world.bots.values()].map((bot) => ({
      token: bot.token, id: bot.user.id, name: bot.user.username, guild: bot.guild,
      channels: Object.fromEntries([...world.channels.values()].filter((one) => one.guild_id === bot.guild).map((one) => [one.name, one.id])),
    })),
    people: { ada: "100000000000000001", bob: "100000000000000002" },
  })}\n`,
);
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
