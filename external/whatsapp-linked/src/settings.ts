/** What the program is told: by its command line, the environment, and the one question it asks before anything else. */

import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline/promises";
import { parseArgs } from "node:util";

export const HELP = `kata-whatsapp-linked: WhatsApp as a linked device of Kata Agents

  --home DIR        the app's folder (KATA_CONFIG_DIR, else ~/.kata-agents)
  --dir DIR         this program's folder, with the device's keys (default HOME/whatsapp-linked)
  --token-file FILE where the app's token is (default DIR/token; KATA_TOKEN goes before)
  --accept          says yes to the question about WhatsApp's terms
`;

export const TERMS = `
WhatsApp's terms do not allow programs like this one. WhatsApp bans numbers for it, also of people who write
little. Use a number that you can lose, not your own. The program answers only, slowly, and to those who wrote first.

Everybody who is let in writes to your agent, and your agent reads it. The device's keys lie in a folder of this
machine; whoever has them reads your chats.
`;

export interface Settings {
  home: string;
  dir: string;
  token(): string;
  /** For tests: another server than WhatsApp's, and whose device this is there. */
  url: string | undefined;
  me: string | undefined;
  /** For tests: no pauses. */
  hasty: boolean;
}

/** Reads them; `undefined`: help was asked for. */
export function settingsOf(args: readonly string[], env: NodeJS.ProcessEnv): (Settings & { accept: boolean }) | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: { home: { type: "string" }, dir: { type: "string" }, "token-file": { type: "string" }, accept: { type: "boolean", default: false }, help: { type: "boolean", short: "h", default: false } },
  });
  if (values.help) return undefined;
  const home = values.home ?? env["KATA_CONFIG_DIR"] ?? join(homedir(), ".kata-agents");
  const dir = values.dir ?? join(home, "whatsapp-linked");
  const file = values["token-file"] ?? join(dir, "token");
  return {
    home,
    dir,
    accept: values.accept,
    token: () => {
      if (env["KATA_TOKEN"]) return env["KATA_TOKEN"].trim();
      if (existsSync(file)) return readFileSync(file, "utf8").trim();
      throw new Error(`no token: make one with \`kata devices pair --scope plugin\` and put it into ${file}`);
    },
    url: env["KATA_WHATSAPP_URL"],
    me: env["KATA_WHATSAPP_ME"],
    hasty: env["KATA_WHATSAPP_HASTY"] === "1",
  };
}

/** Makes the folder, for its owner alone, and asks once whether the person knows what this is. */
export async function agreed(dir: string, accept: boolean): Promise<boolean> {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  chmodSync(dir, 0o700);
  const note = join(dir, "accepted");
  if (existsSync(note)) return true;
  process.stdout.write(TERMS);
  if (!accept) {
    if (!process.stdin.isTTY) {
      process.stdout.write("Start it with --accept to say that you have read this.\n");
      return false;
    }
    const ask = createInterface({ input: process.stdin, output: process.stdout });
    const answer = await ask.question('Write "I have read this" to go on: ');
    ask.close();
    if (answer.trim().toLowerCase() !== "i have read this") return false;
  }
  writeFileSync(note, `${new Date().toISOString()}\n`, { mode: 0o600 });
  return true;
}
