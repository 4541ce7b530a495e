/** Hands one update to the host. It may be confirmed to Telegram once this has resolved. */

import type { ChannelNotice, ConnectContext } from "@kata-agents/plugin-sdk";
import { messageOf as text } from "@kata-agents/plugin-sdk/sending";
import type { BotApi } from "./api.ts";
import type { Chats } from "./chats.ts";
import { draftOf, editOf, pressOf, reactionsOf } from "./inbound.ts";
import type { CallbackQuery, Message, Update, User } from "./types.ts";

/** Longest text over a button that was pressed (https://core.telegram.org/bots/api#answercallbackquery). */
const ANSWER_MAX = 200;

/** The host could not take something in. */
export class NotStored extends Error {}

/** `album` are the further messages of the album the update's message begins. */
export async function handIn(update: Update, album: readonly Message[], me: User, api: BotApi, chats: Chats, ctx: ConnectContext): Promise<void> {
  const message = update.message ?? update.channel_post;
  const edited = update.edited_message ?? update.edited_channel_post;
  if (message !== undefined) await said(message, album, me, chats, ctx);
  else if (edited !== undefined) {
    const notice = editOf(edited, me, await chats.conversation(edited.chat.id));
    if (notice !== undefined) await tell(notice, ctx);
  } else if (update.message_reaction !== undefined) {
    const { message_reaction: reaction } = update;
    for (const notice of reactionsOf(reaction, me, await chats.conversation(reaction.chat.id))) await tell(notice, ctx);
  } else if (update.callback_query !== undefined) await pressed(update.callback_query, me, api, chats, ctx);
  else if (update.my_chat_member !== undefined) {
    const { chat, new_chat_member: member } = update.my_chat_member;
    await (member.status === "left" || member.status === "kicked" ? chats.left(chat) : chats.seen(chat));
  }
}

/** A notice the host cannot read holds up nothing behind it; one it could not take now is given again. */
async function tell(notice: ChannelNotice, ctx: ConnectContext): Promise<void> {
  try {
    await ctx.notice(notice);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    ctx.logger.warn(`what happened to a message could not be told: ${text(error)}`);
  }
}

async function said(message: Message, album: readonly Message[], me: User, chats: Chats, ctx: ConnectContext): Promise<void> {
  if (message.migrate_to_chat_id !== undefined) return chats.moved(message.chat.id, message.migrate_to_chat_id);
  if (message.from?.id === me.id) return;
  const draft = draftOf(message, me, await chats.conversation(message.chat.id), album);
  if (draft === undefined) return;
  const { outcome } = await ctx.receive(draft);
  if (outcome !== "refused") await chats.seen(message.chat);
}

/** What is shown to the person is shown once the press is durable; that it could not be shown loses nothing. */
async function pressed(query: CallbackQuery, me: User, api: BotApi, chats: Chats, ctx: ConnectContext): Promise<void> {
  const { message } = query;
  const press = pressOf(query, me, message === undefined ? "" : await chats.conversation(message.chat.id));
  const answer = press === undefined ? { text: "This button is not in use.", done: false } : await ctx.press(press);
  const options = { signal: ctx.signal, timeoutMs: 10_000 };
  try {
    await api.call("answerCallbackQuery", { callback_query_id: query.id, text: [...answer.text].slice(0, ANSWER_MAX).join("") }, options);
    if (!answer.done || message === undefined) return;
    await api.call("editMessageReplyMarkup", { chat_id: message.chat.id, message_id: message.message_id, reply_markup: { inline_keyboard: [] } }, options);
  } catch (error) {
    // An old query can no longer be answered, and the host may have edited the message already.
    ctx.logger.debug(`a press was taken and not shown: ${text(error)}`);
  }
}
