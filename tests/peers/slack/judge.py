"""slack_sdk, Slack's own client for Python, against our fake: what it accepts is Slack enough for our plugin.

   python judge.py NODE
"""

import json
import pathlib
import subprocess
import sys
import threading
import time
import urllib.request

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode import SocketModeClient
from slack_sdk.socket_mode.response import SocketModeResponse

here = pathlib.Path(__file__).parent
fake = subprocess.Popen([sys.argv[1], str(here / "fake.mjs")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
slack = json.loads(fake.stdout.readline())


def admin(order=None):
    data = None if order is None else json.dumps(order).encode()
    with urllib.request.urlopen(urllib.request.Request(slack["admin"], data=data)) as answer:
        return json.load(answer)


def until(what, ask):
    for _ in range(400):
        got = ask()
        if got:
            return got
        time.sleep(0.025)
    raise SystemExit(f"never: {what}")


lock = threading.Lock()
seen = []


def listen(client, request):
    client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id))
    event = request.payload.get("event", {})
    with lock:
        seen.append((request.type, event.get("type") or request.payload.get("type") or request.payload.get("command"), event.get("text") or request.payload.get("text")))
    if event.get("type") == "message" and event.get("user") != slack["botUser"]:
        web.chat_postMessage(channel=event["channel"], text="heard " + event["text"])


web = WebClient(token=slack["bot"], base_url=slack["api"])
# It gives a socket up after four pings without an answer, whatever the socket itself says; a second each keeps that within `until`.
client = SocketModeClient(app_token=slack["app"], web_client=WebClient(base_url=slack["api"]), ping_interval=1)
client.socket_mode_request_listeners.append(listen)
try:
    client.connect()
    where = admin({"do": "say", "text": "hello"})["channel"]
    until("the message", lambda: ("events_api", "message", "hello") in seen)
    until("its answer", lambda: any(m["text"] == "heard hello" for m in web.conversations_history(channel=where)["messages"]))
    admin({"do": "say", "to": slack["channel"], "text": f"<@{slack['botUser']}> hi"})
    until("the mention", lambda: any(one[1] == "app_mention" for one in seen))
    admin({"do": "command", "text": "status"})
    until("the command", lambda: any(one[:2] == ("slash_commands", "/kata") for one in seen))
    admin({"do": "disconnect", "reason": "warning"})
    admin({"do": "say", "text": "while renewing"})
    until("the message over the new socket", lambda: ("events_api", "message", "while renewing") in seen)
    admin({"do": "drop"})
    time.sleep(0.1)
    admin({"do": "say", "text": "after a break"})
    until("the message after a break", lambda: ("events_api", "message", "after a break") in seen)
    until("everything acknowledged", lambda: admin()["waiting"] == 0)
    assert web.auth_test()["user_id"] == slack["botUser"]
    assert web.files_upload_v2(channel=where, filename="a.txt", content="a file")["ok"]
    admin({"do": "revoke"})
    try:
        web.chat_postMessage(channel=where, text="no")
        raise SystemExit("a revoked token was taken")
    except SlackApiError as error:
        assert error.response["error"] == "token_revoked", error
    print("slack_sdk accepts the fake: messages, mention, command, refresh, break, upload, revoked token")
finally:
    client.close()
    fake.stdin.close()
