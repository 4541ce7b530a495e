"""aiogram, a widely used client of the Bot API, against our stand-in. Its models are strict about what they read.

`python judge.py ADMIN API TOKEN` prints what it did; anything that is not as it should be raises.
"""

import asyncio
import json
import sys
import urllib.request

from aiogram import Bot, Dispatcher, F
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import TelegramBadRequest, TelegramRetryAfter, TelegramUnauthorizedError
from aiogram.types import (
    BotCommand,
    BufferedInputFile,
    CallbackQuery,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaDocument,
    Message,
    MessageReactionUpdated,
    ReactionTypeEmoji,
)

ADMIN, API, TOKEN = sys.argv[1:4]


def order(**body):
    request = urllib.request.Request(ADMIN, data=json.dumps(body).encode(), method="POST")
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


async def refused(kind, work, part=""):
    try:
        await work
    except kind as error:
        assert part in str(error), error
        return error
    raise AssertionError(f"{kind.__name__} was expected")


async def main():
    bot = Bot(TOKEN, session=AiohttpSession(api=TelegramAPIServer.from_base(API)))
    dispatcher = Dispatcher()
    loop = asyncio.get_running_loop()
    came, pressed, edited, reacted = (loop.create_future() for _ in range(4))

    @dispatcher.message(F.text)
    async def on_message(message: Message):
        keyboard = InlineKeyboardMarkup(inline_keyboard=[[InlineKeyboardButton(text="Yes", callback_data="yes")]])
        came.set_result(await message.answer("<i>choose</i>", parse_mode="HTML", reply_markup=keyboard))

    @dispatcher.callback_query()
    async def on_press(query: CallbackQuery):
        await query.answer("thank you")
        await query.message.edit_text("chosen")
        pressed.set_result(query.data)

    @dispatcher.edited_message()
    async def on_edit(message: Message):
        edited.set_result(message.text)

    @dispatcher.message_reaction()
    async def on_reaction(reaction: MessageReactionUpdated):
        reacted.set_result(reaction.new_reaction[0].emoji)

    polling = asyncio.create_task(dispatcher.start_polling(bot, polling_timeout=5, handle_signals=False))
    said = order(do="say", chat=-1007, **{"from": 8}, text="hello")["id"]
    shown = await asyncio.wait_for(came, 20)
    assert shown.text == "choose" and shown.reply_markup.inline_keyboard[0][0].callback_data == "yes"
    order(do="press", id=f"{shown.chat.id}:{shown.message_id}", **{"from": 8}, data="yes")
    assert await asyncio.wait_for(pressed, 20) == "yes"
    order(do="edit", id=said, text="changed")
    assert await asyncio.wait_for(edited, 20) == "changed"
    order(do="react", id=said, **{"from": 8}, emoji="🔥")
    assert await asyncio.wait_for(reacted, 20) == "🔥"
    await dispatcher.stop_polling()
    await polling

    sent = await bot.send_document(8, BufferedInputFile(b"bytes", "n.txt"), caption="c")
    assert (await bot.download(sent.document)).read() == b"bytes"
    album = [InputMediaDocument(media=BufferedInputFile(part, f"{part}.txt")) for part in (b"1", b"2")]
    assert len({one.media_group_id for one in await bot.send_media_group(8, album)}) == 1
    await bot.set_my_commands([BotCommand(command="stop", description="Stop")])
    await bot.send_chat_action(8, "typing")
    await bot.set_message_reaction(8, sent.message_id, [ReactionTypeEmoji(emoji="👀")])
    await bot.send_message_draft(chat_id=8, draft_id=5, text="so far")
    await bot.delete_message(8, sent.message_id)

    await refused(TelegramBadRequest, bot.send_message(8, "<b>open", parse_mode="HTML"), "can't parse entities")
    await refused(TelegramBadRequest, bot.send_message(8, "x" * 4097), "too long")
    order(do="fault", kind="flood", method="sendMessage", seconds=4)
    assert (await refused(TelegramRetryAfter, bot.send_message(8, "fast"))).retry_after == 4
    order(do="revoke")
    await refused(TelegramUnauthorizedError, bot.get_me())
    order(do="restore")
    await bot.session.close()
    print("aiogram accepts: messages, buttons, presses, edits, reactions, drafts; files and albums; refusals")


asyncio.run(main())
