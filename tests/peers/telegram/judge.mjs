// grammY, a widely used client of the Bot API, against our stand-in: what it takes for Telegram's is Telegram's.
// `node judge.mjs ADMIN API TOKEN` prints what it did; anything that is not as it should be throws.

import assert from "node:assert/strict";
import { Bot, GrammyError, InlineKeyboard, InputFile, InputMediaBuilder } from "grammy";

const [admin, apiRoot, token] = process.argv.slice(2);
const order = (body) => fetch(admin, { method: "POST", body: JSON.stringify(body) }).then((answer) => answer.json());
const bot = new Bot(token, { client: { apiRoot } });
const said = [];

const me = await bot.api.getMe();
assert.equal(me.is_bot, true);

// A message comes, is answered with buttons, one is pressed, the answer is edited.
const next = () => {
  let resolve;
  const promise = new Promise((done) => (resolve = done));
  return { promise, resolve };
};
const [message, press, edited, reacted] = [next(), next(), next(), next()];
bot.on("message:text", async (ctx) => message.resolve(await ctx.reply("<b>choose</b>", { parse_mode: "HTML", reply_markup: new InlineKeyboard().text("Yes", "yes").text("No", "no"), reply_parameters: { message_id: ctx.message.message_id } })));
bot.on("callback_query:data", async (ctx) => {
  await ctx.answerCallbackQuery({ text: "thank you" });
  await ctx.editMessageText(`you chose ${ctx.callbackQuery.data}`);
  press.resolve(ctx.callbackQuery.data);
});
bot.on("edited_message", (ctx) => edited.resolve(ctx.editedMessage.text));
bot.on("message_reaction", (ctx) => reacted.resolve(ctx.messageReaction.new_reaction[0].emoji));
const started = next();
void bot.start({ allowed_updates: ["message", "edited_message", "callback_query", "message_reaction"], timeout: 5, onStart: () => started.resolve() });
await started.promise;
const { id } = await order({ do: "say", chat: 7, text: "hello" });
const shown = await message.promise;
assert.equal(shown.text, "choose");
assert.equal(shown.reply_to_message.message_id, Number(id.split(":")[1]));
await order({ do: "press", id: `7:${shown.message_id}`, from: 7, data: "yes" });
assert.equal(await press.promise, "yes");
await order({ do: "edit", id, text: "hello again" });
assert.equal(await edited.promise, "hello again");
await order({ do: "react", id, from: 7, emoji: "👍" });
assert.equal(await reacted.promise, "👍");
said.push("messages, buttons, presses, edits, reactions");
await bot.stop();

// Files both ways.
const document = await bot.api.sendDocument(7, new InputFile(Buffer.from("some bytes"), "note.txt"), { caption: "see" });
assert.equal(document.document.file_name, "note.txt");
const { file_path: path } = await bot.api.getFile(document.document.file_id);
assert.equal(await (await fetch(`${apiRoot}/file/bot${token}/${path}`)).text(), "some bytes");
const album = await bot.api.sendMediaGroup(7, [InputMediaBuilder.photo(new InputFile(Buffer.from("a"), "a.jpg")), InputMediaBuilder.photo(new InputFile(Buffer.from("b"), "b.jpg"))]);
assert.equal(new Set(album.map((one) => one.media_group_id)).size, 1);
said.push("files and albums");

await bot.api.setMyCommands([{ command: "stop", description: "Stop" }]);
await bot.api.sendChatAction(7, "typing");
await bot.api.setMessageReaction(7, shown.message_id, [{ type: "emoji", emoji: "👀" }]);
await bot.api.deleteMessage(7, shown.message_id);

// What is wrong is refused as Telegram refuses it.
const refusal = async (work) => {
  const error = await work.then(() => undefined, (one) => one);
  assert.ok(error instanceof GrammyError, String(error));
  return error;
};
assert.match((await refusal(bot.api.sendMessage(7, "<b>open", { parse_mode: "HTML" }))).description, /can't parse entities/);
assert.match((await refusal(bot.api.sendMessage(7, "x".repeat(4097)))).description, /too long/);
assert.match((await refusal(bot.api.editMessageText(7, 99_999, "x"))).description, /not found/);
const same = await bot.api.sendMessage(7, "same");
assert.match((await refusal(bot.api.editMessageText(7, same.message_id, "same"))).description, /not modified/);
await order({ do: "fault", kind: "flood", method: "sendMessage", seconds: 3 });
const flood = await refusal(bot.api.sendMessage(7, "too fast"));
assert.deepEqual([flood.error_code, flood.parameters.retry_after], [429, 3]);
await order({ do: "fault", kind: "broken", method: "sendMessage" });
assert.equal((await refusal(bot.api.sendMessage(7, "x"))).error_code, 500);
await order({ do: "revoke" });
assert.equal((await refusal(bot.api.getMe())).error_code, 401);
await order({ do: "restore" });
said.push("refusals");
console.log(`grammY accepts: ${said.join("; ")}`);
process.exit(0);
