#!/usr/bin/env node
/**
 * WhatsApp as a linked device: a program that a person starts, beside the app, and that joins it over the gateway as any other plugin
 * could. The app neither ships nor starts it. Wiring only.
 */

import { join } from "node:path";
import qrcode from "qrcode-terminal";
import { LinkedChannel } from "./channel.ts";
import { Device } from "./device.ts";
import { Gateway } from "./gateway.ts";
import { Keys } from "./keys.ts";
import { Ledger } from "./ledger.ts";
import { lock } from "./lock.ts";
import { Pace, SLOW } from "./pace.ts";
import { agreed, HELP, settingsOf } from "./settings.ts";

// The library that encrypts prints whole sessions, private keys among them. Nothing here speaks by the console.
for (const name of ["debug", "error", "info", "log", "warn"] as const) console[name] = () => {};

const CHANNEL = "whatsapp-linked";
const log = (words: string): void => void process.stderr.write(`${new Date().toISOString()} ${words}\n`);

async function main(): Promise<number> {
  const settings = settingsOf(process.argv.slice(2), process.env);
  if (settings === undefined) {
    process.stdout.write(HELP);
    return 0;
  }
  const { dir, home, token, url, me, hasty } = settings;
  if (!(await agreed(dir, settings.accept))) return 2;
  process.umask(0o077);
  const held = lock(dir);
  if ("heldBy" in held) {
    log(`the folder ${dir} is in use by process ${held.heldBy}`);
    return 1;
  }
  const keys = new Keys(join(dir, "keys.log"));
  if (me !== undefined) keys.claim(me);
  const ledger = new Ledger(join(dir, "ledger.log"));
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => stop.abort());
  const pace = new Pace(hasty ? { gapMs: [0, 0], typingMs: 0, perMinute: 10_000, perDay: 100_000 } : SLOW);
  const channel = new LinkedChannel({ ledger, pace, log, now: () => Date.now() });
  const gateway = new Gateway({
    home,
    token,
    channel: CHANNEL,
    plugin: {
      id: CHANNEL,
      name: "WhatsApp (linked device)",
      version: "0.1.0",
      description: "WhatsApp as a linked device: answers only, slowly. Not allowed by WhatsApp's terms.",
      channels: {
        [CHANNEL]: {
          name: "WhatsApp (linked device)",
          // A second message under the id of the first is none to WhatsApp; its markup is written here.
          capabilities: { chatTypes: ["direct", "group"], textMax: 4000, textUnit: "chars", dialect: "markdown", idempotentSend: true, catchUp: true },
          send: (message) => channel.send(message),
        },
      },
    },
    log,
  });
  const device = new Device({
    keys,
    url,
    log,
    onMessages: (messages) => channel.came(messages),
    onStanding: (standing) => gateway.report(standing),
    onCode: (code) => {
      log("scan this code: WhatsApp on the phone, Linked devices, Link a device");
      qrcode.generate(code, { small: true }, (shown) => process.stdout.write(`${shown}\n`));
    },
    textOf: (id) => ledger.textOf(id),
  });
  channel.join(device, gateway);
  // The device may end by itself, for a person to mend; the app goes on being told.
  await Promise.all([gateway.run(stop.signal, () => void channel.handIn()), device.run(stop.signal)]);
  keys.close();
  ledger.close();
  held.release();
  return 0;
}

process.exitCode = await main();
