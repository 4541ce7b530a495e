/** What the host is given of what people do in Slack. */

import { expect, test } from "vitest";
import { kindOf } from "../inbound.ts";
import { idsIn, readable } from "../words.ts";
import { ME } from "./platform.ts";
import { bench } from "./support.ts";

const TS = "1700000000.000100";

test("a direct message has its writer's name, its text as people read it, and no thread", () =>
  bench(async (b) => {
    const running = await b.connected();
    b.slack.say({ channel: "D1", channel_type: "im", user: "UANN", text: "see <https://a.example/x|the page> &amp; ask <@UBOB> in <#C9>, <!here>", ts: TS });
    await b.host.clock.advance(1_000);
    expect(b.host.drafts[0]).toEqual({
      account: "T1",
      messageId: `D1:${TS}`,
      conversation: "D1",
      conversationName: "Ann",
      chatType: "direct",
      thread: null,
      sender: { id: "UANN", name: "Ann", isBot: false },
      text: "see the page (https://a.example/x) & ask @ubob in #general, @here",
      mentionsBot: true,
      replyTo: null,
      sentAt: 1_700_000_000_000,
    });
    await running.stopped(b.host);
  }));

test("a message in a channel begins a thread; in a thread it says which; a group message begins none", () =>
  bench(async (b) => {
    const running = await b.connected();
    b.slack.say({ channel: "C1", channel_type: "channel", user: "UANN", text: "<@UBOT>: root", ts: TS });
    b.slack.say({ channel: "C1", channel_type: "channel", user: "UANN", text: "reply", thread_ts: TS, parent_user_id: "UBOT" });
    b.slack.say({ channel: "C1", channel_type: "channel", user: "UANN", text: "elsewhere", thread_ts: "1600000000.000001", parent_user_id: "UBOB" });
    b.slack.say({ channel: "G1", channel_type: "mpim", user: "UANN", text: "<@UBOT> group" });
    await b.host.clock.advance(1_000);
    const of = (text: string) => {
      const draft = b.host.drafts.find((one) => one.text === text);
      return [draft?.chatType, draft?.thread, draft?.mentionsBot, draft?.conversationName];
    };
    expect(of("root")).toEqual(["channel", TS, true, "#general"]);
    expect(of("reply")).toEqual(["channel", TS, true, "#general"]);
    expect(of("elsewhere")).toEqual(["channel", "1600000000.000001", false, "#general"]);
    expect(of("group")).toEqual(["group", null, true, "ann, bob"]);
    await running.stopped(b.host);
  }));

test("without threads of its own a channel is one conversation", () =>
  bench(
    async (b) => {
      const running = await b.connected();
      b.slack.say({ channel: "C1", channel_type: "channel", user: "UANN", text: "<@UBOT> root" });
      await b.host.clock.advance(1_000);
      expect(b.host.drafts[0]?.thread).toBeNull();
      await running.stopped(b.host);
    },
    { replyInThread: false },
  ));

test("the bot's own messages are dropped, and those of other bots are marked", () =>
  bench(async (b) => {
    const running = await b.connected();
    b.slack.say({ channel: "C1", channel_type: "channel", user: ME.user, bot_id: ME.bot, text: "mine" });
    b.slack.say({ channel: "C1", channel_type: "channel", bot_id: ME.bot, subtype: "bot_message", text: "mine too" });
    b.slack.say({ channel: "C1", channel_type: "channel", bot_id: "BOTHER", subtype: "bot_message", username: "CI", text: "", attachments: [{ fallback: "build failed" }] });
    b.slack.happen({ type: "message", subtype: "channel_join", channel: "C1", user: "UANN", text: "joined", ts: b.slack.ts() });
    await b.host.clock.advance(1_000);
    expect(b.host.drafts.map((draft) => [draft.text, draft.sender])).toEqual([["build failed", { id: "BOTHER", name: "CI", isBot: true }]]);
    expect(b.slack.open).toEqual([]);
    await running.stopped(b.host);
  }));

