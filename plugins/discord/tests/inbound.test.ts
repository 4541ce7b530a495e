import { expect, test } from "vitest";
import { readable } from "../inbound.ts";
import { World } from "../world.ts";
import { ADA, DIRECT, GENERAL, GUILD, ME } from "./platform.ts";
import { bench } from "./support.ts";

test("a message of a server has names where Discord has ids, and is addressed when it mentions, answers or names the bot's role", async () => {
  await bench(async ({ host, discord, up, came }) => {
    const running = await up();
    const mentions = [ME, { id: "12", username: "bob", member: { nick: "Bobby" } }];
    const first = discord.say(GENERAL, `<@${ME.id}> ask <@12> in <#${GENERAL}> with <@&8> <:party:123> at <t:0:R> </new:55>`, { mentions, member: { nick: "Countess" } });
    await came(first);
    await came(discord.say(GENERAL, "just talking"));
    await came(discord.say(GENERAL, "yes", { type: 19, message_reference: { message_id: "77" }, referenced_message: { id: "77", channel_id: GENERAL, author: ME } }));
    await came(discord.say(GENERAL, "<@&9> hello", { mention_roles: ["9"] }));
    const [named, plain, answer, role] = host.drafts;
    expect(named).toEqual({
      account: ME.id,
      messageId: first,
      conversation: GENERAL,
      conversationName: "#general (Home)",
      chatType: "channel",
      thread: null,
      sender: { id: ADA.id, name: "Countess", isBot: false },
      text: "ask @Bobby in #general with @crew :party: at 1970-01-01T00:00:00.000Z /new",
      replyTo: null,
      mentionsBot: true,
      sentAt: Date.parse("2024-01-01T00:00:00Z"),
    });
    expect([plain?.mentionsBot, answer?.mentionsBot, role?.mentionsBot]).toEqual([false, true, true]);
    expect([answer?.replyTo, role?.text]).toEqual(["77", "@Kata hello"]);
    await running.stopped(host);
  });
});

test("a thread is a thread of its channel, also when nobody told of it, and answers go to the thread itself", async () => {
  await bench(async ({ host, discord, channel, up, came }) => {
    const running = await up();
    discord.event("THREAD_CREATE", { id: "7100", type: 11, guild_id: GUILD, parent_id: GENERAL, name: "plans" });
    await came(discord.say("7100", "told"));
    discord.override = (request, route) => (route === "GET /channels/:id" && request.url.pathname.endsWith("/7200") ? Response.json({ id: "7200", type: 12, guild_id: GUILD, parent_id: GENERAL, name: "quiet" }) : undefined);
    await came(discord.say("7200", "not told"));
    expect(host.drafts.map(({ conversation, thread, conversationName }) => [conversation, thread, conversationName])).toEqual([
      [GENERAL, "7100", "#general › plans (Home)"],
      [GENERAL, "7200", "#general › quiet (Home)"],
    ]);
    const route = { channel: "discord", account: ME.id, conversation: GENERAL, thread: "7100" };
    await channel.outbound.send({ route, text: "hi", idempotencyKey: "k", attempt: 1 }, host.context());
    expect(discord.messages.at(-1)).toMatchObject({ channel_id: "7100", content: "hi" });
    await running.stopped(host);
  });
});

test("a direct message is addressed, and is called after its writer", async () => {
  await bench(async ({ host, discord, up, came }) => {
    const running = await up();
    await came(discord.write("hello"));
    expect(host.drafts[0]).toMatchObject({ conversation: DIRECT, chatType: "direct", conversationName: "Ada", mentionsBot: true });
    await running.stopped(host);
  });
});

test("bots, webhooks, joins and the bot's own words are not handed in", async () => {
  await bench(async ({ host, discord, up, came }) => {
    const running = await up();
    discord.say(GENERAL, "beep", { author: { id: "13", username: "other", bot: true } });
    discord.say(GENERAL, "hook", { webhook_id: "14" });
    discord.say(GENERAL, "joined", { type: 7 });
    discord.say(GENERAL, "mine", { author: ME });
    await came(discord.say(GENERAL, "a person"));
    expect(host.drafts.map((draft) => draft.text)).toEqual(["a person"]);
    await running.stopped(host);
  });
});

