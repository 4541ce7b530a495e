"""A plugin for Kata Agents in Python: a tool and a channel, from a program of its own.

    KATA_TOKEN=$(kata token) python3 example.py      # needs Python 3.11 and: pip install websockets

The channel is this terminal: what you type goes to the agent, what it answers is printed.
"""
import asyncio, json, os, sys, time, uuid
from websockets.asyncio.client import connect

HOME = os.environ.get("KATA_CONFIG_DIR", os.path.expanduser("~/.kata-agents"))
PLUGIN = {
    "id": "python-example", "name": "Python example", "version": "1.0.0",
    "tools": [{"name": "count_words", "description": "Counts the words of a text.", "readOnly": True,
               "parameters": {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}}],
    "channels": [{"id": "terminal", "name": "Terminal"}],
}


def answer(kind, params):
    """What a call comes to. Whatever is raised becomes the error that the agent, or the outbox, is told."""
    if kind == "tool":
        return {"text": str(len(params["params"]["text"].split()))}
    if kind == "send":
        print("agent:", params["message"]["text"], flush=True)
        return {"messageIds": [params["message"]["idempotencyKey"]]}
    return None  # start, stop


async def typed(say):
    while line := (await asyncio.to_thread(sys.stdin.readline)).strip():
        await say({"type": "inbound", "id": time.time_ns() // 1000, "plugin": PLUGIN["id"], "channel": "terminal", "message": {
            "account": "me", "messageId": str(uuid.uuid4()), "conversation": "tty", "chatType": "direct",
            "sender": {"id": os.environ.get("USER", "me")}, "text": line}})


async def main():
    with open(os.path.join(HOME, "gateway.json")) as file:
        port = json.load(file)["port"]
    async with connect(f"ws://127.0.0.1:{port}/ws", max_size=16 << 20) as socket:
        say = lambda frame: socket.send(json.dumps(frame))
        await say({"type": "connect", "version": 1, "token": os.environ["KATA_TOKEN"], "client": "example.py"})
        await say({"type": "register", "id": 1, "plugin": PLUGIN})
        typing = asyncio.create_task(typed(say))
        async for text in socket:
            frame = json.loads(text)
            if frame["type"] == "call":
                try:
                    reply = {"result": answer(frame["kind"], frame["params"])}
                except Exception as error:
                    reply = {"error": {"code": "upstream", "message": repr(error)}}
                await say({"type": "answer", "call": frame["call"], **reply})
            elif frame["type"] == "goodbye" or frame.get("error"):
                print("kata:", frame.get("reason") or frame["error"]["message"], file=sys.stderr)

asyncio.run(main())
