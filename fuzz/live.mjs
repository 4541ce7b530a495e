// Malformed frames at a running gateway, over real sockets: `node fuzz/live.mjs SECONDS` (Node 22 or newer), with KATA (the program) and the
// environment of its home. What is sent: broken HTTP heads, broken WebSocket frames (reserved bits, wrong opcodes, no mask, lying
// lengths, cut fragments), frames of JSON that are nearly right, from strangers and from a paired device. Beside it a good client asks
// all the time; it must be answered, always, and the gateway must be there in the end. Prints one line of JSON.
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import net from "node:net";

const KATA = process.env.KATA ?? "target/debug/kata";
const until = Date.now() + Number(process.argv[2] ?? 60) * 1000;
const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
let state = seed;
const random = () => ((state = (Math.imul(state, 1103515245) + 12345) >>> 0) / 2 ** 32);
const below = (n) => Math.floor(random() * n);
const pick = (list) => list[below(list.length)];
const kata = (...args) => JSON.parse(execFileSync(KATA, ["--json", ...args], { encoding: "utf8" }));

const { port } = kata("gateway");
const token = kata("token").token;
const url = `ws://127.0.0.1:${port}/ws`;
const count = { heads: 0, bytes: 0, json: 0, known: 0, good: 0 };
let slowest = 0;

const hello = `GET /ws HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n`;

/** Opens, sends, and waits for the end or a little while; then breaks off. */
const raw = (...chunks) =>
  new Promise((done) => {
    const socket = net.connect(port, "127.0.0.1", () => chunks.forEach((chunk) => socket.write(chunk)));
    const end = () => (socket.destroy(), done());
    socket.on("error", end).on("close", end).resume();
    setTimeout(end, 40 + below(60));
  });

function frame() {
  const body = pick([randomBytes(below(300)), Buffer.from(json()), Buffer.alloc(below(70_000), "x")]);
  const first = random() < 0.5 ? 0x81 : below(256);
  const masked = random() < 0.85 ? 0x80 : 0;
  const said = random() < 0.7 ? body.length : below(2 ** 31);
  const head = said < 126 ? Buffer.from([first, masked | said]) : said < 65_536 ? Buffer.from([first, masked | 126, said >> 8, said & 255]) : (() => { const b = Buffer.alloc(10); b[0] = first; b[1] = masked | 127; b.writeBigUInt64BE(BigInt(said) * BigInt(random() < 0.1 ? 2 ** 30 : 1), 2); return b; })();
  return Buffer.concat([head, masked ? Buffer.alloc(4) : Buffer.alloc(0), body]);
}

const KINDS = ["connect", "pair", "request", "subscribe", "ack", "register", "inbound", "report", "answer", "hello", "paired", "x".repeat(40)];
const FIELDS = ["version", "token", "device", "signature", "client", "boot", "lastSeq", "topics", "code", "publicKey", "id", "op", "params", "seq", "plugin", "message", "channel", "status", "call", "result", "error", "__proto__"];
const leaf = () => pick([null, true, 0, -1, 1e308, 2 ** 53, "", "\u0000", "😀".repeat(below(20)), "canary-secret", [], {}, [[[[]]]], { a: { b: [1] } }, "A".repeat(below(2000)), below(1e9)]);
function json() {
  const made = { type: pick(KINDS), version: 1, client: "fuzz", id: below(9), op: pick(["session.list", "system.status", "nothing", "gateway.state"]) };
  for (let n = below(6); n > 0; n -= 1) made[pick(FIELDS)] = leaf();
  let text = JSON.stringify(made);
  if (random() < 0.3) text = text.slice(0, below(text.length));
  if (random() < 0.3) { const at = below(text.length); text = text.slice(0, at) + String.fromCharCode(below(0x3000)) + text.slice(at + below(3)); }
  if (random() < 0.02) text = "[".repeat(1 + below(100_000));
  return text;
}

const open = () =>
  new Promise((done, fail) => {
    const socket = new WebSocket(url);
    socket.addEventListener("error", () => fail(new Error("not let in")));
    socket.addEventListener("message", () => done(socket), { once: true });
  });
const closed = (socket) => new Promise((done) => (socket.readyState >= 2 ? done() : socket.addEventListener("close", done)));
const patience = (ms) => new Promise((done) => setTimeout(done, ms));

/** Welcomed by the local token. */
async function known() {
  const socket = await open();
  const welcome = new Promise((done, fail) => {
    socket.addEventListener("message", ({ data }) => JSON.parse(data).type === "welcome" && done(socket));
    socket.addEventListener("close", () => fail(new Error("a right token was turned away")));
  });
  socket.send(JSON.stringify({ type: "connect", version: 1, token, client: "good", topics: [] }));
  return welcome;
}

async function ask(socket, id) {
  const began = performance.now();
  const answered = new Promise((done, fail) => {
    const hear = ({ data }) => {
      const said = JSON.parse(data);
      if (said.type !== "response" || said.id !== id) return;
      socket.removeEventListener("message", hear);
      said.error === null ? done() : fail(new Error(JSON.stringify(said.error)));
    };
    socket.addEventListener("message", hear);
    setTimeout(() => fail(new Error("the good client got no answer in 15 s")), 15_000).unref();
  });
  socket.send(JSON.stringify({ type: "request", id, op: "system.status", params: {} }));
  await answered;
  slowest = Math.max(slowest, performance.now() - began);
  count.good += 1;
}

async function attack() {
  while (Date.now() < until) {
    const way = random();
    if (way < 0.15) {
      count.heads += 1;
      await raw(pick([randomBytes(below(400)), "GET / HTTP/1.1\r\n".repeat(1 + below(50)), `GET /${"a".repeat(below(20_000))} HTTP/1.1\r\nHost: x\r\n\r\n`, hello.slice(0, below(hello.length)), hello.replace("13", String(below(99))), `POST /hooks/x/y HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Length: ${below(1e9)}\r\n\r\nx`]));
    } else if (way < 0.5) {
      count.bytes += 1;
      await raw(hello, ...Array.from({ length: 1 + below(4) }, frame));
    } else if (way < 0.8) {
      const socket = await open().catch(() => null);
      if (socket === null) continue;
      socket.send(json());
      count.json += 1;
      await Promise.race([closed(socket), patience(200)]);
      socket.close();
    } else {
      const socket = await known();
      for (let n = 1 + below(20); n > 0 && socket.readyState === 1; n -= 1) {
        socket.send(random() < 0.9 ? json() : randomBytes(below(50)));
        count.known += 1;
      }
      await Promise.race([closed(socket), patience(30)]);
      socket.close();
    }
  }
}

async function good() {
  const socket = await known();
  let ended = false;
  socket.addEventListener("close", () => (ended = true));
  for (let id = 1; Date.now() < until; id += 1) {
    if (ended) throw new Error("the good client was cut off");
    await ask(socket, id);
    await patience(20);
  }
  socket.close();
}

await Promise.all([good(), attack(), attack(), attack()]);
const health = await fetch(`http://127.0.0.1:${port}/healthz`).then((answer) => answer.status);
const log = execFileSync(KATA, ["logs", "-n", "2000", "--level", "debug"], { encoding: "utf8", maxBuffer: 1 << 26 });
const leaked = log.includes("canary-secret") || log.includes(token);
console.log(JSON.stringify({ seed, ...count, slowestMs: Math.round(slowest), health, leaked }));
process.exit(health === 200 && !leaked ? 0 : 1);
