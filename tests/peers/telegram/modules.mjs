// The plugin's own modules against our stand-in, which holds each call against the Bot API's own description: everything the
// plugin can send, and everything it reads. `node --test modules.mjs` with KATA_BOT_API naming the folder of the description.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { registerHooks } from "node:module";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

const PLUGINS = new URL("../../../plugins/", import.meta.url);
const SDK = "@kata-agents/plugin-sdk";
const place = (name) => new URL(name === SDK ? "sdk/src/index.ts" : `sdk/src/${name.slice(SDK.length + 1)}/index.ts`, PLUGINS).href;
registerHooks({ resolve: (name, context, next) => next(name.startsWith(SDK) ? place(name) : name, context) });
const { default: register } = await import(new URL("telegram/index.ts", PLUGINS).href);
const { FakeHost } = await import(new URL("sdk/src/testing/index.ts", PLUGINS).href);

let channel;
register({ registerChannel: (one) => (channel = one), registerTool: () => {} });
let child;
let told;
before(async () => {
  child = spawn(process.execPath, [new URL("fake.mjs", import.meta.url).pathname, "--schema", process.env.KATA_BOT_API], { stdio: ["pipe", "pipe", "inherit"] });
  told = JSON.parse((await createInterface({ input: child.stdout })[Symbol.asyncIterator]().next()).value);
  assert.equal(told.schema, "10.3");
});
after(() => child.stdin.end());

const order = async (body) => (await fetch(told.admin, { method: "POST", body: JSON.stringify(body) })).json();
const log = async () => (await fetch(told.admin)).json();
const host = () => new FakeHost({ config: { apiRoot: told.api, pollSeconds: 1, groupPreviews: true }, secrets: { botToken: told.token } });
const message = (text, conversation, more = {}) => ({
  route: { channel: "telegram", account: "4242", conversation: String(conversation), thread: null, replyTo: null },
  text,
  attachments: [],
  buttons: [],
  replaces: null,
  idempotencyKey: `key-${text}-${conversation}`,
  attempt: 1,
  ...more,
});

test("everything that is sent is as the Bot API describes it, and readers see it", async () => {
  const kata = host();
  const ctx = kata.context();
  const bytes = new TextEncoder().encode("bytes");
  const keep = (name, mime, kind) => kata.keep(name, bytes, mime, kind);
  const { outbound, heartbeat } = channel;
  const { id } = await order({ do: "say", chat: -5, from: 7, text: "hi", is_topic_message: true, message_thread_id: 3 });
  const route = { channel: "telegram", account: "4242", conversation: "-5", thread: "3", replyTo: id };
  await heartbeat.typing(route, ctx);
  const sent = await outbound.send({ ...message("**a** `b` [c](https://x.example/?a=1&b=2)\n\n> q\n\n```rust\nfn a() {}\n```", -5), route, buttons: ["plain", "primary", "danger"].map((style) => ({ id: `b:${style}`, label: style, style })) }, ctx);
  await outbound.edit(sent.messageIds[0], message("changed", -5), ctx);
  await outbound.edit(sent.messageIds[0], message("changed", -5), ctx);
  await outbound.react(id, "👀", route, ctx);
  await outbound.react(id, null, route, ctx);
  const kinds = [["a.jpg", "image/jpeg", "image"], ["b.mp4", "video/mp4", "video"], ["c.ogg", "audio/ogg", "voice"], ["d.mp3", "audio/mpeg", "audio"], ["e.pdf", "application/pdf", "file"], ["f.txt", "text/plain", "file"]];
  const files = await outbound.send(message("all **kinds**", 7, { attachments: kinds.map((one) => keep(...one)) }), ctx);
  assert.equal(files.messageIds.length, 6);
  for (const [name, mime, kind] of kinds) await outbound.send(message(`one ${name}`, 7, { attachments: [keep(name, mime, kind)] }), ctx);
  await outbound.stream({ route: { ...route, conversation: "7", thread: null }, text: "so **far**", key: "k", messageId: null }, ctx);
  const preview = await outbound.stream({ route, text: "so **far**", key: "k2", messageId: null }, ctx);
  await outbound.stream({ route, text: "so far and further", key: "k2", messageId: preview }, ctx);
  assert.deepEqual((await outbound.send(message("the whole", -5, { replaces: preview }), ctx)).messageIds, [preview]);
  await outbound.delete(preview, route, ctx);
  await outbound.delete(preview, route, ctx);
  const { problems, messages, calls } = await log();
  assert.deepEqual(problems, []);
  assert.deepEqual([...new Set(calls.filter((call) => !call.ok).map((call) => call.method))].sort(), ["deleteMessage", "editMessageText"], "only what was there twice was refused");
  const mine = messages.filter((one) => one.from.is_bot);
  assert.equal(mine.find((one) => one.text === "changed")?.reply_markup, undefined, "buttons go with an edit");
  assert.equal(mine.find((one) => one.caption === "one a.jpg")?.photo[0].file_size, bytes.length);
  assert.equal(new Set(mine.filter((one) => one.media_group_id).map((one) => one.media_group_id)).size, 2, "two albums");
});

