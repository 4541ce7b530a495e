import { expect, test } from "vitest";
import { addresses, attachmentsOf, textOf, withoutFallback } from "../content.ts";
import { eventOf } from "../events.ts";
import { refersTo, take, type View } from "../inbound.ts";
import { ANN, ME, ROOM } from "./homeserver.ts";

const NAMES: Record<string, string> = { [ANN]: "Ann", "@bob:example.org": "Bob B", [ME]: "Kata" };
const view = (more: Partial<View> = {}): View => ({ me: ME, room: ROOM, chatType: "group", title: "Kitchen", nameOf: (user) => NAMES[user], referred: undefined, ...more });
const event = (content: unknown, more: Record<string, unknown> = {}) => {
  const found = eventOf({ event_id: "$1", type: "m.room.message", sender: ANN, origin_server_ts: 5, content, ...more });
  if (found === undefined) throw new Error("no event");
  return found;
};
const draft = (content: Record<string, unknown>, more: Partial<View> = {}) => {
  const taken = take(event({ msgtype: "m.text", ...content }), view(more));
  return taken.kind === "draft" ? taken.draft : undefined;
};

test("a message is a draft with names, thread and what it answers", () => {
  expect(draft({ body: "hello", "m.relates_to": { rel_type: "m.thread", event_id: "$root", is_falling_back: true, "m.in_reply_to": { event_id: "$last" } } })).toEqual({
    account: ME,
    messageId: "$1",
    conversation: ROOM,
    conversationName: "Kitchen",
    chatType: "group",
    thread: "$root",
    sender: { id: ANN, name: "Ann", isBot: false },
    text: "hello",
    replyTo: null,
    mentionsBot: false,
    sentAt: 5,
    attachments: [],
  });
  const inThread = { rel_type: "m.thread", event_id: "$root", "m.in_reply_to": { event_id: "$asked" } };
  expect(draft({ body: "x", "m.relates_to": inThread })).toMatchObject({ thread: "$root", replyTo: "$asked" });
});

test("an answer loses the quotation of old clients, and means the bot when it answers the bot", () => {
  const answer = { body: "> <@kata:example.org> the time is 5\n> really\n\nthanks", "m.relates_to": { "m.in_reply_to": { event_id: "$bot" } } };
  expect(refersTo(event(answer))).toBe("$bot");
  expect(draft(answer, { referred: { sender: ME, reaction: undefined, replaces: undefined } })).toMatchObject({ text: "thanks", replyTo: "$bot", mentionsBot: true });
  expect(draft(answer, { referred: { sender: ANN, reaction: undefined, replaces: undefined } })?.mentionsBot).toBe(false);
  expect(withoutFallback("> a quotation I wrote\nand its end")).toBe("> a quotation I wrote\nand its end");
  expect(draft({ body: "> not an answer\n\nhello" })?.text).toBe("> not an answer\n\nhello");
});

test("the bot is meant by what the client says, and where it says nothing, by pill, id or name as a word", () => {
  const me = { id: ME, name: "Kata" };
  const means = (content: Record<string, unknown>) => addresses(content, me);
  expect(means({ body: "x", "m.mentions": { user_ids: [ME] } })).toBe(true);
  expect(means({ body: "Kata: hello", "m.mentions": {} })).toBe(false);
  expect(means({ body: "x", "m.mentions": { room: true } })).toBe(false);
  expect(means({ body: "Kata: hello" })).toBe(true);
  expect(means({ body: "hello, kata." })).toBe(true);
  expect(means({ body: "@kata:example.org hi" })).toBe(true);
  expect(means({ body: "@kata hi" })).toBe(true);
  expect(means({ body: "@kata:elsewhere.org hi" })).toBe(false);
  expect(means({ body: "katamaran" })).toBe(false);
  expect(means({ body: "x", formatted_body: '<a href="https://matrix.to/#/@kata:example.org">K</a>' })).toBe(true);
  expect(means({ body: "x", formatted_body: '<a href="https://matrix.to/#/%40kata%3Aexample.org">K</a>' })).toBe(true);
});

test("mentions are readable", () => {
  expect(draft({ body: "ask @bob:example.org", "m.mentions": { user_ids: ["@bob:example.org"] } })?.text).toBe("ask @Bob B");
  expect(draft({ body: "ask [Bob B](https://matrix.to/#/@bob:example.org) now" })?.text).toBe("ask @Bob B now");
});

