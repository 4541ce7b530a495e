import { expect, test } from "vitest";
import { BotApi } from "../api.ts";
import { Chats } from "../chats.ts";
import { poll } from "../poll.ts";
import { type Call, fail, fakeFetch, ME, ok, TestClock, TestHost } from "./support.ts";

const update = (id: number, text = `m${id}`) => ({
  update_id: id,
  message: { message_id: id * 10, date: 1, chat: { id: 7, type: "private", first_name: "Ann" }, from: { id: 7, is_bot: false, first_name: "Ann" }, text },
});

/** Runs the loop against scripted `getUpdates` answers; the host stops it when the script is at its end. */
async function run(host: TestHost, clock: TestClock, script: ((call: Call) => Response | Promise<Response>)[]) {
  let at = 0;
  const fake = fakeFetch((call) => {
    if (call.method === "getMe") return ok(ME);
    if (call.method !== "getUpdates") return ok(true);
    const step = script[at];
    at += 1;
    if (at >= script.length) host.abort.abort();
    return step === undefined ? ok([]) : step(call);
  });
  await poll(host.ctx, { api: (token) => new BotApi("http://telegram.test/", token, fake.fetch), pollSeconds: 25, clock, chats: new Chats(host.ctx.state), random: () => 1 });
  return fake.calls.filter((call) => call.method === "getUpdates");
}

test("an update is confirmed only after the host has it, in the order Telegram gave", async () => {
  const host = new TestHost();
  const order: string[] = [];
  host.onReceive = async (draft) => {
    await Promise.resolve();
    order.push(`stored ${draft.messageId}`);
    return { outcome: "admitted" };
  };
  const calls = await run(host, new TestClock(), [
    () => ok([update(5), update(6)]),
    (call) => {
      order.push(`asked from ${String(call.params["offset"])}`);
      return ok([]);
    },
  ]);
  expect(order).toEqual(["stored 7:50", "stored 7:60", "asked from 7"]);
  expect(calls[0]?.params["offset"]).toBeUndefined();
});

test("a message the host could not store is not confirmed, and those before it are", async () => {
  const host = new TestHost();
  let broken = true;
  host.onReceive = async (draft) => {
    if (draft.messageId === "7:60" && broken) {
      broken = false;
      throw new Error("disk full");
    }
    return { outcome: "admitted" };
  };
  const calls = await run(host, new TestClock(), [() => ok([update(5), update(6), update(7)]), () => ok([update(6), update(7)]), () => ok([])]);
  expect(calls.map((call) => call.params["offset"])).toEqual([undefined, 6, 8]);
  expect(host.drafts.map((draft) => draft.messageId)).toEqual(["7:50", "7:60", "7:60", "7:70"]);
  expect(host.states).toEqual(["connecting", "degraded/not_stored", "running"]);
});

test("a restart goes on where the disk says", async () => {
  const state = new Map<string, unknown>();
  const clock = new TestClock();
  await run(new TestHost(state), clock, [() => ok([update(5)]), () => ok([])]);
  const [first] = await run(new TestHost(state), clock, [() => ok([])]);
  expect(first?.params["offset"]).toBe(6);
});

test("a cursor a week old is not used, because Telegram may have numbered anew", async () => {
  const state = new Map<string, unknown>();
  const clock = new TestClock();
  await run(new TestHost(state), clock, [() => ok([update(500)]), () => ok([])]);
  clock.time += 7 * 24 * 3600 * 1000;
  const host = new TestHost(state);
  const calls = await run(host, clock, [() => ok([update(3)]), () => ok([])]);
  expect(calls.map((call) => call.params["offset"])).toEqual([undefined, 4]);
  expect(host.drafts).toHaveLength(1);
});

test("a refused or doubled message is confirmed like any other", async () => {
  const host = new TestHost();
  host.onReceive = async (draft) => (draft.messageId === "7:50" ? { outcome: "refused", code: "pairing_required" } : { outcome: "duplicate" });
  const calls = await run(host, new TestClock(), [() => ok([update(5), update(6)]), () => ok([])]);
  expect(calls[1]?.params["offset"]).toBe(7);
});

test("what is no message is passed over and confirmed", async () => {
  const host = new TestHost();
  const calls = await run(host, new TestClock(), [() => ok([{ update_id: 9, poll: {} }]), () => ok([])]);
  expect(host.drafts).toEqual([]);
  expect(calls[1]?.params["offset"]).toBe(10);
});

test("changes, reactions and presses are asked for and handed in", async () => {
  const host = new TestHost();
  const { message } = update(1);
  const calls = await run(host, new TestClock(), [
    () =>
      ok([
        { update_id: 1, edited_message: message },
        { update_id: 2, message_reaction: { chat: message.chat, message_id: 10, user: message.from, date: 1, old_reaction: [], new_reaction: [{ type: "emoji", emoji: "👍" }] } },
        { update_id: 3, callback_query: { id: "q", from: message.from, message: { ...message, message_id: 10 }, data: "yes" } },
      ]),
    () => ok([]),
  ]);
  expect(calls[0]?.params["allowed_updates"]).toContain("message_reaction");
  expect(host.kit.notices.map((notice) => notice.what.kind)).toEqual(["edited", "reaction"]);
  expect(host.kit.presses.map((press) => press.button)).toEqual(["yes"]);
  expect(calls[1]?.params["offset"]).toBe(4);
});