test("messages, albums, changes, reactions, presses and files come in", async () => {
  const kata = host();
  const abort = new AbortController();
  const running = channel.messaging.connect(kata.connectContext(abort.signal));
  const until = async (what, done) => {
    for (let round = 0; !done(); round += 1) {
      assert.ok(round < 500, `${what} did not come: ${JSON.stringify(kata.states)}`);
      await sleep(20);
    }
  };
  const photo = (id) => [{ file_id: id, file_unique_id: id, width: 1, height: 1, file_size: 9 }];
  const { id } = await order({ do: "say", chat: 9, text: "hello" });
  await until("the message", () => kata.received.includes(id));
  await order({ do: "say", chat: 9, media_group_id: "g", photo: photo("p1"), caption: "two" });
  await order({ do: "say", chat: 9, media_group_id: "g", photo: photo("p2") });
  await order({ do: "edit", id, text: "hello again" });
  await order({ do: "react", id, from: 9, emoji: "👍" });
  const sent = await channel.outbound.send(message("choose", 9, { buttons: [{ id: "yes:1", label: "Yes", style: "primary" }] }), kata.context());
  await order({ do: "press", id: sent.messageIds[0], from: 9, data: "yes:1" });
  await until("the press", () => kata.presses.length === 1);
  const album = kata.drafts.find((draft) => draft.text === "two");
  assert.deepEqual(album.attachments.map((one) => one.reference), ["p1", "p2"]);
  assert.deepEqual(kata.notices.map((notice) => notice.what), [{ kind: "edited", text: "hello again" }, { kind: "reaction", emoji: "👍", added: true }]);
  for (let round = 0; (await log()).messages.find((one) => one.text === "choose")?.reply_markup !== undefined; round += 1) {
    assert.ok(round < 200, "the buttons stayed");
    await sleep(20);
  }
  const media = await channel.messaging.download({ reference: "file-1", kind: "file", name: "a.txt" }, kata.context());
  assert.equal(new TextDecoder().decode(await kata.context().media.read(media.id)), "the bytes of a file");
  abort.abort();
  await running;
  assert.deepEqual((await log()).problems, []);
});

test("what a person meets before it runs", async () => {
  const ctx = host().context();
  assert.deepEqual(await channel.setup.next(ctx), { kind: "done", account: "4242", name: "@kata_fake_bot" });
  assert.equal((await channel.status.probe(ctx)).ok, true);
  assert.deepEqual((await channel.security.warnings(ctx)).map((one) => one.code), ["privacy_on"]);
  assert.equal((await channel.directory.self(ctx)).name, "@kata_fake_bot");
  assert.deepEqual((await log()).problems, []);
});
