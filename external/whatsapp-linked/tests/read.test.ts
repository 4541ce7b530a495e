import assert from "node:assert/strict";
import { test } from "node:test";
import type { WAMessage } from "baileys";
import { endOf } from "../src/device.ts";
import { Pace, SLOW } from "../src/pace.ts";
import { draftOf } from "../src/read.ts";

const own = { ids: ["100@s.whatsapp.net", "900@lid"], account: "100@s.whatsapp.net" };
const message = (key: object, content: object, more: object = {}) => ({ key: { id: "A1", remoteJid: "200@s.whatsapp.net", fromMe: false, ...key }, message: content, messageTimestamp: 1_700_000_000, pushName: "Ann", ...more }) as unknown as WAMessage;

test("a text of a person is a message, and own ones, status, broadcasts, reactions and receipts are none", () => {
  assert.deepEqual(draftOf(message({}, { conversation: "hi" }), own), {
    account: "100@s.whatsapp.net", messageId: "200@s.whatsapp.net:A1", conversation: "200@s.whatsapp.net", chatType: "direct", sender: { id: "200@s.whatsapp.net", name: "Ann" },
    text: "hi", replyTo: null, mentionsBot: true, sentAt: 1_700_000_000_000,
  });
  for (const none of [
    message({ fromMe: true }, { conversation: "mine" }),
    message({ remoteJid: "status@broadcast" }, { conversation: "status" }),
    message({ remoteJid: "1@newsletter" }, { conversation: "news" }),
    message({ remoteJid: "100@s.whatsapp.net" }, { conversation: "to myself" }),
    message({ remoteJid: "5@g.us", participant: "900:3@lid" }, { conversation: "mine, by another device" }),
    message({}, { reactionMessage: { text: "👍" } }),
    message({}, { protocolMessage: {} }),
    message({}, {}),
    message({ id: "" }, { conversation: "no id" }),
  ]) assert.equal(draftOf(none, own), undefined);
});

test("in a group the writer is the participant, and only who is named or answered is addressed", () => {
  const group = (content: object) => draftOf(message({ remoteJid: "5@g.us", participant: "200:4@s.whatsapp.net" }, content), own);
  assert.deepEqual([group({ conversation: "hi" })?.sender.id, group({ conversation: "hi" })?.mentionsBot, group({ conversation: "hi" })?.chatType], ["200@s.whatsapp.net", false, "group"]);
  assert.equal(group({ extendedTextMessage: { text: "@900 hi", contextInfo: { mentionedJid: ["900@lid"] } } })?.mentionsBot, true);
  const answer = group({ extendedTextMessage: { text: "yes", contextInfo: { stanzaId: "B2", participant: "100:1@s.whatsapp.net" } } });
  assert.deepEqual([answer?.mentionsBot, answer?.replyTo], [true, "5@g.us:B2"]);
});

test("a file is named in words, with what was written under it, and wrapped messages are unwrapped", () => {
  assert.match(draftOf(message({}, { imageMessage: { caption: "look" } }), own)?.text ?? "", /^look\n\n\[The person sent a picture/);
  assert.match(draftOf(message({}, { audioMessage: {} }), own)?.text ?? "", /^\[The person sent a voice message/);
  assert.equal(draftOf(message({}, { ephemeralMessage: { message: { conversation: "gone soon" } } }), own)?.text, "gone soon");
  assert.equal(draftOf(message({}, { conversation: "x".repeat(200_000) }), own)?.text.length, 100_000);
});

test("messages leave slowly, and a full minute or day says how long it stays full", () => {
  const pace = new Pace(SLOW, () => 0.5);
  const first = pace.take(0, 100);
  assert.deepEqual(first, { waitMs: 2_750 + 2_500 });
  const second = pace.take(0, 100);
  assert.ok("waitMs" in second && second.waitMs === 2 * 5_250, "the second one waits for the first");
  const quick = new Pace({ gapMs: [0, 0], typingMs: 0, perMinute: 3, perDay: 5 }, () => 0);
  for (let n = 0; n < 3; n += 1) assert.deepEqual(quick.take(1_000, 1), { waitMs: 0 });
  assert.deepEqual(quick.take(1_000, 1), { fullForMs: 60_000 });
  assert.deepEqual(quick.take(61_000, 1), { waitMs: 0 });
  assert.deepEqual(quick.take(61_000, 1), { waitMs: 0 });
  assert.deepEqual(quick.take(200_000, 1), { fullForMs: 86_400_000 + 1_000 - 200_000 });
});

test("only WhatsApp's own word unlinks the device; what has no code of its own is tried again", () => {
  const end = (statusCode: number) => endOf(Object.assign(new Error("x"), { output: { statusCode } }));
  assert.deepEqual([401, 411, 440, 403, 515, 500, 408, 428, 503].map(end), ["unlinked", "unlinked", "replaced", "forbidden", "at once", "again", "again", "again", "again"]);
  assert.equal(endOf(undefined), "again");
});
