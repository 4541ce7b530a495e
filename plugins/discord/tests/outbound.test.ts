import { SendError } from "@kata-agents/plugin-sdk";
import { FakeHost, outbound as message, refused } from "@kata-agents/plugin-sdk/testing";
import { expect, test } from "vitest";
import { nonce, sendError } from "../outbound.ts";
import { ApiError, Rest, routeOf } from "../rest.ts";
import { Buckets } from "../buckets.ts";
import { DIRECT, ME } from "./platform.ts";
import { type Bench, bench } from "./support.ts";

const route = { channel: "discord", account: ME.id, conversation: DIRECT };
const send = ({ channel, host }: Bench, text: string, fields: Parameters<typeof message>[1] = {}) =>
  channel.outbound.send(message(text, { ...fields, route: { ...route, ...fields.route } }), host.context());
const posts = (b: Bench) => b.discord.calls.filter((call) => call.route === "POST /channels/:id/messages");

test("a reply quotes its message if that is still there, pings nobody and carries a nonce that Discord enforces", async () => {
  await bench(async (b) => {
    await send(b, "**hi** @everyone", { route: { replyTo: "123456" }, idempotencyKey: "outbox-17" });
    const [call] = posts(b);
    expect(call?.body).toMatchObject({
      content: "**hi** @everyone",
      allowed_mentions: { parse: [] },
      message_reference: { message_id: "123456", fail_if_not_exists: false },
      enforce_nonce: true,
    });
    expect(String(call?.body?.["nonce"]).length).toBeLessThanOrEqual(25);
    expect(call?.headers["user-agent"]).toMatch(/^DiscordBot \(https:\/\/.+, .+\)$/);
  });
});

test("trying again after a lost answer makes no second message", async () => {
  await bench(async (b) => {
    b.discord.override = (request, at) => {
      if (at !== "POST /channels/:id/messages") return undefined;
      b.discord.override = undefined;
      void b.discord.answer(request);
      return new Response("bad gateway", { status: 502 });
    };
    await expect(send(b, "once", { idempotencyKey: "k" })).rejects.toMatchObject({ code: "unreachable", certain: false });
    await send(b, "once", { idempotencyKey: "k", attempt: 2 });
    await send(b, "once", { idempotencyKey: "another" });
    expect(b.discord.sent()).toEqual(["once", "once"]);
  });
});

test("a send whose answer was lost before a long outage is looked for before it is sent again, also after a restart", async () => {
  const lost = async (b: Bench) => {
    b.discord.override = (request, at) => {
      if (at !== "POST /channels/:id/messages") return undefined;
      b.discord.override = undefined;
      void b.discord.answer(request);
      throw new TypeError("the connection broke off");
    };
    await expect(send(b, "once", { idempotencyKey: "k" })).rejects.toMatchObject({ code: "unreachable", certain: false });
    // Discord has forgotten the nonce.
    await b.host.clock.advance(1_800_000);
    for (const one of b.discord.messages) delete one.nonce;
  };
  const before = await bench(lost);
  await bench(async (b) => {
    const { messageIds } = await send(b, "once", { idempotencyKey: "k", attempt: 2 });
    expect(messageIds).toEqual([b.discord.messages[0]?.id]);
    expect(b.discord.sent()).toEqual(["once"]);
    await send(b, "once", { idempotencyKey: "later" });
    expect(b.discord.sent()).toEqual(["once", "once"]);
    expect(b.host.state.get("doubts")).toEqual({});
  }, { before });
});

test("an interaction is not quoted: it is no message", async () => {
  await bench(async (b) => {
    await send(b, "done", { route: { replyTo: "i123456" } });
    expect(posts(b)[0]?.body).not.toHaveProperty("message_reference");
  });
});

test("a long text is several messages within the limit, each with a nonce of its own; only the first quotes, buttons stand under the last", async () => {
  await bench(async (b) => {
    const buttons = [
      { id: "a:once", label: "Allow", style: "primary" as const },
      { id: "a:deny", label: "Deny", style: "danger" as const },
    ];
    const { messageIds } = await send(b, "word ".repeat(900), { route: { replyTo: "123456" }, buttons });
    const bodies = posts(b).map((call) => call.body ?? {});
    expect(messageIds).toHaveLength(3);
    expect(bodies.every((body) => String(body["content"]).length <= 2_000)).toBe(true);
    expect(new Set(bodies.map((body) => body["nonce"])).size).toBe(3);
    expect(bodies.map((body) => "message_reference" in body)).toEqual([true, false, false]);
    expect(bodies.map((body) => "components" in body)).toEqual([false, false, true]);
    expect(bodies[2]?.["components"]).toEqual([
      { type: 1, components: [{ type: 2, style: 1, label: "Allow", custom_id: "k:a:once" }, { type: 2, style: 4, label: "Deny", custom_id: "k:a:deny" }] },
    ]);
  });
});

