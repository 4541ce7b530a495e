import { describe, expect, test } from "vitest";
import { draftOf } from "../inbound.ts";
import type { Message } from "../types.ts";
import { ME } from "./support.ts";

const ANN = { id: 7, is_bot: false, first_name: "Ann", last_name: "Lee", username: "ann" };
const FORUM = { id: -100123, type: "supergroup", title: "Team", is_forum: true } as const;
const GROUP = { id: -100456, type: "supergroup", title: "Chat" } as const;

function draft(message: Partial<Message>) {
  return draftOf({ update_id: 1, message: { message_id: 10, date: 1_700_000_000, chat: GROUP, from: ANN, ...message } }, ME);
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
  });
});

test("a channel post is written by its channel", () => {
  const chat = { id: -100999, type: "channel", title: "News" } as const;
  const post = draftOf({ update_id: 1, channel_post: { message_id: 3, date: 1, chat, sender_chat: chat, text: "hello" } }, ME);
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
      text: "[photo]\n@kata_bot see",
    });
  });
});

test("an attachment without words is named", () => {
  expect(draft({ document: { file_name: "a.pdf" } })?.text).toBe("[file a.pdf]");
  expect(draft({ sticker: { emoji: "👍" } })?.text).toBe("[sticker 👍]");
});

test("joins, pins and edits are no messages", () => {
  expect(draft({})).toBeUndefined();
  expect(draftOf({ update_id: 1 }, ME)).toBeUndefined();
});