test("files are named and not fetched; fetching one asks for a fresh address", async () => {
  await bench(async ({ host, discord, channel, up, came }) => {
    const running = await up();
    const attachments = [
      { id: "31", filename: "cat.png", content_type: "image/png", size: 3, url: "https://cdn.discordapp.com/attachments/1/31/cat.png?hm=secret" },
      { id: "32", filename: "note.ogg", content_type: "audio/ogg", size: 4, url: "https://cdn.discordapp.com/attachments/1/32/note.ogg" },
    ];
    const id = discord.write("", { attachments, flags: 1 << 13 });
    await came(id);
    const [draft] = host.drafts;
    expect(draft?.attachments).toEqual([
      { reference: `${DIRECT}/${id}/31`, kind: "voice", name: "cat.png", mime: "image/png", bytes: 3 },
      { reference: `${DIRECT}/${id}/32`, kind: "voice", name: "note.ogg", mime: "audio/ogg", bytes: 4 },
    ]);
    expect(JSON.stringify(draft)).not.toContain("secret");
    const file = draft?.attachments?.[0];
    if (file === undefined) throw new Error("no file");
    discord.override = (request) => (request.url.host === "cdn.discordapp.com" ? new Response("png", { headers: { "content-type": "image/png" } }) : undefined);
    expect(await channel.messaging?.download?.(file, host.context())).toMatchObject({ name: "cat.png", bytes: 3, mime: "image/png" });
    discord.messages.splice(0);
    discord.override = () => Response.json({ code: 10008, message: "Unknown Message" }, { status: 404 });
    await expect(channel.messaging?.download?.(file, host.context())).rejects.toMatchObject({ code: "not_found" });
    await running.stopped(host);
  });
});

test("edits, deletions and reactions of people are told once, those of bots and of the bot itself are not", async () => {
  await bench(async ({ host, discord, up, came }) => {
    const running = await up();
    const id = discord.say(GENERAL, "first words");
    await came(id);
    const base = { id, channel_id: GENERAL, guild_id: GUILD, author: ADA, type: 0 };
    const edited = { ...base, content: "second words", edited_timestamp: "2024-01-01T00:01:00Z" };
    discord.event("MESSAGE_UPDATE", edited);
    discord.event("MESSAGE_UPDATE", edited);
    discord.event("MESSAGE_UPDATE", { ...base, content: "with an embed", edited_timestamp: null });
    const reaction = { channel_id: GENERAL, guild_id: GUILD, message_id: id, emoji: { id: null, name: "👍" } };
    discord.event("MESSAGE_REACTION_ADD", { ...reaction, user_id: "12", member: { nick: "Bobby", user: { id: "12", username: "bob" } } });
    discord.event("MESSAGE_REACTION_REMOVE", { ...reaction, user_id: "12" });
    discord.event("MESSAGE_REACTION_ADD", { ...reaction, user_id: ME.id });
    discord.event("MESSAGE_DELETE", { id, channel_id: GENERAL, guild_id: GUILD });
    discord.event("MESSAGE_DELETE", { id: "999", channel_id: GENERAL, guild_id: GUILD });
    await host.clock.until(() => host.notices.length >= 4, 5_000);
    await host.clock.advance(1_000);
    expect(host.notices.map(({ sender, messageId, what }) => [sender.name, messageId === id, what])).toEqual([
      ["Ada", true, { kind: "edited", text: "second words" }],
      ["Bobby", true, { kind: "reaction", emoji: "👍", added: true }],
      ["Bobby", true, { kind: "reaction", emoji: "👍", added: false }],
      ["Ada", true, { kind: "deleted" }],
    ]);
    expect(host.notices.every((notice) => notice.conversation === GENERAL && notice.chatType === "channel")).toBe(true);
    await running.stopped(host);
  });
});

test("doubled and swapped messages are all handed in, and the place is the newest", async () => {
  await bench(async ({ host, discord, up, came }) => {
    const running = await up();
    const older = discord.id();
    const newer = discord.write("newer");
    await came(newer);
    const late = { id: older, channel_id: DIRECT, type: 0, content: "older", author: ADA, mentions: [], attachments: [] };
    discord.event("MESSAGE_CREATE", late);
    discord.event("MESSAGE_CREATE", late);
    await host.clock.until(() => host.drafts.length === 3, 5_000);
    expect(host.drafts.map((draft) => draft.messageId)).toEqual([newer, older, older]);
    await running.stopped(host);
    expect(host.state.get("seen")).toEqual([[GENERAL, GENERAL, 0], [DIRECT, newer, 1]]);
  });
});

test("forwarded messages, stickers and polls are said in words", async () => {
  await bench(async ({ host, discord, up, came }) => {
    const running = await up();
    await came(discord.write("", { message_reference: { type: 1 }, message_snapshots: [{ message: { content: "the original" } }], sticker_items: [{ name: "wave" }], poll: { question: { text: "tea?" } } }));
    expect(host.drafts[0]?.text).toBe("[sticker wave]\n[poll: tea?]\n[forwarded] the original");
    await running.stopped(host);
  });
});

test("an id that nobody knows stays as it is", () => {
  const me = { id: "1", name: "Kata" };
  expect(readable("<@99> <#98> <@&97> <@1>", { guild_id: "5" }, new World(), me)).toBe("<@99> #98 @97 @Kata");
});
