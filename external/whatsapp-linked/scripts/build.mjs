// tsc into dist/. The dialect of WhatsApp and the Markdown it is written with are the bundled plugin's own; inside the app the host
// resolves the SDK's name, here that one import becomes a path.

import { spawnSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
rmSync(at("dist"), { recursive: true, force: true });
const { status } = spawnSync(process.execPath, [at("node_modules/typescript/lib/tsc.js"), "-p", at("tsconfig.json")], { stdio: "inherit" });
if (status !== 0) process.exit(status ?? 1);
// The compiled modules of the repository are of the same kind as these.
writeFileSync(at("dist/package.json"), '{ "type": "module" }\n');
const render = at("dist/plugins/whatsapp/render.js");
const text = readFileSync(render, "utf8");
const path = text.replace('"@kata-agents/plugin-sdk/markdown"', '"../sdk/src/markdown/index.js"');
if (path === text) throw new Error("plugins/whatsapp/render.ts no longer takes its Markdown from the SDK");
writeFileSync(render, path);
