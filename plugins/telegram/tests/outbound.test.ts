import { SendError } from "@kata-agents/plugin-sdk";
import { describe, expect, test } from "vitest";
import { PartialSends } from "@kata-agents/plugin-sdk/sending";
import { edit, react, remove, send, typing } from "../outbound.ts";
import { Previews } from "../stream.ts";
import { type Call, fail, line, ok, outbound, TestHost } from "./support.ts";

const sent = (id: number, chat = -100) => ok({ message_id: id, date: 1, chat: { id: chat, type: "supergroup" } });

function telegram(answer: (call: Call, index: number) => Response | Promise<Response>, host = new TestHost()) {
  const made = line(answer, host);
  return { ...made, send: (message = outbound("hi")) => send(made.line, message) };
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
  await typing(t.line, message.route);
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
  await t.send(outbound("again"));
  expect(t.calls[2]?.params["chat_id"]).toBe(-200);
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
  await expect(edit(t.line, "-100:8", outbound("same"))).resolves.toBeUndefined();
  expect(t.calls[0]).toMatchObject({ method: "editMessageText", params: { chat_id: -100, message_id: 8, text: "same" } });
});

test("an edit that needs two messages is refused", async () => {
  const t = telegram(() => ok(true));
  expect(await failure(edit(t.line, "-100:8", outbound("word ".repeat(1000))))).toMatchObject({ code: "invalid" });
  expect(t.calls).toEqual([]);
});

describe("files", () => {
  const bytes = new Uint8Array([1, 2, 3]);

  test("one file with words that fit goes as one message, with its bytes", async () => {
    const t = telegram(() => sent(5));
    const photo = t.host.kit.keep("cat.png", bytes, "image/png", "image");
    expect(await t.send(outbound("**see**", {}, { attachments: [photo] }))).toEqual({ messageIds: ["-100:5"] });
    const [call] = t.calls;
    expect(call).toMatchObject({ method: "sendPhoto", params: { chat_id: "-100", photo: "attach://file0", caption: "<b>see</b>", parse_mode: "HTML" } });
    expect([call?.files["file0"]?.name, call?.files["file0"]?.type, call?.files["file0"]?.size]).toEqual(["cat.png", "image/png", 3]);
  });

  test("pictures and films are an album, other kinds are not in it, and each is its kind", async () => {
    let id = 0;
    const t = telegram((call) => {
      const media = call.params["media"];
      if (!Array.isArray(media)) return sent((id += 1));
      return ok(media.map(() => ({ message_id: (id += 1), date: 1, chat: { id: -100, type: "group" } })));
    });
    const keep = (name: string, mime: string, kind: "image" | "video" | "voice" | "audio" | "file") => t.host.kit.keep(name, bytes, mime, kind);
    const attachments = [
      keep("a.jpg", "image/jpeg", "image"),
      keep("b.mp4", "video/mp4", "video"),
      keep("c.ogg", "audio/ogg", "voice"),
      keep("d.mp3", "audio/mpeg", "audio"),
      keep("e.pdf", "application/pdf", "file"),
      keep("f.svg", "image/svg+xml", "image"),
    ];
    const receipt = await t.send(outbound("all of it", {}, { attachments }));
    expect(t.calls.map((call) => call.method)).toEqual(["sendMediaGroup", "sendVoice", "sendAudio", "sendMediaGroup"]);
    expect(t.calls[0]?.params["media"]).toEqual([
      { type: "photo", media: "attach://file0", caption: "all of it", parse_mode: "HTML" },
      { type: "video", media: "attach://file1" },
    ]);
    expect(Object.keys(t.calls[3]?.files ?? {})).toEqual(["file0", "file1"]);
    expect(receipt.messageIds).toEqual([1, 2, 3, 4, 5, 6].map((number) => `-100:${number}`));
  });

  test("words too long for a caption go first; with buttons they go last", async () => {
    const t = telegram((_, index) => sent(index + 1));
    const file = t.host.kit.keep("a.pdf", bytes, "application/pdf");
    const long = "word ".repeat(300);
    await t.send(outbound(long, {}, { attachments: [file] }));
    await t.send(outbound(long, {}, { attachments: [file], buttons: [{ id: "a", label: "A", style: "plain" }], idempotencyKey: "key-2" }));
    expect(t.calls.map((call) => [call.method, "reply_markup" in call.params])).toEqual([
      ["sendMessage", false],
      ["sendDocument", false],
      ["sendDocument", false],
      ["sendMessage", true],
    ]);
  });

  test("a file that is gone is refused before anything of it is sent", async () => {
    const t = telegram(() => sent(1));
    const file = t.host.kit.keep("a.pdf", bytes);
    t.host.kit.media.clear();
    expect(await failure(t.send(outbound("", {}, { attachments: [file] })))).toMatchObject({ code: "invalid", certain: true });
    expect(t.calls).toEqual([]);
  });

  test("trying again after a failure in the middle sends no file twice", async () => {
    const host = new TestHost();
    const files = [host.kit.keep("a.ogg", bytes, "audio/ogg", "voice"), host.kit.keep("b.ogg", bytes, "audio/ogg", "voice")];
    const message = outbound("words", {}, { attachments: files });
    const first = telegram((_, index) => (index < 2 ? sent(index + 1) : fail(429, "Too Many Requests", { retry_after: 1 })), host);
    await failure(first.send(message));
    const again = telegram(() => sent(9), host);
    expect(await again.send(message)).toEqual({ messageIds: ["-100:1", "-100:2", "-100:9"] });
    expect(again.calls.map((call) => call.method)).toEqual(["sendVoice"]);
  });
});

