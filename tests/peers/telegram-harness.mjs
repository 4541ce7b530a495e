// The telegram plugin's own modules against crabline, without the app: what passes here and fails in the app is the
// host's fault. Run with the pinned Node, which strips types itself: `npm run telegram`.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

const PLUGINS = new URL("../../plugins/", import.meta.url);
const SDK = "@kata-agents/plugin-sdk";
const place = (name) => new URL(name === SDK ? "sdk/src/index.ts" : `sdk/src/${name.slice(SDK.length + 1)}/index.ts`, PLUGINS).href;
registerHooks({ resolve: (name, context, next) => next(name.startsWith(SDK) ? place(name) : name, context) });
const { default: register } = await import(new URL("telegram/index.ts", PLUGINS).href);

let channel;
register({ registerChannel: (c) => (channel = c), registerTool: () => {} });

let peers;
let answers;
let process24;
before(async () => {
  process24 = spawn(process.execPath, [new URL("start.mjs", import.meta.url).pathname], { stdio: ["pipe", "pipe", "inherit"] });
  answers = createInterface({ input: process24.stdout })[Symbol.asyncIterator]();
  peers = JSON.parse((await answers.next()).value);
});
after(() => process24.stdin.end());

async function command(line) {
  process24.stdin.write(`${line}\n`);
  return JSON.parse((await answers.next()).value);
}

/** The host's part of the bargain. `state` outlives it. */
class Host {
  drafts = [];
  statuses = [];
  abort = new AbortController();
  hold = async () => {};

  constructor(state = new Map(), token = peers.telegram.botToken) {
    const log = () => {};
    this.ctx = {
      config: { apiRoot: peers.telegram.apiRoot, pollSeconds: 1 },
      secrets: { get: async () => token },
      state: { get: async (k) => state.get(k), set: async (k, v) => void state.set(k, v), delete: async (k) => void state.delete(k) },
      logger: { error: log, warn: log, info: log, debug: log },
      signal: this.abort.signal,
      status: (s) => void this.statuses.push(s.code ? `${s.state}/${s.code}` : s.state),
      receive: async (draft) => {
        await this.hold(draft);
        this.drafts.push(draft);
        return { outcome: "admitted" };
      },
    };
  }

  start() {
    this.running = channel.messaging.connect(this.ctx);
    return this;
  }

  async stop() {
    this.abort.abort();
    await this.running;
  }

  async until(what, condition, ms = 10_000) {
    const end = Date.now() + ms;
    while (!condition()) {
      assert.ok(Date.now() < end, `${what} did not come within ${ms} ms; states ${this.statuses.slice(-5)}, drafts ${this.drafts.length}`);
      await sleep(20);
    }
  }
}

let updateId = 100;
/** A person writes. Update and message ids are given, because crabline counts from 1 again after a restart. */
async function write(body) {
  updateId += 1;
  const response = await fetch(peers.telegram.adminUrl, {
    method: "POST",
    headers: { "content-type": "application/json", "x-crabline-admin-token": peers.telegram.adminToken },
    body: JSON.stringify({ fromId: 100001, fromName: "Alice", updateId, messageId: updateId, ...body }),
  });
  assert.equal(response.status, 200, await response.clone().text());
  return updateId;
}

function journal(method) {
  const lines = readFileSync(peers.telegram.journal, "utf8").trim().split("\n");
  return lines.map((line) => JSON.parse(line)).filter((event) => event.type === "api" && event.path.endsWith(`/${method}`));
}

const GROUP = "-1001234567890";
const message = (text, route = {}, key = "k") => ({
  route: { channel: "telegram", account: "424242", conversation: "100001", thread: null, replyTo: null, ...route },
  text,
  idempotencyKey: key,
  attempt: 1,
});

test("an update is confirmed only after the host has it, and reaches it once", async () => {
  const host = new Host();
  let release;
  host.hold = () => new Promise((resolve) => (release = resolve));
  host.start();
  await host.until("running", () => host.statuses.includes("running"));
  const id = await write({ chatId: "100001", text: "hi" });
  await host.until("the draft", () => release !== undefined);
  // crabline notes a poll when it answers it, so this waits for longer than one poll takes.
  await sleep(1500);
  assert.deepEqual(journal("getUpdates").filter((event) => event.body.offset > id), []);
  release();
  await host.until("the confirmation", () => journal("getUpdates").some((event) => event.body.offset === id + 1), 8000);
  assert.deepEqual(host.drafts.map((d) => [d.messageId, d.chatType, d.text, d.sender.id, d.account]), [[`100001:${id}`, "direct", "hi", "100001", "424242"]]);
  await host.stop();
});

