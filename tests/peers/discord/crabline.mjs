// Starts crabline as Discord, prints one JSON line with its addresses and tokens, and takes it down when stdin closes. crabline
// needs the Node that the folder above brings along.

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const MODULES = fileURLToPath(new URL("../node_modules", import.meta.url));
const dir = mkdtempSync(join(tmpdir(), "kata-crabline-"));
const ready = join(dir, "ready.json");
const journal = join(dir, "discord.jsonl");
const args = [join(MODULES, "@openclaw/crabline/dist/src/bin/crabline.js"), "--json", "serve", "discord", "--port", "0", "--ready-file", ready, "--recorder", journal];
const child = spawn(join(MODULES, "node/bin/node"), args, { cwd: dir, env: { ...process.env, HOME: dir, XDG_CACHE_HOME: join(dir, "cache") }, stdio: ["ignore", "ignore", "inherit"] });
const gone = new Promise((done) => child.once("exit", done));

const limit = Date.now() + 30_000;
let manifest;
while (manifest === undefined && child.exitCode === null && Date.now() < limit) {
  await sleep(50);
  try {
    manifest = JSON.parse(readFileSync(ready, "utf8"));
  } catch {
    // Not written yet.
  }
}
if (manifest === undefined) {
  child.kill();
  throw new Error("crabline did not start");
}
process.stdout.write(`${JSON.stringify({ ...manifest, journal })}\n`);
process.stdin.resume();
process.stdin.on("end", async () => {
  child.kill("SIGTERM");
  await gone;
  rmSync(dir, { recursive: true, force: true });
  process.exit(0);
});
