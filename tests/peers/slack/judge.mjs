// Bolt JS, Slack's own client, against our fake: what it accepts is Slack enough for our plugin.
//
//   node judge.mjs

import assert from "node:assert/strict";
import { once } from "node:events";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import bolt from "@slack/bolt";

const fake = spawn(process.execPath, [fileURLToPath(new URL("fake.mjs", import.meta.url))], { stdio: ["pipe", "pipe", "inherit"] });
const [line] = await once(createInterface({ input: fake.stdout }), "line");
const slack = JSON.parse(line);
const admin = async (order) => {
  const answer = await fetch(slack.admin, order === undefined ? {} : { method: "POST", body: JSON.stringify(order) });
  const said = await answer.json();
  assert.equal(answer.status, 200, JSON.stringify(said));
  return said;
};
const until = async (what, ask) => {
  for (let tries = 0; tries < 400; tries += 1) {
    const got = await ask();
    if (got) return got;
    await new Promise((done) => setTimeout(done, 25));
  }
  throw new Error(`never: ${what}`);
};

const app = new bolt.App({ token: slack.bot, appToken: slack.app, socketMode: true, logLevel: "error", clientOptions: { slackApiUrl: slack.api } });
const seen = { messages: [], mentions: [], commands: [], actions: [], changed: [], reactions: [] };
app.message(async ({ message, say }) => {
  if (message.subtype === "message_changed") return void seen.changed.push(message.message.text);
  seen.messages.push(message.text);
  if (message.text === "buttons") {
    const elements = [{ type: "button", action_id: "go", value: "v-1", text: { type: "plain_text", text: "Go" } }];
    await say({ text: "choose", blocks: [{ type: "actions", block_id: "b", elements }] });
  } else await say(`heard ${message.text}`);
});
app.event("app_mention", async ({ event }) => void seen.mentions.push(event.text));
app.event("reaction_added", async ({ event }) => void seen.reactions.push(event.reaction));
app.command("/kata", async ({ command, ack }) => {
  seen.commands.push(command.text);
  await ack("taken");
});
app.action("go", async ({ action, ack, respond: _ }) => {
  await ack();
  seen.actions.push(action.value);
});

try {
  await app.start();
  const { channel, ts } = await admin({ do: "say", text: "hello" });
  await until("the message", () => seen.messages.includes("hello"));
  await until("its answer", async () => (await admin({ do: "history", channel })).messages.some((one) => one.text === "heard hello"));
  await admin({ do: "say", to: slack.channel, text: `<@${slack.botUser}> hi` });
  await until("the mention", () => seen.mentions.length === 1);
  await admin({ do: "edit", channel, ts, text: "hello again" });
  await until("the edit", () => seen.changed.includes("hello again"));
  await admin({ do: "react", channel, ts, name: "eyes" });
  await until("the reaction", () => seen.reactions.includes("eyes"));
  await admin({ do: "command", text: "status" });
  await until("the command", () => seen.commands.includes("status"));
  await admin({ do: "say", text: "buttons" });
  await until("the press", async () => {
    await admin({ do: "press", channel, label: "Go" }).catch(() => undefined);
    return seen.actions.includes("v-1");
  });
  // A new socket is asked for, and what is said meanwhile comes.
  await admin({ do: "disconnect", reason: "refresh_requested" });
  await admin({ do: "say", text: "while renewing" });
  await until("the message over the new socket", () => seen.messages.includes("while renewing"));
  await until("everything acknowledged", async () => (await admin()).waiting === 0);
  const upload = await app.client.filesUploadV2({ channel_id: channel, filename: "a.txt", content: "a file" });
  assert.equal(upload.ok, true);
  await admin({ do: "fault", method: "chat.postMessage", status: 429, headers: { "retry-after": "1" } });
  assert.equal((await app.client.chat.postMessage({ channel, text: "after the wait" })).ok, true);
  await admin({ do: "revoke" });
  await assert.rejects(app.client.chat.postMessage({ channel, text: "no" }), /token_revoked/);
  const log = await admin();
  assert.ok(log.acks.length >= 8, `acks: ${log.acks.length}`);
  assert.ok(log.acks.some((ack) => ack.type === "slash_commands" && ack.payload?.text === "taken"), "the command's answer travels with its ack");
  assert.ok(log.opened >= 2, "a second socket was opened");
  process.stdout.write("Bolt JS accepts the fake: messages, mention, edit, reaction, command, press, refresh, upload, 429, revoked token\n");
} finally {
  await app.stop().catch(() => undefined);
  fake.stdin.end();
}
process.exit(0);