test("a topic message addresses the bot, and typing and reply go to that topic", async () => {
  const host = new Host().start();
  await host.until("running", () => host.statuses.includes("running"));
  const text = "@crabline_bot use the tool";
  const id = await write({ chatId: GROUP, chatType: "supergroup", isForum: true, messageThreadId: 77, text, entities: [{ type: "mention", offset: 0, length: 13 }] });
  await host.until("the draft", () => host.drafts.length === 1);
  const [draft] = host.drafts;
  assert.deepEqual([draft.thread, draft.mentionsBot, draft.chatType, draft.conversation], ["77", true, "group", GROUP]);
  const sent = message("**done** with `echo`", { conversation: draft.conversation, thread: draft.thread, replyTo: draft.messageId });
  await channel.heartbeat.typing(sent.route, host.ctx);
  const receipt = await channel.outbound.send(sent, host.ctx);
  assert.match(receipt.messageIds[0], /^-1001234567890:\d+$/);
  assert.deepEqual(journal("sendChatAction").at(-1).body, { chat_id: Number(GROUP), action: "typing", message_thread_id: 77 });
  const entry = journal("sendMessage").at(-1);
  assert.equal(entry.accepted, true);
  assert.deepEqual(entry.body, {
    chat_id: Number(GROUP),
    message_thread_id: 77,
    reply_parameters: { message_id: id, allow_sending_without_reply: true },
    text: "<b>done</b> with <code>echo</code>",
    parse_mode: "HTML",
  });
  await channel.outbound.edit(receipt.messageIds[0], message("*changed*", { conversation: GROUP }), host.ctx);
  assert.equal(journal("editMessageText").at(-1).accepted, true);
  await host.stop();
});

test("crabline accepts every message of a long answer, and 4,096 units as one", async () => {
  const host = new Host();
  const fixtures = JSON.parse(readFileSync(new URL("aimock.json", import.meta.url), "utf8")).fixtures;
  const long = fixtures.find((fixture) => fixture.match.userMessage === "long answer").response.content;
  const before = journal("sendMessage").length;
  assert.equal((await channel.outbound.send(message(long), host.ctx)).messageIds.length, 2);
  assert.equal((await channel.outbound.send(message(`**${"😀".repeat(2048)}**`), host.ctx)).messageIds.length, 1);
  assert.equal((await channel.outbound.send(message("&".repeat(4097)), host.ctx)).messageIds.length, 2);
  assert.ok(journal("sendMessage").slice(before).every((entry) => entry.accepted));
});

test("a second poller is named, and the channel comes back when it is gone", async () => {
  const host = new Host().start();
  await host.until("running", () => host.statuses.includes("running"));
  await sleep(300);
  const other = `${peers.telegram.apiRoot}/bot${peers.telegram.botToken}/getUpdates`;
  await fetch(other, { method: "POST", headers: { "content-type": "application/json" }, body: '{"timeout":0}' });
  await host.until("the conflict", () => host.statuses.includes("degraded/conflict_409"));
  await host.until("running again", () => host.statuses.at(-1) === "running", 15_000);
  await host.stop();
});

test("when Telegram goes away the state says so, and it is back within six seconds of it", async () => {
  const host = new Host().start();
  await host.until("running", () => host.statuses.includes("running"));
  assert.equal((await command("telegram stop")).done, "telegram stop");
  await host.until("unreachable", () => host.statuses.at(-1) === "degraded/unreachable");
  await assert.rejects(channel.outbound.send(message("lost?"), host.ctx), { name: "SendError", code: "unreachable", certain: true });
  await command("telegram start");
  await host.until("running again", () => host.statuses.at(-1) === "running", 6000);
  const id = await write({ chatId: "100001", text: "after" });
  await host.until("the message", () => host.drafts.some((d) => d.messageId === `100001:${id}`));
  await host.stop();
});

test("a plugin brought down and up again loses nothing and repeats nothing", async () => {
  const state = new Map();
  const first = new Host(state).start();
  await first.until("running", () => first.statuses.includes("running"));
  await write({ chatId: "100001", text: "one" });
  await first.until("one", () => first.drafts.length === 1);
  await first.stop();
  await write({ chatId: "100001", text: "two" });
  const second = new Host(state).start();
  await second.until("two", () => second.drafts.length > 0);
  await sleep(300);
  assert.deepEqual(second.drafts.map((d) => d.text), ["two"]);
  await second.stop();
});

test("a wrong token waits for a person", async () => {
  const host = new Host(new Map(), "424242:wrong").start();
  await host.until("the question", () => host.statuses.includes("needs_user/token_refused"));
  await assert.rejects(channel.outbound.send(message("x"), host.ctx), { code: "unauthorized", certain: true });
  assert.equal((await channel.auth.validate(host.ctx)).ok, false);
  await host.stop();
  assert.deepEqual(await channel.auth.validate(new Host().ctx), { ok: true, account: "424242", name: "@crabline_bot" });
});