test("a press is answered and its buttons go once the host has it; one it could not take is asked for again", async () => {
  const host = new TestHost();
  let broken = true;
  host.kit.pressed = () => {
    if (broken) throw new Error("disk full");
    return { text: "Allowed.", done: true };
  };
  const { message } = update(1);
  const query = { update_id: 3, callback_query: { id: "q", from: message.from, message, data: "yes" } };
  const seen: Call[] = [];
  const fake = fakeFetch((call) => {
    seen.push(call);
    if (call.method === "getMe") return ok(ME);
    if (call.method !== "getUpdates") return ok(true);
    if (call.params["offset"] === 4) host.abort.abort();
    return ok(call.params["offset"] === 4 ? [] : [query]);
  });
  const clock = new TestClock();
  const sleep = clock.sleep.bind(clock);
  clock.sleep = async (ms) => {
    broken = false;
    await sleep(ms);
  };
  await poll(host.ctx, { api: (token) => new BotApi("http://telegram.test", token, fake.fetch), pollSeconds: 25, clock, chats: new Chats(host.ctx.state), random: () => 1 });
  expect(seen.filter((call) => !["getMe", "getUpdates", "setMyCommands"].includes(call.method)).map((call) => [call.method, call.params])).toEqual([
    ["answerCallbackQuery", { callback_query_id: "q", text: "Allowed." }],
    ["editMessageReplyMarkup", { chat_id: 7, message_id: 10, reply_markup: { inline_keyboard: [] } }],
  ]);
});

test("an album that comes in two answers is one draft, and what follows it waits its turn", async () => {
  const host = new TestHost();
  const clock = new TestClock();
  const part = (id: number) => ({ update_id: id, message: { ...update(id).message, text: undefined, media_group_id: "g", photo: [{ file_id: `f${id}`, file_unique_id: `u${id}` }] } });
  const calls = await run(host, clock, [
    () => ok([update(4), part(5)]),
    () => ok([part(5), part(6)]),
    () => ok([part(5), part(6)]),
    () => ok([update(7)]),
    () => ok([]),
  ]);
  expect(host.drafts.map((draft) => [draft.messageId, (draft.attachments ?? []).map((one) => one.reference)])).toEqual([
    ["7:40", []],
    ["7:50", ["f5", "f6"]],
    ["7:70", []],
  ]);
  expect(calls.map((call) => [call.params["offset"], call.params["timeout"]])).toEqual([[undefined, 0], [5, 0], [5, 0], [7, 25], [8, 25]]);
  expect(clock.sleeps).toEqual([700, 700]);
});

test("an album followed by another message is whole", async () => {
  const host = new TestHost();
  const part = (id: number) => ({ update_id: id, message: { ...update(id).message, text: undefined, media_group_id: "g", photo: [{ file_id: `f${id}`, file_unique_id: `u${id}` }] } });
  const calls = await run(host, new TestClock(), [() => ok([part(5), part(6), update(7)]), () => ok([])]);
  expect(host.drafts.map((draft) => draft.messageId)).toEqual(["7:50", "7:70"]);
  expect(calls[1]?.params["offset"]).toBe(8);
});

test("a group that became a supergroup goes on as the conversation it was", async () => {
  const host = new TestHost();
  const chat = (id: number) => ({ id, type: "supergroup" as const, title: "Team" });
  await run(host, new TestClock(), [
    () => ok([{ update_id: 1, message: { ...update(1).message, chat: chat(-5), text: undefined, migrate_to_chat_id: -1005 } }, { update_id: 2, message: { ...update(2).message, chat: chat(-1005) } }]),
    () => ok([]),
  ]);
  expect(host.drafts).toMatchObject([{ conversation: "-5", messageId: "-1005:20" }]);
});

test("the host's orders are in the bot's menu, told once", async () => {
  const state = new Map<string, unknown>();
  const menus: unknown[] = [];
  for (let start = 0; start < 2; start += 1) {
    const host = new TestHost(state);
    const fake = fakeFetch((call) => {
      if (call.method === "getMe") return ok(ME);
      if (call.method === "setMyCommands") menus.push(call.params["commands"]);
      else host.abort.abort();
      return ok(call.method === "setMyCommands" ? true : []);
    });
    await poll(host.ctx, { api: (token) => new BotApi("http://telegram.test", token, fake.fetch), pollSeconds: 25, clock: new TestClock(), chats: new Chats(host.ctx.state), random: () => 1 });
  }
  expect(menus).toHaveLength(1);
  expect((menus[0] as { command: string }[]).map((one) => one.command)).toEqual(["new", "stop", "status", "approve", "deny"]);
});

