/** What readers see of an answer, and what the host is told when it did not come through. */

import type { OutboundMessage } from "@kata-agents/plugin-sdk";
import { json } from "@kata-agents/plugin-sdk/testing";
import { expect, test } from "vitest";
import { emojiName } from "../emoji.ts";
import { ME, no } from "./platform.ts";
import { type Bench, bench } from "./support.ts";

const say = (text: string, more: Partial<OutboundMessage> = {}): OutboundMessage => ({
  route: { channel: "slack", account: "T1", conversation: "C1", thread: "1700000000.000001", replyTo: null },
  text,
  idempotencyKey: "key",
  attempt: 1,
  ...more,
});
const send = (b: Bench, message: OutboundMessage) => b.channel.outbound.send(message, b.host.context());
const posted = (b: Bench) => b.slack.called("chat.postMessage");

test("an answer goes into the thread it was asked in, as mrkdwn, and previews no links", () =>
  bench(async (b) => {
    const { messageIds } = await send(b, say("**Done**: [page](https://a.example)"));
    expect(posted(b)[0]).toMatchObject({ channel: "C1", thread_ts: "1700000000.000001", text: "*Done*: <https://a.example|page>", unfurl_links: "false" });
    expect(messageIds).toEqual([expect.stringMatching(/^C1:\d+\.\d{6}$/)]);
  }));

test("buttons stand under the last message, with the host's ids as values", () =>
  bench(async (b) => {
    const buttons = [
      { id: "ok:AB12", label: "Allow", style: "primary" as const },
      { id: "no:AB12", label: "Refuse", style: "danger" as const },
      { id: "more:AB12", label: "Always", style: "plain" as const },
    ];
    await send(b, say("May I *write*?", { buttons }));
    const blocks = JSON.parse(posted(b)[0]?.["blocks"] ?? "[]") as { type: string; text?: unknown; elements?: Record<string, unknown>[] }[];
    expect(blocks.map((block) => block.type)).toEqual(["section", "actions"]);
    expect(blocks[0]?.text).toEqual({ type: "mrkdwn", text: "May I _write_?" });
    expect(blocks[1]?.elements?.map(({ value, style, action_id }) => [value, style, action_id])).toEqual([
      ["ok:AB12", "primary", "kata:0"],
      ["no:AB12", "danger", "kata:1"],
      ["more:AB12", undefined, "kata:2"],
    ]);
  }));

test("a long answer that stopped half way goes on where it stopped", () =>
  bench(async (b) => {
    const text = Array.from({ length: 3 }, (_, n) => `part ${n} ${"word ".repeat(700)}`).join("\n\n");
    let failures = 1;
    b.slack.fault = ({ method, params }) => (method === "chat.postMessage" && params["text"]?.startsWith("part 1") && failures-- > 0 ? b.slack.tooFast() : undefined);
    await expect(send(b, say(text))).rejects.toMatchObject({ code: "rate_limited", retryAfterMs: 3_000, certain: true });
    await expect(send(b, say(text, { attempt: 2 }))).rejects.toMatchObject({ code: "rate_limited", certain: true });
    await b.host.clock.advance(3_000);
    const { messageIds } = await send(b, say(text, { attempt: 3 }));
    expect(messageIds.length).toBe(3);
    expect(b.slack.sent().map((one) => one.slice(0, 6))).toEqual(["part 0", "part 1", "part 2"]);
  }));

test("Slack's wait counts for that method alone, and nobody asks again before it is over", () =>
  bench(async (b) => {
    b.slack.fault = ({ method }) => (method === "chat.postMessage" ? json({ ok: false, error: "ratelimited" }, 429, { "retry-after": "30" }) : undefined);
    await expect(send(b, say("a"))).rejects.toMatchObject({ code: "rate_limited", retryAfterMs: 30_000 });
    await b.host.clock.advance(10_000);
    await expect(send(b, say("a", { attempt: 2 }))).rejects.toMatchObject({ code: "rate_limited", retryAfterMs: 20_000 });
    expect(posted(b).length).toBe(1);
    expect((await b.channel.status?.probe(b.host.context()))?.ok).toBe(true);
    b.slack.fault = () => undefined;
    await b.host.clock.advance(20_000);
    await send(b, say("a", { attempt: 3 }));
    expect(b.slack.sent()).toEqual(["a"]);
  }));

