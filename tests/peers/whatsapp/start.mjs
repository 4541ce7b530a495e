// crabline as Meta's Cloud API, on loopback. Prints what its ready file says; a line on stdin is a message a person writes
// (JSON {"from","text"}), answered with the webhook's body as Meta would call with it. Ends when stdin closes.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const peers = fileURLToPath(new URL("..", import.meta.url));
const dir = mkdtempSync(join(tmpdir(), "kata-whatsapp-"));
const [ready, journal] = [join(dir, "ready.json"), join(dir, "calls.jsonl")];
const args = [join(peers, "node_modules/@openclaw/crabline/dist/src/bin/crabline.js"), "--json", "serve", "whatsapp", "--port", "0", "--ready-file", ready, "--recorder", journal];
const child = spawn(join(peers, "node_modules/node/bin/node"), args, { cwd: dir, env: { ...process.env, HOME: dir, XDG_CACHE_HOME: dir }, stdio: ["ignore", "pipe", "inherit"] });
child.stdout.resume();

let told;
for (let tries = 0; told === undefined && tries < 300; tries += 1) {
  try {
    told = JSON.parse(readFileSync(ready, "utf8"));
  } catch {
    await sleep(100);
  }
}
if (told === undefined) throw new Error("crabline did not start");
console.log(JSON.stringify({ ...told, journal }));
for await (const line of createInterface({ input: process.stdin })) {
  const { from, text } = JSON.parse(line);
  const response = await fetch(told.endpoints.adminInboundUrl, {
    method: "POST",
    headers: { "x-crabline-admin-token": told.adminToken, "content-type": "application/json" },
    body: JSON.stringify({ chatJid: `${from}@s.whatsapp.net`, senderJid: `${from}@s.whatsapp.net`, text }),
  });
  console.log(JSON.stringify(await response.json()));
}
child.kill();
if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
rmSync(dir, { recursive: true, force: true });
process.exit(0);
