import { expect, test } from "vitest";
import { ADA, DIRECT, GENERAL, GUILD, ME } from "./platform.ts";
import { type Bench, bench } from "./support.ts";

const base = { id: "8001", application_id: ME.id, token: "interaction-token", version: 1, guild_id: GUILD, channel_id: GENERAL, member: { nick: "Countess", user: ADA } };
const button = { ...base, type: 3, data: { custom_id: "k:a:once:7" }, message: { id: "901", channel_id: GENERAL } };
const command = { ...base, type: 2, data: { name: "approve", options: [{ name: "code", value: "AB12" }, { name: "how", value: "session" }] } };
const answers = ({ discord }: Bench) => discord.calls.filter((call) => /interactions|webhooks/.test(call.route)).map((call) => [call.route.split("/").at(-1), call.body]);
const until = ({ host }: Bench, done: () => boolean) => host.clock.until(done, 30_000);

test("a button is taken once the host has it; its buttons go and the answer is for one pair of eyes", async () => {
  await bench(async (b) => {
    const running = await b.up();
    b.host.pressed = () => ({ text: "Allowed once.", done: true });
    b.discord.event("INTERACTION_CREATE", button);
    await until(b, () => answers(b).length === 2);
    expect(b.host.presses).toEqual([
      { account: ME.id, conversation: GENERAL, chatType: "channel", thread: null, sender: { id: ADA.id, name: "Countess", isBot: false }, messageId: "901", button: "a:once:7" },
    ]);
    expect(answers(b)).toEqual([
      ["callback", { type: 7, data: { components: [] } }],
      ["interaction-token", { content: "Allowed once.", flags: 64, allowed_mentions: { parse: [] } }],
    ]);
    await running.stopped(b.host);
  });
});

test("a press that settles nothing leaves the buttons and answers quietly", async () => {
  await bench(async (b) => {
    const running = await b.up();
    b.host.pressed = () => ({ text: "You may not answer this.", done: false });
    b.discord.event("INTERACTION_CREATE", button);
    await until(b, () => answers(b).length === 1);
    expect(answers(b)).toEqual([["callback", { type: 4, data: { content: "You may not answer this.", flags: 64, allowed_mentions: { parse: [] } } }]]);
    await running.stopped(b.host);
  });
});

test("when the host needs longer than Discord waits, Discord is told so within three seconds and the rest follows", async () => {
  await bench(async (b) => {
    const running = await b.up();
    const start = b.host.clock.now;
    b.host.pressed = () => new Promise((resolve) => setTimeout(() => resolve({ text: "Done.", done: true }), 8_000));
    b.discord.event("INTERACTION_CREATE", button);
    await until(b, () => answers(b).length === 1);
    expect(answers(b)).toEqual([["callback", { type: 6 }]]);
    expect(b.host.clock.now - start).toBeLessThan(3_000);
    await until(b, () => answers(b).length === 3);
    expect(answers(b).slice(1).map(([, body]) => body)).toEqual([{ components: [] }, expect.objectContaining({ content: "Done.", flags: 64 })]);
    await running.stopped(b.host);
  });
});

test("buttons do not wait behind a message that cannot be stored", async () => {
  await bench(async (b) => {
    const running = await b.up();
    b.host.door = () => Promise.reject(new Error("full"));
    b.discord.write("stuck");
    b.discord.event("INTERACTION_CREATE", button);
    await until(b, () => b.host.presses.length === 1);
    expect(b.host.presses).toHaveLength(1);
    await running.stopped(b.host);
  });
});

test("a slash command is the order of that name, and its short answer is for one pair of eyes", async () => {
  await bench(async (b) => {
    const running = await b.up();
    b.discord.event("INTERACTION_CREATE", command);
    await b.came("i8001");
    expect(b.host.drafts[0]).toMatchObject({ text: "/approve AB12 session", mentionsBot: true, conversation: GENERAL, sender: { id: ADA.id, name: "Countess" } });
    await until(b, () => answers(b).length === 1);
    expect(answers(b)[0]?.[1]).toMatchObject({ type: 4, data: { content: "`/approve` was taken.", flags: 64 } });
    await running.stopped(b.host);
  });
});

test("an order in a direct message is one there, and one that is slow to be taken is deferred", async () => {
  await bench(async (b) => {
    const running = await b.up();
    b.host.door = () => new Promise((resolve) => setTimeout(() => resolve({ outcome: "refused", code: "pairing_required" }), 5_000));
    const { member: _, guild_id: __, ...rest } = base;
    b.discord.event("INTERACTION_CREATE", { ...rest, type: 2, user: ADA, channel_id: DIRECT, channel: { id: DIRECT, type: 1, recipients: [ADA] }, data: { name: "status" } });
    await until(b, () => answers(b).length === 2);
    expect(b.host.drafts[0]).toMatchObject({ text: "/status", chatType: "direct", conversation: DIRECT });
    expect(answers(b).map(([, body]) => body)).toEqual([
      { type: 5, data: { flags: 64 } },
      { content: "You are not known here yet: see the code the bot sends." },
    ]);
    await running.stopped(b.host);
  });
});

test("the orders are registered once, those that are there already stay, and a person may switch it off", async () => {
  const posted = (b: Bench) => b.discord.calls.filter((call) => call.route === "POST /applications/:id/commands").map((call) => call.body?.["name"]);
  await bench(async (b) => {
    b.discord.override = (_, route) =>
      route === "GET /applications/:id/commands" ? Response.json([{ name: "new", description: "Begin a new conversation with the agent here." }, { name: "foreign", description: "x" }]) : undefined;
    const running = await b.up();
    await b.host.clock.advance(5_000);
    expect(posted(b)).toEqual(["stop", "status", "approve", "deny"]);
    await running.stopped(b.host);
  });
  await bench(async (b) => {
    const running = await b.up();
    await b.host.clock.advance(5_000);
    expect(posted(b)).toEqual([]);
    await running.stopped(b.host);
  }, { config: { slashCommands: false } });
});