test("trying again after a failure half way repeats nothing, also when the nonces are long forgotten", async () => {
  await bench(async (b) => {
    let count = 0;
    b.discord.override = (_, at) => (at === "POST /channels/:id/messages" && (count += 1) === 2 ? b.discord.tooFast() : undefined);
    await expect(send(b, "word ".repeat(900))).rejects.toMatchObject({ code: "rate_limited", retryAfterMs: 20_500, certain: true });
    await b.host.clock.advance(600_000);
    for (const one of b.discord.messages) delete one.nonce;
    expect((await send(b, "word ".repeat(900), { attempt: 2 })).messageIds).toHaveLength(3);
    expect(b.discord.sent()).toHaveLength(3);
    expect(b.host.state.get("partial-sends")).toEqual({});
  });
});

test("an answer grows in its preview and takes its place; where the preview is gone, it is sent", async () => {
  await bench(async (b) => {
    const preview = (text: string, messageId: string | null) => b.channel.outbound.stream?.({ route: { ...route, replyTo: "123456" }, text, key: "p", messageId }, b.host.context());
    const id = await preview("The ans", null);
    expect(await preview("The answer is", id ?? null)).toBe(id);
    expect(await send(b, "The answer is 42.", { replaces: id ?? null })).toEqual({ messageIds: [id] });
    expect(b.discord.sent()).toEqual(["The answer is 42."]);
    const lost = await send(b, "Again.", { replaces: "999999", idempotencyKey: "k2" });
    expect(lost.messageIds).not.toContain("999999");
    expect(b.discord.sent()).toEqual(["The answer is 42.", "Again."]);
  });
});

test("files go as parts of a form under the text; those that do not fit one request go in the next", async () => {
  await bench(async (b) => {
    const small = b.host.keep("plan \"a\".txt", new TextEncoder().encode("hello"), "text/plain");
    const big = [1, 2].map((n) => b.host.keep(`big${n}.bin`, new Uint8Array(5 << 20)));
    const { messageIds } = await send(b, "see", { attachments: [small, ...big] });
    expect(messageIds).toHaveLength(2);
    const [first] = posts(b);
    expect(first?.headers["content-type"]).toMatch(/^multipart\/form-data; boundary=kata-/);
    expect(first?.text).toContain('name="payload_json"');
    expect(first?.text).toContain('name="files[0]"; filename="plan %22a%22.txt"\r\nContent-Type: text/plain\r\n\r\nhello\r\n');
    expect(JSON.parse(/\r\n\r\n(\{.*\})\r\n/.exec(first?.text ?? "")?.[1] ?? "")).toMatchObject({ content: "see", attachments: [{ id: 0 }, { id: 1, filename: "big1.bin" }], allowed_mentions: { parse: [] } });
    await expect(send(b, "x", { attachments: [b.host.keep("huge.bin", new Uint8Array(9 << 20))] })).rejects.toMatchObject({ code: "invalid", certain: true });
  });
});

test("an edit replaces text and buttons; reactions come and go; removing what is gone is no error", async () => {
  await bench(async (b) => {
    const { messageIds } = await send(b, "before", { buttons: [{ id: "x", label: "X", style: "plain" }] });
    const id = messageIds[0] ?? "";
    const ctx = b.host.context();
    await b.channel.outbound.edit?.(id, message("after", { route }), ctx);
    expect(b.discord.messages.at(-1)).toMatchObject({ content: "after", components: [] });
    await expect(b.channel.outbound.edit?.(id, message("word ".repeat(900), { route }), ctx)).rejects.toMatchObject({ code: "invalid" });
    await b.channel.outbound.react?.(id, "👍", route, ctx);
    expect(b.discord.calls.at(-1)?.route).toBe("PUT /channels/:id/messages/:id/reactions/%F0%9F%91%8D/@me");
    Object.assign(b.discord.messages.at(-1) ?? {}, { reactions: [{ me: true, emoji: { id: "55", name: "own" } }, { me: false, emoji: { name: "👀" } }] });
    await b.channel.outbound.react?.(id, null, route, ctx);
    expect(b.discord.calls.at(-1)?.route).toBe("DELETE /channels/:id/messages/:id/reactions/own%3A55/@me");
    await b.channel.outbound.delete?.(id, route, ctx);
    await b.channel.outbound.delete?.(id, route, ctx);
    expect(b.discord.sent()).toEqual([]);
  });
});

