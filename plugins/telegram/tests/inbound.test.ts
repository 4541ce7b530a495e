import { describe, expect, test } from "vitest";
import { draftOf, editOf, pressOf, reactionsOf } from "../inbound.ts";
import type { Message } from "../types.ts";
import { ME } from "./support.ts";

const ANN = { id: 7, is_bot: false, first_name: "Ann", last_name: "Lee", username: "ann" };
const FORUM = { id: -100123, type: "supergroup", title: "Team", is_forum: true } as const;
const GROUP = { id: -100456, type: "supergroup", title: "Chat" } as const;

function draft(message: Partial<Message>) {
  const whole = { message_id: 10, date: 1_700_000_000, chat: GROUP, from: ANN, ...message };
  return draftOf(whole, ME, String(whole.chat.id));
}

test("a private message becomes a direct draft with every field", () => {
  expect(draft({ chat: { id: 7, type: "private", first_name: "Ann", last_name: "Lee" }, text: "hi" })).toEqual({
    account: "42",
    messageId: "7:10",
    conversation: "7",
    conversationName: "Ann Lee",
    chatType: "direct",
    thread: null,
    sender: { id: "7", name: "Ann Lee", isBot: false },
    text: "hi",
    replyTo: null,
    mentionsBot: true,
    sentAt: 1_700_000_000_000,
    attachments: [],
  });
});

test("a channel post is written by its channel", () => {
  const chat = { id: -100999, type: "channel", title: "News" } as const;
  const post = draftOf({ message_id: 3, date: 1, chat, sender_chat: chat, text: "hello" }, ME, "-100999");
  expect(post).toMatchObject({ chatType: "channel", conversation: "-100999", sender: { id: "-100999", name: "News", isBot: false } });
});

test("an anonymous administrator is not taken for the bot that stands in", () => {
  const from = { id: 1087968824, is_bot: true, first_name: "Group", username: "GroupAnonymousBot" };
  expect(draft({ from, sender_chat: GROUP, text: "hi" })?.sender).toEqual({ id: "-100456", name: "Chat", isBot: false });
});

test("bots, this one included, are marked", () => {
  expect(draft({ from: { id: 9, is_bot: true, first_name: "Other" }, text: "hi" })?.sender.isBot).toBe(true);
  expect(draft({ from: { ...ME, is_bot: false }, text: "hi" })?.sender.isBot).toBe(true);
});

describe("topics", () => {
  test("a topic is a thread", () => {
    expect(draft({ chat: FORUM, message_thread_id: 5, is_topic_message: true, text: "hi" })?.thread).toBe("5");
  });
  test("a chain of replies in a group without topics is not", () => {
    expect(draft({ message_thread_id: 5, text: "hi" })?.thread).toBeNull();
  });
  test("the message that opened the topic is not what is answered, even if the bot opened it", () => {
    const opened = { message_id: 5, date: 1, chat: FORUM, from: ME, forum_topic_created: { name: "x" } };
    const inTopic = draft({ chat: FORUM, message_thread_id: 5, is_topic_message: true, reply_to_message: opened, text: "hi" });
    expect(inTopic).toMatchObject({ replyTo: null, mentionsBot: false });
  });
});

describe("addressing the bot in a group", () => {
  const at = (text: string, type: string, part: string) => [{ type, offset: text.indexOf(part), length: part.length }];

  test.each([
    ["plain talk", undefined, false],
    ["😀 hey @Kata_Bot!", "mention", true],
    ["hey @other_bot", "mention", false],
    ["/help@kata_bot me", "bot_command", true],
    ["/help@other_bot me", "bot_command", false],
    ["/help me", "bot_command", true],
    ["mail kata_bot@example.org", "email", false],
  ])("%s", (text, type, expected) => {
    const part = /[@/][\w@]+/.exec(text)?.[0] ?? "";
    expect(draft({ text, ...(type ? { entities: at(text, type, part) } : {}) })?.mentionsBot).toBe(expected);
  });
  test("a mention by name without a username", () => {
    expect(draft({ text: "Kata, hi", entities: [{ type: "text_mention", offset: 0, length: 4, user: ME }] })?.mentionsBot).toBe(true);
  });
  test("an answer to the bot, but not to others", () => {
    const said = (from: typeof ANN) => ({ message_id: 4, date: 1, chat: GROUP, from, text: "x" });
    expect(draft({ text: "yes", reply_to_message: said({ ...ANN, ...ME }) })).toMatchObject({ mentionsBot: true, replyTo: "-100456:4" });
    expect(draft({ text: "yes", reply_to_message: said(ANN) })).toMatchObject({ mentionsBot: false, replyTo: "-100456:4" });
  });
  test("a mention in a caption", () => {
    expect(draft({ photo: [], caption: "@kata_bot see", caption_entities: at("@kata_bot see", "mention", "@kata_bot") })).toMatchObject({
      mentionsBot: true,
      text: "@kata_bot see",
    });
  });
});

const file = (more: object = {}) => ({ file_id: "F", file_unique_id: "u", file_size: 9, ...more });

