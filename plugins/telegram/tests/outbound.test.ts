import { SendError } from "@kata-agents/plugin-sdk";
import { expect, test } from "vitest";
import { BotApi } from "../api.ts";
import { edit, send, typing } from "../outbound.ts";
import { PartialSends } from "../partial.ts";
import { type Call, fail, fakeFetch, ok, outbound, TestHost } from "./support.ts";

const sent = (id: number, chat = -100) => ok({ message_id: id, date: 1, chat: { id: chat, type: "supergroup" } });

function telegram(answer: (call: Call, index: number) => Response | Promise<Response>, host = new TestHost()) {
  const fake = fakeFetch(answer);
  const api = new BotApi("http://telegram.test", "42:token", fake.fetch);
  const partial = new PartialSends(host.plugin.state);
  return { calls: fake.calls, api, host, send: (message = outbound("hi")) => send(api, partial, message, host.plugin) };
}

async function failure(promise: Promise<unknown>): Promise<SendError> {
  const error: unknown = await promise.then(
    () => undefined,
    (e: unknown) => e,
  );
  if (!(error instanceof SendError)) throw new Error(`expected a SendError, got ${String(error)}`);
  return error;
}

test("a reply goes to its chat and topic and quotes its message, as HTML", async () => {
  const t = telegram(() => sent(9));
  const receipt = await t.send(outbound("**hi**", { thread: "5", replyTo: "-100:3" }));
  expect(receipt).toEqual({ messageIds: ["-100:9"] });
  expect(t.calls.map((call) => [call.method, call.params])).toEqual([
    [
      "sendMessage",
      {
        chat_id: -100,
        message_thread_id: 5,
        text: "<b>hi</b>",
        parse_mode: "HTML",
        reply_parameters: { message_id: 3, allow_sending_without_reply: true },
      },
    ],
  ]);
});

test("the General topic is named for typing and not for messages", async () => {
  const t = telegram((call) => (call.method === "sendMessage" ? sent(1) : ok(true)));
  const message = outbound("hi", { thread: "1" });
  await t.send(message);
  await typing(t.api, message.route, t.host.plugin);
  expect(t.calls[0]?.params).not.toHaveProperty("message_thread_id");
  expect(t.calls[1]).toMatchObject({ method: "sendChatAction", params: { chat_id: -100, message_thread_id: 1, action: "typing" } });
});

test("HTML that Telegram cannot read is sent again as plain words", async () => {
  const t = telegram((_, index) => (index === 0 ? fail(400, "Bad Request: can't parse entities: Unsupported start tag") : sent(2)));
  expect(await t.send(outbound("**a** & b"))).toEqual({ messageIds: ["-100:2"] });
  expect(t.calls[1]?.params).toEqual({ chat_id: -100, text: "a & b" });
});

test("a long text is several messages; only the first quotes", async () => {
  const t = telegram((_, index) => sent(index + 1));
  const receipt = await t.send(outbound("word ".repeat(2000), { replyTo: "-100:3" }));
  expect(receipt.messageIds).toEqual(["-100:1", "-100:2", "-100:3"]);
  expect(t.calls.map((call) => "reply_parameters" in call.params)).toEqual([true, false, false]);
});

test("trying again after a failure half way repeats nothing", async () => {
  const host = new TestHost();
  const message = outbound("word ".repeat(2000));
  const first = telegram((_, index) => (index === 0 ? sent(1) : fail(429, "Too Many Requests", { retry_after: 3 })), host);
  expect(await failure(first.send(message))).toMatchObject({ code: "rate_limited", retryAfterMs: 3000, certain: true });
  const again = telegram((_, index) => sent(index + 2), host);
  expect(await again.send({ ...message, attempt: 2 })).toEqual({ messageIds: ["-100:1", "-100:2", "-100:3"] });
  expect(again.calls).toHaveLength(2);
  expect(host.state.get("partial-sends")).toEqual({});
});