test.each([
  [401, 0, { code: "unauthorized", certain: true }],
  [403, 50013, { code: "forbidden", certain: true }],
  [403, 0, { code: "unreachable", certain: true }],
  [404, 10003, { code: "not_found", certain: true }],
  [404, 10008, { code: "not_found", certain: true }],
  [400, 50035, { code: "invalid", certain: true }],
  [413, 40005, { code: "invalid", certain: true }],
  [500, 0, { code: "unreachable", certain: false }],
  [503, 0, { code: "unreachable", certain: false }],
])("%i/%i", (status, code, expected) => {
  expect(sendError(new ApiError("POST /x", status, code, "no"))).toMatchObject(expected);
});

test("a request that never left is certain, one that may have left is not, and neither says the token", async () => {
  await bench(async (b) => {
    b.discord.override = () => {
      throw refused();
    };
    await expect(send(b, "hi")).rejects.toMatchObject({ code: "unreachable", certain: true });
    b.discord.override = () => {
      throw new TypeError("socket hang up: bot-token-of-the-test");
    };
    const error = await send(b, "hi").catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "unreachable", certain: false });
    expect(error instanceof SendError && error.message).not.toContain("bot-token-of-the-test");
  });
});

test("foreign ids and blank texts are refused before anything is sent", async () => {
  await bench(async (b) => {
    await expect(send(b, " \n ")).rejects.toMatchObject({ code: "invalid", certain: true });
    await expect(send(b, "hi", { route: { conversation: "C123" } })).rejects.toMatchObject({ code: "invalid" });
    expect(b.discord.calls).toEqual([]);
  });
});

test("a bucket that is empty is waited for, and its neighbours are not held up", async () => {
  const host = new FakeHost({
    network: (request) => {
      const general = request.url.pathname.includes("/111/");
      const headers = { "x-ratelimit-bucket": "b", "x-ratelimit-remaining": general ? "0" : "4", "x-ratelimit-reset-after": "3" };
      return Response.json({ id: "1" }, { headers });
    },
  });
  await host.run(async () => {
    const rest = new Rest("https://discord.example/api", "t");
    const at: [string, number][] = [];
    const start = host.clock.now;
    const post = (channel: string) => rest.call("POST", `/channels/${channel}/messages`, { json: {} }).then(() => at.push([channel, host.clock.now - start]));
    const all = Promise.all([post("111"), post("111"), post("222"), post("222"), post("111")]);
    await host.clock.advance(10_000);
    await all;
    expect(at.filter(([channel]) => channel === "222").map(([, ms]) => ms)).toEqual([0, 0]);
    expect(at.filter(([channel]) => channel === "111").map(([, ms]) => ms)).toEqual([0, 3_000, 6_000]);
  });
});

test("429 for everybody holds up everybody but interactions", () => {
  const buckets = new Buckets();
  buckets.refused("GET /x", "", 5_000, true, 0);
  expect(buckets.take("POST /y", "1", 1_000, false)).toBe(4_000);
  expect(buckets.take("POST /interactions", "1", 1_000, true)).toBe(0);
  expect(buckets.take("POST /y", "1", 5_000, false)).toBe(0);
});

test("no more than 45 requests in a second", () => {
  const buckets = new Buckets();
  const waits = Array.from({ length: 60 }, (_, n) => buckets.take(`GET /${n}`, "", 0, false));
  expect(waits.filter((ms) => ms === 0)).toHaveLength(45);
  expect(buckets.take("GET /z", "", 1_000, false)).toBe(0);
});

test("a route is its path without minor ids, and never has an interaction's token in it", () => {
  expect(routeOf("DELETE", "/channels/1/messages/2/reactions/%F0%9F%91%8D/@me")).toEqual({ route: "DELETE /channels/:id/messages/:id/reactions/:emoji/@me", major: "1" });
  expect(routeOf("POST", "/interactions/1/secret/callback").route).not.toContain("secret");
  expect(routeOf("PATCH", "/webhooks/1/secret/messages/@original").route).not.toContain("secret");
});

test("nonces are short, the same for the same part and no other", () => {
  const all = Array.from({ length: 5_000 }, (_, n) => nonce(`outbox:${n >> 2}`, n & 3));
  expect(new Set(all).size).toBe(5_000);
  expect(all.every((one) => one.length <= 25)).toBe(true);
  expect(nonce("outbox:1", 2)).toBe(all[6]);
});