test("buttons stand under the last message, three in a row, with their looks", async () => {
  const t = telegram((_, index) => sent(index + 1));
  const buttons = ["a", "b", "c", "d"].map((id) => ({ id, label: id.toUpperCase(), style: id === "a" ? ("primary" as const) : id === "b" ? ("danger" as const) : ("plain" as const) }));
  await t.send(outbound("word ".repeat(1000), {}, { buttons }));
  expect(t.calls.map((call) => call.params["reply_markup"])).toEqual([
    undefined,
    {
      inline_keyboard: [
        [
          { text: "A", callback_data: "a", style: "primary" },
          { text: "B", callback_data: "b", style: "danger" },
          { text: "C", callback_data: "c" },
        ],
        [{ text: "D", callback_data: "d" }],
      ],
    },
  ]);
});

describe("previews", () => {
  const preview = (route: object, fields: object = {}) => ({ route: { ...outbound("").route, ...route }, text: "so **far**", key: "answer-1", messageId: null, ...fields });

  test("in a private chat are drafts, all of one answer with one number", async () => {
    const t = telegram(() => ok(true));
    const previews = new Previews();
    expect(await previews.show(t.line, preview({ conversation: "7" }), { groups: false, now: 0 })).toBeNull();
    await previews.show(t.line, preview({ conversation: "7" }, { text: "so far and on" }), { groups: false, now: 0 });
    expect(t.calls[0]).toMatchObject({ method: "sendMessageDraft", params: { chat_id: 7, text: "so <b>far</b>", parse_mode: "HTML" } });
    expect(t.calls[0]?.params["draft_id"]).toBeGreaterThan(0);
    expect(t.calls[1]?.params["draft_id"]).toBe(t.calls[0]?.params["draft_id"]);
  });

  test("a server that knows no drafts is asked once", async () => {
    const t = telegram(() => fail(404, "Not Found: method not found"));
    const previews = new Previews();
    for (let round = 0; round < 3; round += 1) expect(await previews.show(t.line, preview({ conversation: "7" }), { groups: false, now: 0 })).toBeNull();
    expect(t.calls).toHaveLength(1);
  });

  test("in a group are one message, edited at most every four seconds, and only if a person wants it", async () => {
    const t = telegram(() => sent(8));
    const previews = new Previews();
    expect(await previews.show(t.line, preview({}), { groups: false, now: 0 })).toBeNull();
    expect(await previews.show(t.line, preview({}), { groups: true, now: 0 })).toBe("-100:8");
    for (const now of [1000, 3999, 4000, 5000]) await previews.show(t.line, preview({}, { messageId: "-100:8", text: `at ${now}` }), { groups: true, now });
    expect(t.calls.map((call) => [call.method, call.params["text"]])).toEqual([
      ["sendMessage", "so <b>far</b>"],
      ["editMessageText", "at 4000"],
    ]);
  });

  test("become the answer; one that is gone is followed by a new message", async () => {
    const t = telegram(() => ok(true));
    expect(await t.send(outbound("done", {}, { replaces: "-100:8" }))).toEqual({ messageIds: ["-100:8"] });
    expect(t.calls.map((call) => call.method)).toEqual(["editMessageText"]);
    const gone = telegram((_, index) => (index === 0 ? fail(400, "Bad Request: message to edit not found") : sent(9)));
    expect(await gone.send(outbound("done", {}, { replaces: "-100:8" }))).toEqual({ messageIds: ["-100:9"] });
    expect(gone.calls.map((call) => call.method)).toEqual(["editMessageText", "deleteMessage", "sendMessage"]);
  });
});

test("a message is removed, one that is gone is no error, a foreign one is", async () => {
  const t = telegram((_, index) => (index === 0 ? ok(true) : fail(400, "Bad Request: message to delete not found")));
  await remove(t.line, "-100:8");
  await remove(t.line, "-100:8");
  expect(t.calls[0]).toMatchObject({ method: "deleteMessage", params: { chat_id: -100, message_id: 8 } });
  expect(await failure(remove(t.line, "C:1"))).toMatchObject({ code: "not_found" });
});

test("a reaction is set and taken back", async () => {
  const t = telegram(() => ok(true));
  await react(t.line, "-100:8", "👀");
  await react(t.line, "-100:8", null);
  expect(t.calls.map((call) => call.params["reaction"])).toEqual([[{ type: "emoji", emoji: "👀" }], []]);
});

test("an edit of a file's words changes its caption", async () => {
  const t = telegram((_, index) => (index === 0 ? fail(400, "Bad Request: there is no text in the message to edit") : ok(true)));
  await edit(t.line, "-100:8", outbound("new"));
  expect(t.calls[1]).toMatchObject({ method: "editMessageCaption", params: { caption: "new", message_id: 8 } });
});

test("what is answered stays unquoted when it was written before the group moved", async () => {
  const t = telegram(() => sent(1, -200));
  await t.line.chats.moved(-100, -200);
  await t.send(outbound("hi", { replyTo: "-100:3" }));
  expect(t.calls[0]?.params).toEqual({ chat_id: -200, text: "hi", parse_mode: "HTML" });
});