test("a send whose answer was lost is looked for first: sent once, whether it had come through or not", async () => {
  for (const came of [true, false]) {
    await bench(async (b) => {
      let lost = true;
      b.slack.fault = (call) => {
        if (call.method !== "chat.postMessage" || !lost) return undefined;
        lost = false;
        if (came) b.slack.messages.set("C1", [{ ts: b.slack.ts(), thread_ts: "1700000000.000001", user: ME.user, text: "hi", metadata: JSON.parse(call.params["metadata"] ?? "{}") as unknown }]);
        return new Response("oops", { status: 502 });
      };
      await expect(send(b, say("hi"))).rejects.toMatchObject({ code: "unreachable", certain: false });
      const { messageIds } = await send(b, say("hi", { attempt: 2 }));
      expect(posted(b).length).toBe(came ? 1 : 2);
      const there = b.slack.messages.get("C1") ?? [];
      expect(there.map((one) => `C1:${String(one["ts"])}`)).toEqual(messageIds);
      expect(b.slack.called("conversations.replies")[0]).toMatchObject({ channel: "C1", ts: "1700000000.000001", include_all_metadata: "true" });
    });
  }
});

test("as long as it cannot be looked for, it is not sent again", () =>
  bench(async (b) => {
    b.slack.fault = ({ method }) => (method === "chat.postMessage" || method === "conversations.replies" ? new Response("", { status: 500 }) : undefined);
    await expect(send(b, say("hi"))).rejects.toMatchObject({ certain: false });
    await expect(send(b, say("hi", { attempt: 2 }))).rejects.toMatchObject({ code: "unreachable", certain: false });
    expect(posted(b).length).toBe(1);
  }));

const meanings: [string, string, boolean][] = [
  ["channel_not_found", "not_found", true],
  ["is_archived", "not_found", true],
  ["not_in_channel", "forbidden", true],
  ["missing_scope", "forbidden", true],
  ["token_revoked", "unauthorized", true],
  ["msg_too_long", "invalid", true],
  ["internal_error", "unreachable", false],
];
test.each(meanings)("%s means %s", (error, code, certain) =>
  bench(async (b) => {
    b.slack.fault = ({ method }) => (method === "chat.postMessage" ? no(error, { needed: "chat:write" }) : undefined);
    await expect(send(b, say("hi"))).rejects.toMatchObject({ code, certain });
  }),
);

test("files are uploaded and shared as one message behind the text", () =>
  bench(async (b) => {
    const attachments = [b.host.keep("a.txt", new TextEncoder().encode("first"), "text/plain"), b.host.keep("b.txt", new TextEncoder().encode("second"), "text/plain")];
    const { messageIds } = await send(b, say("Here:", { attachments }));
    expect([...b.slack.uploads.values()]).toEqual(["first", "second"]);
    const [shared] = b.slack.called("files.completeUploadExternal");
    expect([shared?.["channel_id"], shared?.["thread_ts"]]).toEqual(["C1", "1700000000.000001"]);
    expect((JSON.parse(shared?.["files"] ?? "[]") as { title: string }[]).map((file) => file.title)).toEqual(["a.txt", "b.txt"]);
    expect(messageIds.length).toBe(2);
    expect((await send(b, say("", { attachments, idempotencyKey: "other" }))).messageIds.length).toBe(1);
  }));

test("a preview becomes the answer by an edit; one that is gone is no reason to lose it", () =>
  bench(async (b) => {
    const ctx = b.host.context();
    const route = { channel: "slack", account: "T1", conversation: "D1", thread: null, replyTo: null };
    const first = await b.channel.outbound.stream?.({ route, text: "I", key: "s", messageId: null }, ctx);
    expect(await b.channel.outbound.stream?.({ route, text: "I look", key: "s", messageId: first ?? null }, ctx)).toBe(first);
    const receipt = await send(b, say("I have looked.", { route, replaces: first ?? null }));
    expect(receipt.messageIds).toEqual([first]);
    expect(b.slack.messages.get("D1")?.map((one) => one["text"])).toEqual(["I have looked."]);
    await b.channel.outbound.delete?.(first ?? "", route, ctx);
    await b.channel.outbound.delete?.(first ?? "", route, ctx);
    await send(b, say("Once more.", { route, replaces: first ?? null, idempotencyKey: "k2" }));
    expect(b.slack.messages.get("D1")?.map((one) => one["text"])).toEqual(["Once more."]);
  }));