test("notes of half-done sends are bounded and do not overwrite each other", async () => {
  const host = new TestHost();
  const partial = new PartialSends(host.plugin.state);
  await Promise.all(Array.from({ length: 100 }, (_, i) => partial.write(`k${i}`, [`-1:${i}`])));
  expect(await partial.read("k99")).toEqual(["-1:99"]);
  expect(await partial.read("k0")).toEqual([]);
  expect(Object.keys(host.state.get("partial-sends") as object)).toHaveLength(64);
});

test("a group that became a supergroup is followed", async () => {
  const t = telegram((_, index) =>
    index === 0 ? fail(400, "Bad Request: group chat was upgraded to a supergroup chat", { migrate_to_chat_id: -200 }) : sent(4, -200),
  );
  expect(await t.send()).toEqual({ messageIds: ["-200:4"] });
  expect(t.calls[1]?.params["chat_id"]).toBe(-200);
});

test.each([
  [429, "Too Many Requests: retry after 5", { retry_after: 5 }, { code: "rate_limited", certain: true, retryAfterMs: 5000 }],
  [401, "Unauthorized", undefined, { code: "unauthorized", certain: true }],
  [403, "Forbidden: bot was blocked by the user", undefined, { code: "forbidden", certain: true }],
  [400, "Bad Request: chat not found", undefined, { code: "not_found", certain: true }],
  [400, "Bad Request: message thread not found", undefined, { code: "not_found", certain: true }],
  [400, "Bad Request: message text is empty", undefined, { code: "invalid", certain: true }],
  [500, "Internal Server Error", undefined, { code: "unreachable", certain: false }],
])("%i %s", async (code, description, parameters, expected) => {
  const t = telegram(() => fail(code, description, parameters));
  expect(await failure(t.send())).toMatchObject(expected);
});

test("a request that may have left is uncertain; one that never left is certain", async () => {
  const cut = telegram(() => Promise.reject(new TypeError("socket hang up at http://x/bot42:token/sendMessage")));
  const error = await failure(cut.send());
  expect(error).toMatchObject({ code: "unreachable", certain: false });
  expect(error.message).not.toContain("42:token");
  for (const never of [
    new TypeError("fetch failed", { cause: { code: "ECONNREFUSED" } }),
    Object.assign(new TypeError("fetch: telegram.test: no such grant"), { code: "forbidden" }),
    new TypeError("fetch: telegram.test: cannot connect"),
  ]) {
    const refused = telegram(() => Promise.reject(never));
    expect(await failure(refused.send())).toMatchObject({ code: "unreachable", certain: true });
  }
});

test("an answer that is no JSON leaves the send uncertain", async () => {
  const t = telegram(() => new Response("<html>", { status: 200 }));
  expect(await failure(t.send())).toMatchObject({ code: "unreachable", certain: false });
});

test("blank text and foreign ids are refused before anything is sent", async () => {
  const t = telegram(() => sent(1));
  expect(await failure(t.send(outbound(" \n ")))).toMatchObject({ code: "invalid", certain: true });
  expect(await failure(t.send(outbound("hi", { conversation: "C123" })))).toMatchObject({ code: "invalid", certain: true });
  expect(t.calls).toEqual([]);
});

test("an edit with the same text is no error", async () => {
  const t = telegram(() => fail(400, "Bad Request: message is not modified: specified new message content"));
  await expect(edit(t.api, "-100:8", outbound("same"), t.host.plugin)).resolves.toBeUndefined();
  expect(t.calls[0]).toMatchObject({ method: "editMessageText", params: { chat_id: -100, message_id: 8, text: "same" } });
});

test("an edit that needs two messages is refused", async () => {
  const t = telegram(() => ok(true));
  expect(await failure(edit(t.api, "-100:8", outbound("word ".repeat(1000)), t.host.plugin))).toMatchObject({ code: "invalid" });
  expect(t.calls).toEqual([]);
});
