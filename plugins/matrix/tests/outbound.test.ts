import { json } from "@kata-agents/plugin-sdk/testing";
import { expect, test } from "vitest";
import { ANN, ME, ROOM } from "./homeserver.ts";
import { Bench } from "./support.ts";

test("the same key again is the same event", () =>
  Bench.run({}, async (bench) => {
    const first = await bench.settled(bench.send("once"));
    expect(await bench.settled(bench.send("once", { attempt: 2 }))).toEqual(first);
    expect(bench.server.written).toHaveLength(1);
    expect(bench.server.asked.at(-1)).toBe(`PUT /rooms/${ROOM}/send/m.room.message/key-1-0`);
  }));

test("a long text gives several events, in order, and going on after a failure repeats none", () =>
  Bench.run({}, async (bench) => {
    const text = Array.from({ length: 5_000 }, (_, n) => `word${n}`).join(" ");
    let failed = false;
    bench.server.fault = (request, path) => {
      if (!path.endsWith("key-1-1") || failed || request.method !== "PUT") return undefined;
      failed = true;
      return json({ errcode: "M_UNKNOWN", error: "Internal server error" }, 500);
    };
    await expect(bench.settled(bench.send(text))).rejects.toMatchObject({ code: "unreachable", certain: false });
    const { messageIds } = await bench.settled(bench.send(text, { attempt: 2 }));
    expect(messageIds.length).toBe(bench.server.written.length);
    expect(bench.server.bodies.join(" ")).toBe(text);
  }));

test("answers refer to what they answer: in a thread with its root, else with the message", () =>
  Bench.run({}, async (bench) => {
    await bench.settled(bench.send("a", { idempotencyKey: "a", route: { replyTo: "$q" } }));
    await bench.settled(bench.send("b", { idempotencyKey: "b", route: { replyTo: "$q", thread: "$root" } }));
    await bench.settled(bench.send("c", { idempotencyKey: "c", route: { thread: "$root" } }));
    await bench.settled(bench.send("d", { idempotencyKey: "d" }));
    const thread = { rel_type: "m.thread", event_id: "$root", is_falling_back: true };
    expect(bench.server.written.map((content) => content["m.relates_to"])).toEqual([
      { "m.in_reply_to": { event_id: "$q" } },
      { ...thread, "m.in_reply_to": { event_id: "$q" } },
      { ...thread, "m.in_reply_to": { event_id: "$root" } },
      undefined,
    ]);
    expect(bench.server.written.every((content) => content["msgtype"] === "m.notice")).toBe(true);
  }));

test("names of members become mentions, others stay words, and nobody is mentioned by a code block", () =>
  Bench.run({}, async (bench) => {
    await bench.settled(bench.send("Ask **@Ann**, @ann:example.org or @nobody; mail me@ann:example.org; `@Ann`"));
    const pill = `<a href="https://matrix.to/#/${ANN}">Ann</a>`;
    expect(bench.server.written[0]).toMatchObject({
      body: "Ask Ann, Ann or @nobody; mail me@ann:example.org; @Ann",
      formatted_body: `Ask <strong>${pill}</strong>, ${pill} or @nobody; mail me@ann:example.org; <code>@Ann</code>`,
      "m.mentions": { user_ids: [ANN] },
    });
  }));

test("an edit replaces the text, and a preview becomes the answer", () =>
  Bench.run({}, async (bench) => {
    const ctx = bench.host.context();
    const route = { channel: "matrix", account: ME, conversation: ROOM };
    const first = await bench.settled(bench.channel.outbound.stream?.({ route, text: "Let me", key: "s", messageId: null }, ctx) ?? Promise.reject(new Error("no stream")));
    const second = await bench.settled(bench.channel.outbound.stream?.({ route, text: "Let me see", key: "s", messageId: first ?? null }, ctx) ?? Promise.reject(new Error("no stream")));
    expect(second).toBe(first);
    const receipt = await bench.settled(bench.send("Let me see: **42**", { replaces: first ?? null }));
    expect(receipt.messageIds).toEqual([first]);
    expect(bench.server.written.at(-1)).toEqual({
      msgtype: "m.notice",
      body: "* Let me see: 42",
      "m.mentions": {},
      "m.new_content": { msgtype: "m.notice", body: "Let me see: 42", "m.mentions": {}, format: "org.matrix.custom.html", formatted_body: "Let me see: <strong>42</strong>" },
      "m.relates_to": { rel_type: "m.replace", event_id: first },
    });
  }));