test("in a thread Slack streams itself; the stream takes what is new, ends, and becomes the answer", () =>
  bench(async (b) => {
    b.slack.absent.delete("chat.startStream");
    const running = await b.connected();
    const asked = b.slack.say({ channel: "C1", channel_type: "channel", user: "UANN", text: "<@UBOT> go", ts: "1700000000.000001" });
    await b.host.clock.advance(1_000);
    const ctx = b.host.context();
    const route = { ...say("").route, replyTo: asked };
    const id = (await b.channel.outbound.stream?.({ route, text: "**I**", key: "s", messageId: null }, ctx)) ?? null;
    await b.channel.outbound.stream?.({ route, text: "**I** look", key: "s", messageId: id }, ctx);
    expect(b.slack.called("chat.startStream")).toEqual([{ channel: "C1", thread_ts: "1700000000.000001", recipient_user_id: "UANN", recipient_team_id: "T1", markdown_text: "**I**" }]);
    expect(b.slack.called("chat.appendStream").map((call) => call["markdown_text"])).toEqual([" look"]);
    const receipt = await send(b, say("**I** have looked.", { route, replaces: id }));
    expect([receipt.messageIds, b.slack.called("chat.stopStream").length]).toEqual([[id], 1]);
    expect(b.slack.messages.get("C1")?.at(-1)?.["text"]).toBe("*I* have looked.");
    await running.stopped(b.host);
  }));

test("a workspace without streams is asked once", () =>
  bench(async (b) => {
    const ctx = b.host.context();
    for (const key of ["a", "b"]) await b.channel.outbound.stream?.({ route: say("").route, text: "x", key, messageId: null }, ctx);
    expect([b.slack.called("chat.startStream").length, posted(b).length]).toEqual([1, 2]);
  }));

test("an edit takes the buttons away, and the same text again is no error", () =>
  bench(async (b) => {
    const [id = ""] = (await send(b, say("May I?", { buttons: [{ id: "x", label: "X", style: "plain" }] }))).messageIds;
    await b.channel.outbound.edit?.(id, say("You may."), b.host.context());
    await b.channel.outbound.edit?.(id, say("You may."), b.host.context());
    expect(b.slack.messages.get("C1")?.map((one) => [one["text"], one["blocks"]])).toEqual([["You may.", []]]);
  }));

test("a reaction takes the place of the one before, and is taken back", () =>
  bench(async (b) => {
    const ctx = b.host.context();
    await b.channel.outbound.react?.("C1:1700000000.000001", "👍", say("").route, ctx);
    await b.channel.outbound.react?.("C1:1700000000.000001", null, say("").route, ctx);
    expect(b.slack.called("reactions.add").map((call) => call["name"])).toEqual(["+1"]);
    expect(b.slack.called("reactions.remove").map((call) => call["name"])).toEqual(["eyes", "eyes"]);
    expect([emojiName("👍🏽"), emojiName(":tada:"), emojiName("❤️"), emojiName("☃ snow")]).toEqual(["+1::skin-tone-4", "tada", "heart", undefined]);
  }));

test("the typing signal is the status of a thread; where Slack refuses it, it is not asked for an hour", () =>
  bench(async (b) => {
    const { route } = say("");
    await b.channel.heartbeat?.typing({ ...route, thread: null }, b.host.context());
    await b.channel.heartbeat?.typing(route, b.host.context());
    await b.channel.heartbeat?.typing(route, b.host.context());
    expect(b.slack.called("assistant.threads.setStatus")).toEqual([{ channel_id: "C1", thread_ts: "1700000000.000001", status: "is typing…" }]);
    await b.host.clock.advance(3_600_000);
    b.slack.absent.clear();
    await b.channel.heartbeat?.typing(route, b.host.context());
    expect(b.slack.called("assistant.threads.setStatus").length).toBe(2);
  }));

test("a route that is not Slack's reaches nobody", () =>
  bench(async (b) => {
    await expect(send(b, say("x", { route: { ...say("").route, conversation: "../auth.test" } }))).rejects.toMatchObject({ code: "invalid" });
    await expect(send(b, say("x", { route: { ...say("").route, thread: "now" } }))).rejects.toMatchObject({ code: "invalid" });
    expect(b.slack.calls).toEqual([]);
  }));
