// Starts the programs the peer tests run against: crabline as Telegram, aimock as the model. Prints one JSON line with
// every address and token, obeys one command per line on stdin, and takes both down when stdin closes, so that no
// process outlives the test that started it, however that test ends.
//
//   node start.mjs [--fixtures file.json] [--dir folder]
//
// Commands: `telegram stop`, `telegram start`, `model stop`, `model start`. Each is answered with one JSON line. A peer
// comes back under the same address and with the same tokens; crabline forgets its chats and counters (see README.md).

import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const NODE24 = join(HERE, "node_modules/node/bin/node");
const START_LIMIT_MS = 30_000;

const { values } = parseArgs({ options: { fixtures: { type: "string" }, dir: { type: "string" } } });
const fixtures = resolve(values.fixtures ?? join(HERE, "aimock.json"));
const dir = values.dir === undefined ? mkdtempSync(join(tmpdir(), "kata-peers-")) : resolve(values.dir);

/** A program that can be stopped and started again under the same port. */
class Peer {
  #child;
  #log = "";
  port = 0;

  constructor(name, command) {
    this.name = name;
    this.command = command;
  }

  get pid() {
    return this.#child?.pid;
  }

  async start() {
    if (this.#child !== undefined) return;
    const { args, env } = this.command(this.port);
    const child = spawn(NODE24, args, { cwd: dir, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
    this.#log = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (bytes) => (this.#log = (this.#log + bytes).slice(-4000)));
    this.#child = child;
    const gone = new Promise((done) => child.once("exit", done));
    child.once("exit", () => (this.#child = undefined));
    const limit = Date.now() + START_LIMIT_MS;
    while (!(await this.#answers())) {
      if (this.#child === undefined || Date.now() > limit) throw new Error(`${this.name} did not start:\n${this.#log}`);
      await Promise.race([sleep(50), gone]);
    }
  }

  async stop() {
    const child = this.#child;
    if (child === undefined) return;
    const gone = new Promise((done) => child.once("exit", done));
    child.kill("SIGTERM");
    const hard = setTimeout(() => child.kill("SIGKILL"), 3000);
    await gone;
    clearTimeout(hard);
  }

  async #answers() {
    const url = /http:\/\/127\.0\.0\.1:(\d+)/.exec(this.#log);
    if (url === null) return false;
    this.port = Number(url[1]);
    return fetch(url[0]).then(
      () => true,
      () => false,
    );
  }
}

const adminToken = randomBytes(24).toString("hex");
const botToken = "424242:crabline-telegram-token";
const journal = join(dir, "telegram.jsonl");
const ready = join(dir, "telegram.json");

const peers = {
  telegram: new Peer("crabline", (port) => ({
    args: [join(HERE, "node_modules/@openclaw/crabline/dist/src/bin/crabline.js"), "--json", "serve", "telegram"].concat([
      ...["--port", String(port), "--ready-file", ready, "--recorder", journal],
    ]),
    env: { CRABLINE_ADMIN_TOKEN: adminToken, CRABLINE_BOT_TOKEN: botToken, XDG_CACHE_HOME: join(dir, "cache"), HOME: dir },
  })),
  model: new Peer("aimock", (port) => ({
    args: [join(HERE, "node_modules/@copilotkit/aimock/dist/cli.js"), "-h", "127.0.0.1", "-p", String(port), "-f", fixtures].concat(
      "--validate-on-load",
    ),
    env: {},
  })),
};

async function down() {
  await Promise.all(Object.values(peers).map((peer) => peer.stop()));
  if (values.dir === undefined) rmSync(dir, { recursive: true, force: true });
}

const print = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => void down().then(() => process.exit(0)));

try {
  await Promise.all(Object.values(peers).map((peer) => peer.start()));
  const manifest = JSON.parse(readFileSync(ready, "utf8"));
  const model = `http://127.0.0.1:${peers.model.port}`;
  print({
    dir,
    telegram: {
      apiRoot: manifest.endpoints.apiRoot,
      botToken: manifest.botToken,
      botId: 424242,
      botUsername: "crabline_bot",
      adminUrl: manifest.endpoints.adminInboundUrl,
      adminToken: manifest.adminToken,
      journal,
      pid: peers.telegram.pid,
    },
    model: { baseUrl: model, anthropic: `${model}/v1/messages`, openai: `${model}/v1/chat/completions`, journalUrl: `${model}/__aimock/journal`, pid: peers.model.pid },
  });
  for await (const line of createInterface({ input: process.stdin })) {
    const [name, verb] = line.trim().split(/\s+/);
    const peer = peers[name];
    if (peer === undefined || (verb !== "stop" && verb !== "start")) print({ error: `unknown command: ${line.trim()}` });
    else await peer[verb]().then(() => print({ done: `${name} ${verb}`, pid: peer.pid ?? null }));
  }
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
} finally {
  await down();
}