test("429 is waited out for as long as Telegram says", async () => {
  const host = new TestHost();
  const clock = new TestClock();
  await run(host, clock, [() => ok([]), () => fail(429, "Too Many Requests: retry after 17", { retry_after: 17 }), () => ok([])]);
  expect(clock.sleeps).toEqual([17_000]);
  expect(host.states).toEqual(["connecting", "running", "degraded/rate_limited", "running"]);
});

test("409 says what to do, waits longer each time, and does not flap", async () => {
  const host = new TestHost();
  const clock = new TestClock();
  const conflict = () => fail(409, "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running");
  const calls = await run(host, clock, [() => ok([]), conflict, conflict, conflict, () => ok([])]);
  expect(clock.sleeps).toEqual([2_000, 5_000, 15_000]);
  expect(host.states).toEqual(["connecting", "running", "degraded/conflict_409", "running"]);
  expect(host.statuses.find((s) => s.code === "conflict_409")?.message).toContain("@BotFather");
  expect(calls.map((call) => call.params["timeout"])).toEqual([0, 25, 5, 5, 5]);
});

test("a webhook elsewhere is told apart from a second poller", async () => {
  const host = new TestHost();
  await run(host, new TestClock(), [() => fail(409, "Conflict: can't use getUpdates method while webhook is active"), () => ok([])]);
  expect(host.statuses.find((s) => s.code === "conflict_409")?.message).toContain("webhook");
});

test("an unreachable Telegram is tried again at least every five seconds, and the state comes back at once", async () => {
  const host = new TestHost();
  const clock = new TestClock();
  const down = () => Promise.reject(new TypeError("fetch failed"));
  const calls = await run(host, clock, [() => ok([]), down, down, down, down, down, down, () => ok([]), () => ok([])]);
  expect(clock.sleeps).toEqual([500, 1_000, 2_000, 4_000, 5_000, 5_000]);
  expect(host.states).toEqual(["connecting", "running", "degraded/unreachable", "running"]);
  expect(calls.at(-2)?.params["timeout"]).toBe(0);
  expect(calls.at(-1)?.params["timeout"]).toBe(25);
});

test("a server that fails is unreachable too", async () => {
  const host = new TestHost();
  await run(host, new TestClock(), [() => new Response("<html>Bad Gateway</html>", { status: 502 }), () => ok([])]);
  expect(host.states).toEqual(["connecting", "degraded/unreachable", "running"]);
});

test("a refused token waits for a person and goes on when it was changed", async () => {
  const host = new TestHost();
  const clock = new TestClock();
  const seen: string[] = [];
  const fake = fakeFetch((call) => {
    seen.push(call.url);
    if (call.url.includes("42:token")) return fail(401, "Unauthorized");
    if (call.method === "getMe") return ok(ME);
    if (call.method === "setMyCommands") return ok(true);
    host.abort.abort();
    return ok([]);
  });
  const sleep = clock.sleep.bind(clock);
  clock.sleep = async (ms) => {
    await sleep(ms);
    if (clock.sleeps.length === 3) host.token = "42:new";
  };
  await poll(host.ctx, { api: (token) => new BotApi("http://telegram.test", token, fake.fetch), pollSeconds: 25, clock, chats: new Chats(host.ctx.state), random: () => 1 });
  expect(seen.filter((url) => url.includes("42:token"))).toHaveLength(1);
  expect(host.states).toEqual(["connecting", "needs_user/token_refused", "connecting", "running"]);
  expect(host.statuses.find((s) => s.state === "needs_user")).toMatchObject({ action: { kind: "configure", field: "botToken" } });
});

test("without a token it asks for one and calls nobody", async () => {
  const host = new TestHost();
  const clock = new TestClock();
  host.token = undefined;
  const sleep = clock.sleep.bind(clock);
  clock.sleep = async (ms) => {
    await sleep(ms);
    host.abort.abort();
  };
  const fake = fakeFetch(() => ok([]));
  await poll(host.ctx, { api: (token) => new BotApi("http://telegram.test", token, fake.fetch), pollSeconds: 25, clock, chats: new Chats(host.ctx.state), random: () => 1 });
  expect(fake.calls).toEqual([]);
  expect(host.states).toEqual(["needs_user/token_missing"]);
});

test("neither the token nor a message's text reaches the log", async () => {
  const host = new TestHost();
  host.onReceive = async () => Promise.reject(new Error("store is closed"));
  const leak = () => Promise.reject(new TypeError("cannot fetch http://telegram.test/bot42:token/getUpdates"));
  await run(host, new TestClock(), [() => ok([update(5, "my secret words")]), leak, () => ok([])]);
  expect(host.logs.length).toBeGreaterThanOrEqual(2);
  expect(host.statuses.map((status) => status.message).join("\n")).not.toContain("42:token");
  expect(host.logs.join("\n")).not.toMatch(/42:token|secret words/);
});