test.each([
  [{ photo: [file({ file_id: "small" }), file({ file_id: "large" })] }, { reference: "large", kind: "image", name: "photo-u.jpg", mime: "image/jpeg", bytes: 9 }],
  [{ voice: file({ mime_type: "audio/ogg" }) }, { reference: "F", kind: "voice", name: "voice-u.ogg", mime: "audio/ogg", bytes: 9 }],
  [{ video: file({ file_name: "x.mp4", mime_type: "video/mp4" }) }, { reference: "F", kind: "video", name: "x.mp4", mime: "video/mp4", bytes: 9 }],
  [{ animation: file(), document: file() }, { reference: "F", kind: "video", name: "animation-u.mp4", mime: null, bytes: 9 }],
  [{ video_note: file() }, { reference: "F", kind: "video", name: "note-u.mp4", mime: "video/mp4", bytes: 9 }],
  [{ audio: file({ title: "Song" }) }, { reference: "F", kind: "audio", name: "Song.mp3", mime: null, bytes: 9 }],
  [{ document: file({ file_name: "a.pdf", mime_type: "application/pdf" }) }, { reference: "F", kind: "file", name: "a.pdf", mime: "application/pdf", bytes: 9 }],
])("%j is a file of the draft", (message, attachment) => {
  expect(draft(message)).toMatchObject({ text: "", attachments: [attachment] });
});

test.each([
  [{ sticker: { emoji: "👍" } }, "[sticker 👍]"],
  [{ location: { latitude: 52.5, longitude: 13.4 } }, "[location 52.5, 13.4]"],
  [{ contact: { first_name: "Bo", phone_number: "+49 1" } }, "[contact Bo +49 1]"],
  [{ poll: { question: "Tea?", options: [{ text: "yes" }, { text: "no" }] } }, "[poll Tea?: yes / no]"],
])("%j is told in brackets", (message, text) => expect(draft(message)?.text).toBe(text));

test("an album is one draft with all its files and words", () => {
  const one = { message_id: 10, date: 1, chat: GROUP, from: ANN, media_group_id: "g", photo: [file()] };
  const two = { ...one, message_id: 11, caption: "both", photo: [file({ file_id: "second" })] };
  expect(draftOf(one, ME, "-100456", [two])).toMatchObject({ messageId: "-100456:10", text: "both", attachments: [{ reference: "F" }, { reference: "second" }] });
});

test("an order to this bot by name is the order", () => {
  const text = "/stop@Kata_Bot now";
  expect(draft({ text, entities: [{ type: "bot_command", offset: 0, length: 14 }] })?.text).toBe("/stop now");
  expect(draft({ text: "/stop@other_bot", entities: [{ type: "bot_command", offset: 0, length: 15 }] })?.text).toBe("/stop@other_bot");
});

test("a change is a notice with the text as it is now; the bot's own is none", () => {
  const message = { message_id: 10, date: 1, edit_date: 5, chat: FORUM, from: ANN, message_thread_id: 5, is_topic_message: true, text: "new" };
  expect(editOf(message, ME, "-100123")).toEqual({
    account: "42",
    conversation: "-100123",
    chatType: "group",
    thread: "5",
    sender: { id: "7", name: "Ann Lee", isBot: false },
    messageId: "-100123:10",
    what: { kind: "edited", text: "new" },
    at: 5000,
  });
  expect(editOf({ ...message, from: ME }, ME, "-100123")).toBeUndefined();
});

test("reactions that came and went are notices; those that stayed are not", () => {
  const emoji = (...all: string[]) => all.map((one) => ({ type: "emoji" as const, emoji: one }));
  const reaction = { chat: GROUP, message_id: 10, user: ANN, date: 5, old_reaction: emoji("👍", "🔥"), new_reaction: [...emoji("🔥", "🎉"), { type: "custom_emoji" as const, custom_emoji_id: "9" }] };
  expect(reactionsOf(reaction, ME, "-100456").map((notice) => notice.what)).toEqual([
    { kind: "reaction", emoji: "👍", added: false },
    { kind: "reaction", emoji: "🎉", added: true },
    { kind: "reaction", emoji: "custom:9", added: true },
  ]);
  expect(reactionsOf({ ...reaction, user: ME }, ME, "-100456")).toEqual([]);
});

test("a press names its button, its message and who pressed", () => {
  const message = { message_id: 10, date: 0, chat: FORUM, message_thread_id: 5, is_topic_message: true };
  expect(pressOf({ id: "q", from: ANN, message, data: "approve:ab12" }, ME, "-100123")).toMatchObject({
    conversation: "-100123",
    thread: "5",
    messageId: "-100123:10",
    sender: { id: "7" },
    button: "approve:ab12",
  });
  expect(pressOf({ id: "q", from: ANN, message, data: "<script>" }, ME, "-100123")).toBeUndefined();
  expect(pressOf({ id: "q", from: ANN, data: "a" }, ME, "")).toBeUndefined();
});

test("joins and pins are no messages", () => expect(draft({})).toBeUndefined());