test("files come as attachments with a reference, and no token in it", () =>
  bench(async (b) => {
    const running = await b.connected();
    const files = [
      { id: "F1", name: "a.png", mimetype: "image/png", size: 8, url_private_download: "https://slack.example/files/a.png" },
      { id: "F2", title: "note", mimetype: "audio/mp4", subtype: "slack_audio", size: 9 },
      { id: "F3", mode: "tombstone" },
    ];
    b.slack.say({ channel: "D1", channel_type: "im", user: "UANN", text: "", subtype: "file_share", files });
    await b.host.clock.advance(1_000);
    expect(b.host.drafts[0]?.attachments).toEqual([
      { reference: "F1", kind: "image", name: "a.png", mime: "image/png", bytes: 8 },
      { reference: "F2", kind: "voice", name: "note", mime: "audio/mp4", bytes: 9 },
    ]);
    const ctx = b.host.context();
    const media = await b.channel.messaging?.download?.({ reference: "F1", kind: "image", name: "a.png" }, ctx);
    expect(media).toMatchObject({ kind: "image", name: "a.png", mime: "image/png", bytes: 8 });
    await expect(b.channel.messaging?.download?.({ reference: "FEVIL", name: "x" }, ctx)).rejects.toMatchObject({ code: "forbidden" });
    expect(b.host.network.requests.some((request) => request.url.hostname === "evil.example")).toBe(false);
    await running.stopped(b.host);
  }));

test("edits, deletions and reactions of people are notices with the thread they belong to; previews of links and the bot's own are none", () =>
  bench(async (b) => {
    const running = await b.connected();
    b.slack.say({ channel: "C1", channel_type: "channel", user: "UANN", text: "<@UBOT> root", ts: TS });
    await b.host.clock.advance(100);
    const changed = (text: string, before: string, user = "UANN") =>
      b.slack.happen({ type: "message", subtype: "message_changed", channel: "C1", message: { user, ts: TS, text }, previous_message: { user, ts: TS, text: before }, event_ts: "1700000005.000000" });
    changed("<@UBOB> now", "before");
    changed("same", "same");
    changed("mine", "my old", ME.user);
    b.slack.happen({ type: "message", subtype: "message_deleted", channel: "C1", deleted_ts: TS, previous_message: { user: "UANN", ts: TS } });
    b.slack.happen({ type: "reaction_added", user: "UANN", reaction: "+1", item: { type: "message", channel: "C1", ts: TS }, event_ts: "1700000006.000000" });
    b.slack.happen({ type: "reaction_removed", user: "UANN", reaction: "+1", item: { type: "message", channel: "C1", ts: TS } });
    b.slack.happen({ type: "reaction_added", user: ME.user, reaction: "eyes", item: { type: "message", channel: "C1", ts: TS } });
    await b.host.clock.advance(1_000);
    expect(b.host.notices.map((notice) => [notice.what, notice.thread, notice.messageId])).toEqual([
      [{ kind: "edited", text: "@ubob now" }, TS, `C1:${TS}`],
      [{ kind: "deleted" }, TS, `C1:${TS}`],
      [{ kind: "reaction", emoji: "+1", added: true }, TS, `C1:${TS}`],
      [{ kind: "reaction", emoji: "+1", added: false }, TS, `C1:${TS}`],
    ]);
    expect(b.host.notices[0]).toMatchObject({ sender: { id: "UANN", name: "Ann" }, at: 1_700_000_005_000 });
    await running.stopped(b.host);
  }));

test("a slash command is an order where it begins with one, else words for the agent", () =>
  bench(async (b) => {
    const running = await b.connected();
    const command = (text: string, n: number) =>
      b.slack.give("slash_commands", { team_id: "T1", channel_id: "D1", channel_name: "directmessage", user_id: "UANN", user_name: "ann", command: "/kata", text, trigger_id: `t${n}` });
    for (const [n, text] of ["stop", "approve AB12 always", "what is new?", ""].entries()) command(text, n);
    await b.host.clock.advance(1_000);
    expect(b.texts()).toEqual(["/stop", "/approve AB12 always", "what is new?", "/status"]);
    expect(b.host.drafts.every((draft) => draft.mentionsBot === true && draft.chatType === "direct")).toBe(true);
    expect(b.slack.open).toEqual([]);
    await running.stopped(b.host);
  }));

