import { describe, expect, it } from "vitest";
import type { Approval, Message, SessionDetail, SessionEvent, ToolCall } from "@/generated/protocol";
import { message } from "@/platform/fake/sessions";
import { type Chat, canResend, EMPTY_CHAT, reduceChat, rowsOf } from "./reducer";

const call: ToolCall = { callId: "call-1", name: "shell", input: {}, result: null, status: "pending", durationMs: null };
const approval: Approval = { code: "AB2C3D", session: "s", sessionName: null, turn: "t", call, reason: "it writes", always: null, channel: null, requestedAt: 0, expiresAt: 1 };
const row = (id: string, content: string, more: Partial<Message> = {}): Message => ({ ...message("assistant", content), id, ...more });

function detail(messages: Message[], more: Partial<SessionDetail> = {}): SessionDetail {
  return {
    summary: {
      id: "s", workspace: "w", name: null, preview: null, createdAt: 0, lastMessageAt: 0, flagged: false, status: null, labels: [], unread: false,
      mode: "ask", model: null, channel: null, messageCount: messages.length, usage: { totalTokens: 7 }, state: "idle",
    },
    messages, earlier: 0, approvals: [], state: "idle", ...more,
  };
}

const play = (chat: Chat, ...events: SessionEvent[]): Chat => events.reduce((before, event) => reduceChat(before, { type: "event", event }), chat);
const loaded = (...messages: Message[]): Chat => reduceChat(EMPTY_CHAT, { type: "loaded", detail: detail(messages) });
const end = (how: "completed" | "interrupted" | "failed"): SessionEvent => ({ kind: "turn_ended", turn: "t", end: how, error: null });
const texts = (chat: Chat): string[] => chat.messages.map(({ content }) => content);

describe("a chat", () => {
  it("grows text by deltas and lets the finished row take its place", () => {
    const growing = play(loaded(), { kind: "thinking_delta", message: "m", text: "hm" }, { kind: "text_delta", message: "m", text: "Hel" }, { kind: "text_delta", message: "m", text: "lo" });
    expect(growing.growing).toEqual({ id: "m", text: "Hello", thinking: "hm" });
    expect(growing.messages).toEqual([]);
    const done = play(growing, { kind: "message", message: row("m", "Hello.") });
    expect(done.growing).toBeNull();
    expect(texts(done)).toEqual(["Hello."]);
  });

  it("copies no transcript for a delta", () => {
    const before = loaded(row("a", "one"));
    expect(play(before, { kind: "text_delta", message: "m", text: "x" }).messages).toBe(before.messages);
  });

  it("voids what was shown when the attempt is reset, and nothing else", () => {
    const growing = play(loaded(), { kind: "text_delta", message: "m", text: "wrong" });
    expect(play(growing, { kind: "message_reset", message: "other" }).growing?.text).toBe("wrong");
    const reset = play(growing, { kind: "message_reset", message: "m" }, { kind: "text_delta", message: "m", text: "right" });
    expect(reset.growing?.text).toBe("right");
  });

  it("replaces a row of the same id where it stands", () => {
    const chat = play(loaded(row("a", "one"), row("b", "two")), { kind: "message", message: row("a", "uno") });
    expect(texts(chat)).toEqual(["uno", "two"]);
  });

  it("keeps rows that came while the transcript was on its way, newer than it", () => {
    const asking = reduceChat(EMPTY_CHAT, { type: "loading" });
    const meanwhile = play(asking, { kind: "message", message: row("b", "new two") }, { kind: "message", message: row("c", "three") });
    const chat = reduceChat(meanwhile, { type: "loaded", detail: detail([row("a", "one"), row("b", "old two")]) });
    expect(texts(chat)).toEqual(["one", "new two", "three"]);
  });

  it("lets a later transcript win over rows from before it was asked for", () => {
    const stale = play(loaded(row("a", "old")), { kind: "message", message: row("a", "older still") });
    const asked = reduceChat(stale, { type: "loading" });
    expect(texts(reduceChat(asked, { type: "loaded", detail: detail([row("a", "fresh")]) }))).toEqual(["fresh"]);
  });

  it("shows an approval until it is answered, and finds it again after a reload", () => {
    const asked = play(loaded(), { kind: "approval_requested", approval });
    expect(asked.approvals).toEqual([approval]);
    expect(play(asked, { kind: "approval_resolved", callId: "call-1", decision: "once" }).approvals).toEqual([]);
    const again = reduceChat(EMPTY_CHAT, { type: "loaded", detail: detail([], { approvals: [approval], state: "awaiting_approval" }) });
    expect(again.approvals[0]?.call.name).toBe("shell");
  });

  it("offers to resend after a turn that was stopped or failed, never after one that ended well or while one runs", () => {
    const started: SessionEvent = { kind: "turn_started", turn: "t", model: "m" };
    const base = loaded(row("u", "do it", { kind: "user" }));
    expect(canResend(play(base, started, end("completed")), false)).toBe(false);
    expect(canResend(play(base, started, end("interrupted")), false)).toBe(true);
    expect(canResend(play(base, started, end("failed")), false)).toBe(true);
    expect(canResend(play(base, started, { kind: "state", state: "streaming" }), false)).toBe(false);
  });

  it("offers to resend an input without an answer, but not in a channel, where silence can be the answer", () => {
    const chat = loaded(row("u", "do it", { kind: "user" }));
    expect(canResend(chat, false)).toBe(true);
    expect(canResend(chat, true)).toBe(false);
  });

  it("keeps what a command said below the row it was asked after, also when the transcript is read again", () => {
    const note = { id: "n", typed: "/x", state: "running" as const, text: "", after: "a" };
    let chat = reduceChat(loaded(row("a", "one"), row("b", "two")), { type: "note", note });
    chat = reduceChat(chat, { type: "note", note: { ...note, state: "done", text: "said" } });
    chat = reduceChat(chat, { type: "loaded", detail: detail([row("a", "one"), row("b", "two"), row("c", "three")]) });
    expect(rowsOf(chat).map(({ id }) => id)).toEqual(["a", "n", "b", "c"]);
    expect(chat.notes).toHaveLength(1);
    expect(rowsOf(loaded(row("a", "one")))).toHaveLength(1);
  });
});