test("own messages, notices, redacted ones and verification requests are none", () => {
  expect(take(event({ msgtype: "m.text", body: "x" }, { sender: ME }), view()).kind).toBe("nothing");
  expect(draft({ msgtype: "m.notice", body: "I am a bot" })).toBeUndefined();
  expect(draft({ msgtype: "m.key.verification.request", body: "x" })).toBeUndefined();
  expect(take(event({}, { unsigned: { redacted_because: {} } }), view()).kind).toBe("nothing");
  expect(draft({ body: "" })).toBeUndefined();
});

test("an edit of the writer is a notice, and one of anybody else is nothing", () => {
  const content = { msgtype: "m.text", body: "* new", "m.new_content": { msgtype: "m.text", body: "new" }, "m.relates_to": { rel_type: "m.replace", event_id: "$old" } };
  const by = (sender: string) => take(event(content), view({ referred: { sender, reaction: undefined, replaces: undefined } }));
  expect(by(ANN)).toMatchObject({ kind: "notice", notice: { messageId: "$old", what: { kind: "edited", text: "new" }, sender: { id: ANN } } });
  expect(by("@bob:example.org").kind).toBe("nothing");
  expect(take(event(content), view()).kind).toBe("nothing");
});

test("reactions and redactions are notices, in old and new room versions", () => {
  const reaction = event({ "m.relates_to": { rel_type: "m.annotation", event_id: "$m", key: "👍" } }, { type: "m.reaction" });
  expect(take(reaction, view())).toMatchObject({ notice: { messageId: "$m", what: { kind: "reaction", emoji: "👍", added: true } } });
  const gone = { sender: ANN, reaction: { target: "$m", key: "👍" }, replaces: undefined };
  const v10 = event({}, { type: "m.room.redaction", redacts: "$r" });
  const v11 = event({ redacts: "$r" }, { type: "m.room.redaction" });
  for (const redaction of [v10, v11]) {
    expect(refersTo(redaction)).toBe("$r");
    expect(take(redaction, view({ referred: gone }))).toMatchObject({ notice: { messageId: "$m", what: { kind: "reaction", emoji: "👍", added: false } } });
    expect(take(redaction, view())).toMatchObject({ notice: { messageId: "$r", what: { kind: "deleted" } } });
  }
});

test("files are attachments with a reference; a name is no text, a caption is", () => {
  const file = { msgtype: "m.image", body: "cat.jpg", url: "mxc://example.org/abc", info: { mimetype: "image/jpeg", size: 12 } };
  expect(draft(file)).toMatchObject({ text: "", attachments: [{ reference: "mxc://example.org/abc", kind: "image", name: "cat.jpg", mime: "image/jpeg", bytes: 12 }] });
  expect(draft({ ...file, filename: "cat.jpg", body: "my cat" })).toMatchObject({ text: "my cat", attachments: [{ name: "cat.jpg" }] });
  expect(attachmentsOf(event({ ...file, msgtype: "m.audio", "org.matrix.msc3245.voice": {} }))).toMatchObject([{ kind: "voice" }]);
  expect(draft({ ...file, url: "https://evil.example/x" })).toMatchObject({ text: "cat.jpg", attachments: [] });
  expect(attachmentsOf(event({ ...file, info: { size: -1, mimetype: 5 } }))).toMatchObject([{ bytes: null, mime: null }]);
});

test("what is said otherwise is said in words", () => {
  const said = (content: Record<string, unknown>, type = "m.room.message") => textOf({ type, content, sender: ANN }, (user) => NAMES[user], false);
  expect(said({ msgtype: "m.emote", body: "waves" })).toBe("* Ann waves");
  expect(said({ msgtype: "m.location", body: "home", geo_uri: "geo:1,2" })).toBe("[location geo:1,2]");
  expect(said({ body: "party" }, "m.sticker")).toBe("[sticker party]");
  expect(said({ msgtype: "org.example.new", body: "fallback" })).toBe("fallback");
});

test("what is no event is passed over", () => {
  for (const raw of [null, 5, "x", [], {}, { event_id: 5, type: "m", sender: "s" }, { event_id: "$1", type: "m.room.message" }]) expect(eventOf(raw)).toBeUndefined();
  const odd = event({ msgtype: 5, body: { not: "text" }, "m.relates_to": "x", "m.mentions": 7 });
  expect(take(odd, view()).kind).toBe("nothing");
});