const press = {
  type: "block_actions",
  team: { id: "T1" },
  user: { id: "UANN", username: "ann" },
  channel: { id: "C1", name: "general" },
  container: { message_ts: TS, channel_id: "C1", thread_ts: "1699999999.000001" },
  message: { ts: TS, thread_ts: "1699999999.000001", text: "May I?", blocks: [{ type: "section" }, { type: "actions", block_id: "kata" }] },
  trigger_id: "t1",
  actions: [{ action_id: "kata:0", value: "ok:AB12", type: "button", action_ts: "1" }],
};

test("a press is acknowledged when the host has it; who pressed sees the answer, and the buttons go", () =>
  bench(async (b) => {
    let done: (() => void) | undefined;
    b.host.pressed = () => new Promise((resolve) => (done = () => resolve({ text: "Allowed once.", done: true })));
    b.slack.messages.set("C1", [{ ts: TS, text: "May I?", user: ME.user }]);
    const running = await b.connected();
    b.slack.give("interactive", press);
    await b.host.clock.advance(1_000);
    expect(b.host.presses).toEqual([
      { account: "T1", conversation: "C1", chatType: "channel", thread: "1699999999.000001", sender: { id: "UANN", name: "Ann", isBot: false }, messageId: `C1:${TS}`, button: "ok:AB12" },
    ]);
    expect(b.slack.acks).toEqual([]);
    done?.();
    await b.host.clock.advance(100);
    expect(b.slack.acks).toEqual([{ envelope_id: "env-1" }]);
    expect(b.slack.called("chat.postEphemeral")).toEqual([{ channel: "C1", user: "UANN", text: "Allowed once.", thread_ts: "1699999999.000001" }]);
    expect(JSON.parse(b.slack.called("chat.update")[0]?.["blocks"] ?? "")).toEqual([{ type: "section" }]);
    await running.stopped(b.host);
  }));

test("a press of a button that is not the host's is acknowledged and nothing else", () =>
  bench(async (b) => {
    const running = await b.connected();
    b.slack.give("interactive", { ...press, actions: [{ action_id: "other", value: "x" }] });
    b.slack.give("interactive", { type: "view_submission", team: { id: "T1" } });
    await b.host.clock.advance(1_000);
    expect([b.host.presses, b.slack.open]).toEqual([[], []]);
    await running.stopped(b.host);
  }));

test("a name that cannot be had in a second holds no message up", () =>
  bench(async (b) => {
    b.slack.fault = ({ method }) => (method === "users.info" || method === "conversations.info" ? new Promise<Response>(() => {}) : undefined);
    const running = await b.connected();
    b.slack.say({ channel: "C1", channel_type: "channel", user: "UANN", text: "<@UBOT> hello <@UBOB>" });
    await b.host.clock.advance(1_500);
    expect(b.host.drafts[0]).toMatchObject({ text: "hello @UBOB", sender: { id: "UANN", name: null }, conversationName: null });
    expect(b.slack.acks.length).toBe(1);
    await running.stopped(b.host);
  }));

test("what nobody could have meant as a mark stays text", () => {
  const none = new Map<string, string>();
  expect(readable("1 &lt; 2 <tel:+491|+491> <mailto:a@b.c|a@b.c> <!subteam^S1|@devs> <!subteam^S2> <!date^1^{date}|today> <https://x.y>", none)).toBe(
    "1 < 2 +491 a@b.c @devs @S2 today https://x.y",
  );
  expect(idsIn("<@U1> <@U2|ann> <#C1|> &lt;@U3&gt;")).toEqual({ users: ["U1"], channels: ["C1"] });
  expect([kindOf("video/mp4"), kindOf("application/pdf"), kindOf(undefined)]).toEqual(["video", "file", "file"]);
});
