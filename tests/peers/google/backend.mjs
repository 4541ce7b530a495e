// The programs that play Google: emulate as it is started from a shell, or @emulators/google in this process, which knows no token
// but those it gave out.

import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const HERE = fileURLToPath(new URL(".", import.meta.url));
export const ME = "me@gmail.example";

const SEED = {
  // emulate takes unknown tokens for the first person; nobody's address is nobody.
  users: [{ email: "", name: "Nobody" }, { email: ME, name: "Mia Example" }],
  labels: [{ id: "Label_7", user_email: ME, name: "Kata" }],
  calendars: [
    { id: ME, user_email: ME, summary: "Mia", primary: true, time_zone: "Europe/Berlin" },
    { id: "team@group.example", user_email: ME, summary: "Team", time_zone: "America/New_York", access_role: "reader" },
  ],
};

async function freePort() {
  const server = createServer();
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}

/** Starts one; gives its address and how it is taken down. */
export async function start(kind) {
  return kind === "strict" ? strict() : emulate();
}

async function emulate() {
  const dir = mkdtempSync(join(tmpdir(), "kata-google-"));
  const seed = join(dir, "seed.json");
  writeFileSync(seed, JSON.stringify({ google: SEED }));
  const port = await freePort();
  const child = spawn(process.execPath, [join(HERE, "node_modules/emulate/dist/index.js"), "--port", String(port), "--service", "google", "--seed", seed], { cwd: dir, env: { ...process.env, HOME: dir }, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (bytes) => (said = (said + bytes).slice(-4000)));
  const url = `http://127.0.0.1:${port}`;
  for (let tries = 0; !(await fetch(url).then(() => true, () => false)); tries += 1) {
    if (tries > 600 || child.exitCode !== null) throw new Error(`emulate did not start:\n${said}`);
    await sleep(50);
  }
  const stop = async () => {
    const gone = new Promise((done) => child.once("exit", done));
    child.kill("SIGTERM");
    const hard = setTimeout(() => child.kill("SIGKILL"), 3000);
    await gone;
    clearTimeout(hard);
    rmSync(dir, { recursive: true, force: true });
  };
  return { url, stop };
}

async function strict() {
  const [core, google] = await Promise.all([import("@emulators/core"), import("@emulators/google")]);
  const server = createServer();
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const url = `http://127.0.0.1:${server.address().port}`;
  const plugin = google.googlePlugin ?? google.default;
  const { app, store } = core.createServer(plugin, { port: server.address().port, baseUrl: url, tokens: {} });
  plugin.seed?.(store, url);
  google.seedFromConfig(store, url, SEED);
  server.on("request", async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    const body = Buffer.concat(parts);
    const answer = await app.fetch(new Request(`${url}${request.url}`, { method: request.method, headers: request.headers, ...(body.length > 0 ? { body } : {}) }));
    response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(Buffer.from(await answer.arrayBuffer()));
  });
  return { url, stop: () => new Promise((done) => (server.closeAllConnections(), server.close(done))) };
}
