// The program in external/whatsapp-linked against crabline's WhatsApp server and a scripted gateway, without the app:
// `node --test linked.mjs`. What passes here and fails in `whatsapp_linked.rs` is the app's doing.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const place = fileURLToPath(new URL("../../../external/whatsapp-linked/", import.meta.url));
const { WebSocketServer } = createRequire(place)("ws");
const PERSON = "15551234567";

const home = mkdtempSync(join(tmpdir(), "kata-linked-"));
const until = async (what, ask) => {
  for (const end = Date.now() + 30_000; Date.now() < end; await sleep(25)) {
    const found = await ask();
    if (found) return found;
  }
  throw new Error(`this did not happen: ${what}`);
};

/** What the gateway was told, and how it answers. */
const told = { inbound: [], reports: [], answers: new Map() };
let answer = "admitted";
let silent = false;
let calls = 0;
let socket;
const server = new WebSocketServer({ port: 0 });
server.on("connection", (client) => {
  socket = client;
  const say = (frame) => client.send(JSON.stringify(frame));
  say({ type: "hello", nonce: "n", versions: [1] });
  client.on("message", (data) => {
    const frame = JSON.parse(data);
    if (frame.type === "connect") say({ type: "welcome", version: 1, boot: "b", seq: 0, scope: "plugin", operations: [] });
    if (frame.type === "register") {
      say({ type: "response", id: frame.id, result: null, error: null });
      say({ type: "call", call: (calls += 1), plugin: frame.plugin.id, kind: "start", params: { channel: "whatsapp-linked", cursor: null }, deadlineMs: 30_000 });
    }
    if (frame.type === "inbound") {
      told.inbound.push(frame.message);
      if (!silent) say({ type: "response", id: frame.id, result: { outcome: answer }, error: null });
    }
    if (frame.type === "report") told.reports.push(frame.status);
    if (frame.type === "answer") told.answers.set(frame.call, frame);
  });
});

/** Asks the program to send, as the outbox does. */
const send = async (text, key, conversation = `${PERSON}@s.whatsapp.net`) => {
  const call = (calls += 1);
  const message = { route: { channel: "whatsapp-linked", account: "me", conversation }, text, idempotencyKey: key, attempt: 1 };
  socket.send(JSON.stringify({ type: "call", call, plugin: "whatsapp-linked", kind: "send", params: { channel: "whatsapp-linked", message }, deadlineMs: 30_000 }));
  return until(`an answer to the send of “${text}”`, () => told.answers.get(call));
};

let crabline;
let lines;
let peer;
let program;
let printed = "";
const start = () => {
  const env = { ...process.env, KATA_TOKEN: "a token", KATA_WHATSAPP_URL: peer.endpoints.baileysWebSocketUrl, KATA_WHATSAPP_ME: peer.selfJid, KATA_WHATSAPP_HASTY: "1" };
  program = spawn(process.execPath, [join(place, "dist/external/whatsapp-linked/src/main.js"), "--home", home, "--accept"], { stdio: ["ignore", "pipe", "pipe"], env });
  for (const stream of [program.stdout, program.stderr]) stream.on("data", (data) => (printed += data));
};
const running = () => until("the device runs", () => told.reports.at(-1)?.state.kind === "running");
const cut = async () => {
  const gone = new Promise((done) => program.on("exit", done));
  program.kill("SIGKILL");
  await gone;
  told.reports.length = 0;
};
const writes = async (text) => {
  crabline.stdin.write(`${JSON.stringify({ from: PERSON, text })}\n`);
  assert.equal(JSON.parse((await lines.next()).value).ok, true);
};
const handedIn = (text) => until(`“${text}” is handed in`, () => told.inbound.find((one) => one.text === text));
/** What the other side has read. */
const read = () =>
  readFileSync(peer.journal, "utf8").trim().split("\n").map((line) => JSON.parse(line)).filter((one) => one.method === "WEBSOCKET" && one.accepted && one.body.key.fromMe).map((one) => one.body.message.conversation);

before(async () => {
  writeFileSync(join(home, "gateway.json"), JSON.stringify({ port: server.address().port }));
  crabline = spawn("node", [fileURLToPath(new URL("start.mjs", import.meta.url))], { stdio: ["pipe", "pipe", "inherit"] });
  lines = createInterface({ input: crabline.stdout })[Symbol.asyncIterator]();
  peer = JSON.parse((await lines.next()).value);
  start();
  await running();
});
after(() => {
  program.kill("SIGKILL");
  crabline.stdin.end();
  server.close();
  for (const client of server.clients) client.terminate();
  rmSync(home, { recursive: true, force: true });
});

test("nobody is written to who has not written first", async () => {
  const { error } = await send("spam", "k0");
  assert.deepEqual([error.details.code, error.details.certain], ["forbidden", true]);
  assert.deepEqual(read(), []);
});

test("a message is handed in, and its answer is encrypted for and read by the other side, in WhatsApp's markup", async () => {
  await writes("hello");
  const message = await handedIn("hello");
  assert.deepEqual([message.chatType, message.conversation, message.sender.id, message.mentionsBot], ["direct", `${PERSON}@s.whatsapp.net`, `${PERSON}@s.whatsapp.net`, true]);
  const { result } = await send("**an answer** to hello", "k1");
  assert.equal(result.messageIds.length, 1);
  assert.deepEqual(read(), ["*an answer* to hello"]);
  assert.equal(told.inbound.length, 1, "what the device wrote itself is no message");
});

test("a send that is repeated under its key is sent once and has the id it had, also after a kill -9", async () => {
  const first = await send("**an answer** to hello", "k1");
  await cut();
  start();
  await running();
  const second = await send("**an answer** to hello", "k1");
  assert.deepEqual(second.result, first.result);
  assert.deepEqual(read(), ["*an answer* to hello"]);
});

test("what nobody answered is handed in again after a kill -9, and what came while the program was away comes", async () => {
  silent = true;
  await writes("unanswered");
  await handedIn("unanswered");
  await cut();
  await writes("while it was away");
  silent = false;
  told.inbound.length = 0;
  start();
  await running();
  await handedIn("unanswered");
  await handedIn("while it was away");
  // The session with the person goes on.
  await send("still here", "k2");
  assert.equal(read().at(-1), "still here");
  await cut();
  told.inbound.length = 0;
  start();
  await running();
  await writes("the last one");
  await handedIn("the last one");
  assert.deepEqual(told.inbound.map((one) => one.text), ["the last one"], "what was answered is not handed in again");
});

test("an app that goes away is waited for, wherever it comes back", async () => {
  socket.terminate();
  await until("the program comes back", () => socket.readyState === 1);
  await running();
  await writes("after it");
  await handedIn("after it");
});

test("neither keys nor messages are in what it prints, and its files are its owner's alone", () => {
  assert.doesNotMatch(printed, /privKey|hello|unanswered|a token/);
  for (const name of ["keys.log", "ledger.log"]) assert.equal(statSync(join(home, "whatsapp-linked", name)).mode & 0o777, 0o600, name);
});