test("a second edit under the same key is another edit", () =>
  Bench.run({}, async (bench) => {
    const message = (text: string) => ({ route: { channel: "matrix", account: ME, conversation: ROOM }, text, idempotencyKey: "same", attempt: 1 });
    for (const text of ["one", "two"]) await bench.settled(bench.channel.outbound.edit?.("$m", message(text), bench.host.context()) ?? Promise.resolve());
    expect(bench.server.bodies).toEqual(["* one", "* two"]);
  }));

test("files are uploaded and sent as events of their kind; one that is too large is refused for good", () =>
  Bench.run({}, async (bench) => {
    const file = bench.host.keep("notes.txt", new TextEncoder().encode("hello"), "text/plain");
    bench.server.fault = (request, path) => (path === "/_matrix/media/v3/upload" ? json({ content_uri: `mxc://example.org/${request.url.searchParams.get("filename")?.length}` }) : undefined);
    await bench.settled(bench.send("", { attachments: [file], route: { replyTo: "$q" } }));
    expect(bench.server.written).toEqual([
      {
        msgtype: "m.file",
        body: "notes.txt",
        filename: "notes.txt",
        url: "mxc://example.org/9",
        info: { mimetype: "text/plain", size: 5 },
        "m.mentions": {},
        "m.relates_to": { "m.in_reply_to": { event_id: "$q" } },
      },
    ]);
    bench.server.fault = (_, path) => (path === "/_matrix/media/v3/upload" ? json({ errcode: "M_TOO_LARGE" }, 413) : undefined);
    await expect(bench.settled(bench.send("", { attachments: [file], idempotencyKey: "other" }))).rejects.toMatchObject({ code: "invalid", certain: true });
  }));

test("a file is fetched with the sign-in, from the path the server knows", () =>
  Bench.run({}, async (bench) => {
    bench.server.fault = (request, path) =>
      path.startsWith("/media/download/") ? new Response(request.headers["authorization"] ?? "nobody", { headers: { "content-type": "text/plain" } }) : undefined;
    const attachment = { reference: "mxc://example.org/abc", kind: "file" as const, name: "a.txt" };
    const media = await bench.settled(bench.channel.messaging?.download?.(attachment, bench.host.context()) ?? Promise.reject(new Error("no download")));
    expect(media).toMatchObject({ name: "a.txt", mime: "text/plain" });
    expect(new TextDecoder().decode(bench.host.media.get(media.id)?.bytes)).toMatch(/^Bearer syt_/);
    const other = bench.channel.messaging?.download?.({ ...attachment, reference: "https://evil.example/x" }, bench.host.context());
    await expect(other).rejects.toMatchObject({ code: "not_found" });
  }));

test("what the server says is what the host is told", () =>
  Bench.run({}, async (bench) => {
    const cases: [Response, Record<string, unknown>][] = [
      [json({ errcode: "M_LIMIT_EXCEEDED", retry_after_ms: 1_808 }, 429), { code: "rate_limited", retryAfterMs: 1_808, certain: true }],
      [json({ errcode: "M_FORBIDDEN", error: "not in room" }, 403), { code: "forbidden", certain: true }],
      [json({ errcode: "M_NOT_FOUND" }, 404), { code: "not_found", certain: true }],
      [json({ errcode: "M_TOO_LARGE", error: "event too large" }, 413), { code: "invalid", certain: true }],
      [json({ errcode: "M_UNKNOWN" }, 502), { code: "unreachable", certain: false }],
      [new Response("<html>", { status: 200 }), { code: "unreachable", certain: false }],
    ];
    for (const [index, [answer, expected]] of cases.entries()) {
      bench.server.fault = (request) => (request.method === "PUT" ? answer : undefined);
      await expect(bench.settled(bench.send("hello", { idempotencyKey: `k${index}` }))).rejects.toMatchObject(expected);
    }
  }));

test("reactions: one of the bot at a time, taken back with nothing", () =>
  Bench.run({}, async (bench) => {
    const react = (emoji: string | null) => bench.settled(bench.channel.outbound.react?.("$m", emoji, { channel: "matrix", account: ME, conversation: ROOM }, bench.host.context()) ?? Promise.resolve());
    await react("👍");
    await react("👍");
    await react("🎉");
    expect(bench.server.written).toEqual([
      { "m.relates_to": { rel_type: "m.annotation", event_id: "$m", key: "👍" } },
      { redacts: "$e1" },
      { "m.relates_to": { rel_type: "m.annotation", event_id: "$m", key: "🎉" } },
    ]);
  }));
