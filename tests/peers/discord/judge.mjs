// discord.js against the stand-in: what an official client needs has to be there, and what it does has to arrive.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { ActionRowBuilder, ButtonBuilder, ButtonStyle, Client, GatewayIntentBits, Partials } from "discord.js";

const fake = spawn(process.execPath, [new URL("fake.mjs", import.meta.url).pathname], { stdio: ["pipe", "pipe", "inherit"] });
const [line] = await once(createInterface({ input: fake.stdout }), "line");
const told = JSON.parse(line);
const [bot] = told.bots;
const general = bot.channels.general;
const admin = async (name, body) => {
  const answer = await fetch(`${told.adminUrl}/${name}`, body === undefined ? {} : { method: "POST", body: JSON.stringify(body) });
  assert.equal(answer.status, 200, await answer.clone().text());
  return answer.json();
};
const limit = (what, promise) => Promise.race([promise, sleep(15_000).then(() => assert.fail(`${what} did not come`))]);
const next = (client, event, fits = () => true) =>
  limit(event, new Promise((done) => client.on(event, function heard(...args) {
    if (!fits(...args)) return;
    client.off(event, heard);
    done(args);
  })));

const intents = [GatewayIntentBits.Guilds, GatewayIntentBits.GuildMessages, GatewayIntentBits.MessageContent, GatewayIntentBits.DirectMessages, GatewayIntentBits.GuildMessageReactions];
const client = new Client({ intents, partials: [Partials.Channel, Partials.Message, Partials.Reaction], rest: { api: told.apiRoot } });
const shard = [];
client.on("shardResume", (id, replayed) => shard.push(replayed));
const ready = next(client, "clientReady");
await client.login(bot.token);
await ready;
assert.equal(client.user.id, bot.id);

// A message of a person, answered by a reply with a button.
let heard = next(client, "messageCreate");
const said = await admin("say", { channel: general, user: "ada", content: `<@${bot.id}> hello` });
const [message] = await heard;
assert.deepEqual([message.id, message.content, message.author.username, message.mentions.users.has(bot.id)], [said.id, `<@${bot.id}> hello`, "ada", true]);
await message.channel.sendTyping();
const button = new ButtonBuilder().setCustomId("k:yes").setLabel("Yes").setStyle(ButtonStyle.Primary);
const reply = await message.reply({ content: "an answer", components: [new ActionRowBuilder().addComponents(button)], nonce: "abc", enforceNonce: true });
assert.equal(reply.reference.messageId, said.id);
const twice = await message.reply({ content: "an answer", nonce: "abc", enforceNonce: true });
assert.equal(twice.id, reply.id, "the same nonce gives the same message");

// The button, acknowledged and its message changed; a slash command with a quiet answer.
heard = next(client, "interactionCreate");
await admin("press", { channel: general, message: reply.id, button: "k:yes", user: "ada" });
const [press] = await heard;
assert.ok(press.isButton() && press.customId === "k:yes" && press.user.username === "ada");
await press.update({ content: "settled", components: [] });
await press.followUp({ content: "thanks", flags: 64 });
await client.application.commands.create({ name: "new", description: "Begin anew." });
heard = next(client, "interactionCreate");
await admin("command", { channel: general, name: "new", user: "bob" });
const [order] = await heard;
assert.ok(order.isChatInputCommand() && order.commandName === "new");
await order.deferReply({ flags: 64 });
await order.editReply("done");
const answers = await admin("answers");
assert.deepEqual(answers.map(({ first, follows, edited }) => [first.type, follows.length, edited?.content ?? null]), [[7, 1, null], [5, 0, "done"]]);

// Edits, reactions, threads, files, history, removal.
heard = next(client, "messageReactionAdd");
await admin("react", { channel: general, id: reply.id, emoji: "👍", user: "bob" });
assert.equal((await heard)[0].emoji.name, "👍");
await reply.react("🎉");
await reply.edit("changed");
const thread = await message.startThread({ name: "a thread" });
assert.equal(thread.parentId, general);
await thread.send({ content: "with a file", files: [{ attachment: Buffer.from("bytes"), name: "note.txt" }] });
const [kept] = await admin(`messages?channel=${thread.id}`);
assert.equal(await (await fetch(kept.attachments[0].url)).text(), "bytes");
assert.deepEqual([...(await message.channel.messages.fetch({ limit: 10 })).keys()].includes(said.id), true);
heard = next(client, "messageDelete");
await reply.delete();
await heard;
await assert.rejects(message.channel.send("x".repeat(2001)), (error) => error.code === 50035);
heard = next(client, "messageCreate", (one) => one.channel.isDMBased());
await admin("say", { direct: "kata", user: "ada", content: "between us" });
assert.equal((await heard)[0].content, "between us");

// 429 is waited for by the library; a connection that is asked to go comes back with what it missed.
await admin("fault", { rest: { match: "POST /channels/:id/messages", status: 429, retryAfter: 0.3 } });
await message.channel.send("after a pause");
const resumed = next(client, "shardResume");
await admin("fault", { kind: "op7" });
await resumed;
await admin("fault", { kind: "drop" });
heard = next(client, "messageCreate", (one) => one.content === "while it was away");
await admin("say", { channel: general, user: "ada", content: "while it was away" });
await heard;
if (shard.length < 2) await next(client, "shardResume");
await client.destroy();

// What Discord refuses is refused.
const refused = async (change, options, wanted) => {
  await admin("set", change);
  const other = new Client({ ...options, rest: { api: told.apiRoot } });
  await assert.rejects(limit("a refusal", other.login(bot.token)), wanted);
  await other.destroy();
};
await refused({ flags: 0 }, { intents }, /[Dd]isallowed intents/);
await refused({ revoked: true }, { intents: [] }, /[Ii]nvalid|401|[Uu]nauthorized/);
fake.stdin.end();
console.log("discord.js takes the stand-in for Discord");
