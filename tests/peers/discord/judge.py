"""discord.py against the stand-in: strict about the fields of every object, compresses its gateway, and has resumes of its own."""

import asyncio
import json
import os
import subprocess
import sys
import urllib.request

import discord
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

HERE = os.path.dirname(os.path.abspath(__file__))
fake = subprocess.Popen(["node", os.path.join(HERE, "fake.mjs")], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
told = json.loads(fake.stdout.readline())
bot = told["bots"][0]
general = int(bot["channels"]["general"])
Route.BASE = told["apiRoot"] + "/v10"
DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(told["gatewayUrl"])


def admin(name, body=None):
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(told["adminUrl"] + "/" + name, data=data)) as answer:
        return json.load(answer)


intents = discord.Intents.none()
intents.guilds = intents.messages = intents.message_content = intents.reactions = True


class Judge(discord.Client):
    resumes = 0

    async def on_ready(self):
        asyncio.create_task(self.judged())

    async def on_resumed(self):
        self.resumes += 1

    async def judged(self):
        try:
            await asyncio.wait_for(self.judge(), 60)
            self.failed = None
        except BaseException as error:  # what went wrong is said at the end
            self.failed = error
        await self.close()

    async def judge(self):
        guild = self.get_guild(int(bot["guild"]))
        channel = guild.get_channel(general)
        assert channel.name == "general" and guild.me.id == int(bot["id"]), channel
        waiting = asyncio.create_task(self.wait_for("message", check=lambda one: one.author.name == "ada"))
        await asyncio.sleep(0)
        said = await asyncio.to_thread(admin, "say", {"channel": str(general), "user": "ada", "content": f"<@{bot['id']}> hello"})
        message = await waiting
        assert message.id == int(said["id"]) and self.user in message.mentions and message.guild == guild
        async with channel.typing():
            reply = await message.reply("an answer", allowed_mentions=discord.AllowedMentions.none())
        assert reply.reference.message_id == message.id
        await reply.edit(content="changed")
        await reply.add_reaction("🎉")
        thread = await message.create_thread(name="a thread")
        assert thread.parent_id == general
        import io

        sent = await thread.send("with a file", file=discord.File(io.BytesIO(b"bytes"), "note.txt"))
        assert await sent.attachments[0].read() == b"bytes"
        history = [one async for one in channel.history(limit=10)]
        assert {one.id for one in history} >= {message.id, reply.id}
        after = [one async for one in channel.history(after=message, limit=10)]
        assert [one.id for one in after] == [reply.id], after
        try:
            await channel.send("x" * 2001)
            raise AssertionError("2,001 characters were taken")
        except discord.HTTPException as error:
            assert error.code == 50035, error
        await asyncio.to_thread(admin, "fault", {"rest": {"match": "POST /channels/:id/messages", "status": 429, "retryAfter": 0.3}})
        await channel.send("after a pause")
        await asyncio.to_thread(admin, "set", {"windowMs": 1500})
        for number in range(7):
            await channel.send(f"number {number}")
        journal = await asyncio.to_thread(admin, "journal")
        assert sum(one["status"] == 429 for one in journal) <= 2, "the library reads the buckets' headers"
        await asyncio.to_thread(admin, "fault", {"kind": "drop"})
        waiting = asyncio.create_task(self.wait_for("message", check=lambda one: one.content == "while it was away", timeout=30))
        await asyncio.sleep(0)
        await asyncio.to_thread(admin, "say", {"channel": str(general), "user": "ada", "content": "while it was away"})
        await waiting
        while self.resumes == 0:
            await asyncio.sleep(0.05)
        await reply.delete()
        await asyncio.to_thread(admin, "react", {"channel": str(general), "id": str(message.id), "emoji": "👍", "user": "bob"})
        direct = await (await self.fetch_user(int(told["people"]["ada"]))).create_dm()
        await direct.send("between us")


client = Judge(intents=intents)
client.run(bot["token"], log_handler=None)
fake.stdin.close()
if client.failed is not None:
    raise client.failed
print("discord.py takes the stand-in for Discord")
sys.exit(0)
