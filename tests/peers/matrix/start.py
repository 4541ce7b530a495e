"""A real Synapse, and people who use it with matrix-nio, for the tests of plugins/matrix.

    target/peers-matrix/v/bin/python tests/peers/matrix/start.py

Prints one JSON line with every address when all is up, then obeys one JSON object a line on stdin and answers each with one
line; takes everything down when stdin closes, so that no process outlives the test that started it. Beside Synapse there is a
CAS server of 20 lines, so that single sign-on has somewhere to lead to: Synapse is the judge of what we do, not it.

Commands: {"do": "synapse", "is": "down" | "up" | "slow" | "quick"}; {"do": "user", "name"}; {"do": "room", "as", "invite",
"direct", "encrypted", "name", "version"}; {"do": "say", "as", "room", "text", "content"}; {"do": "many", "as", "room", "count",
"prefix"}; {"do": "send", "as", "room", "type", "content"}; {"do": "redact", "as", "room", "event"}; {"do": "upload", "as",
"room", "name", "text"}; {"do": "fetch", "as", "url"}; {"do": "heard", "as", "room"}; {"do": "typing"}; {"do": "read", "as", "room"};
{"do": "members", "as", "room"}; {"do": "revoke", "user"}; {"do": "devices", "user"}.
"""

import asyncio
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse

from aiohttp import ClientSession, web
from nio import AsyncClient, AsyncClientConfig, RoomCreateResponse, RoomSendResponse, UploadResponse

FOLDER = pathlib.Path(tempfile.mkdtemp(prefix="kata-synapse-"))
SERVER_NAME = "kata.test"
PASSWORD = "a password of the test"
HIGH = {"per_second": 10000, "burst_count": 10000}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Synapse:
    """The server, which can be taken down and brought up again under the same port and with the same data."""

    def __init__(self):
        self.port = free_port()
        self.cas = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.process = None
        self.messages = HIGH

    def configure(self):
        listener = {"port": self.port, "bind_addresses": ["127.0.0.1"], "type": "http", "tls": False, "resources": [{"names": ["client"]}]}
        config = {
            "server_name": SERVER_NAME,
            "public_baseurl": self.base,
            "pid_file": str(FOLDER / "pid"),
            "listeners": [listener],
            "database": {"name": "sqlite3", "args": {"database": str(FOLDER / "homeserver.db")}},
            "log_config": str(FOLDER / "log.json"),
            "media_store_path": str(FOLDER / "media"),
            "signing_key_path": str(FOLDER / "signing.key"),
            "report_stats": False,
            "trusted_key_servers": [],
            "suppress_key_server_warning": True,
            "federation_domain_whitelist": [],
            "macaroon_secret_key": "of the test",
            "form_secret": "of the test",
            "registration_shared_secret": "of the test",
            "enable_registration": True,
            "enable_registration_without_verification": True,
            "bcrypt_rounds": 4,
            "default_room_version": "12",
            "refreshable_access_token_lifetime": "30s",
            "cas_config": {"enabled": True, "server_url": f"http://127.0.0.1:{self.cas}", "service_url": self.base},
            "rc_message": self.messages,
            "rc_registration": HIGH,
            "rc_login": {"address": HIGH, "account": HIGH, "failed_attempts": HIGH},
            "rc_joins": {"local": HIGH, "remote": HIGH},
            "rc_joins_per_room": HIGH,
            "rc_invites": {"per_room": HIGH, "per_user": HIGH, "per_issuer": HIGH},
            "rc_media_create": HIGH,
        }
        log = {
            "version": 1,
            "handlers": {"file": {"class": "logging.FileHandler", "filename": str(FOLDER / "synapse.log")}},
            "root": {"level": "WARNING", "handlers": ["file"]},
        }
        (FOLDER / "homeserver.yaml").write_text(json.dumps(config))
        (FOLDER / "log.json").write_text(json.dumps(log))

    async def up(self):
        self.configure()
        run = [sys.executable, "-m", "synapse.app.homeserver", "-c", str(FOLDER / "homeserver.yaml")]
        if not (FOLDER / "signing.key").exists():
            subprocess.run([*run, "--generate-keys"], check=True, stdout=sys.stderr)
        self.process = await asyncio.create_subprocess_exec(*run, stdout=sys.stderr, stderr=sys.stderr)
        limit = time.monotonic() + 90
        async with ClientSession() as session:
            while True:
                if self.process.returncode is not None or time.monotonic() > limit:
                    raise RuntimeError("Synapse did not start:\n" + log_tail())
                try:
                    async with session.get(self.base + "/_matrix/client/versions") as answer:
                        if answer.status == 200:
                            return
                except OSError:
                    pass
                await asyncio.sleep(0.1)

    async def down(self):
        if self.process is None or self.process.returncode is not None:
            return
        self.process.terminate()
        try:
            await asyncio.wait_for(self.process.wait(), 10)
        except asyncio.TimeoutError:
            self.process.kill()
            await self.process.wait()

    async def call(self, method, path, token=None, body=None):
        headers = {} if token is None else {"authorization": "Bearer " + token}
        async with ClientSession() as session:
            async with session.request(method, self.base + path, json=body, headers=headers) as answer:
                return await answer.json()


def log_tail():
    log = FOLDER / "synapse.log"
    return log.read_text()[-2000:] if log.exists() else "(no log)"


class Person:
    """Somebody with matrix-nio. What they see is kept as it came."""

    def __init__(self, synapse, name):
        self.name = name
        config = AsyncClientConfig(max_limit_exceeded=20, max_timeouts=20, backoff_factor=0.1, encryption_enabled=False)
        self.client = AsyncClient(synapse.base, f"@{name}:{SERVER_NAME}", config=config)
        self.typing = []

    async def begin(self):
        await self.client.login(PASSWORD, device_name="nio")


class Town:
    def __init__(self):
        self.synapse = Synapse()
        self.people = {}

    async def user(self, name, **_):
        body = {"username": name, "password": PASSWORD, "auth": {"type": "m.login.dummy"}, "inhibit_login": True}
        answer = await self.synapse.call("POST", "/_matrix/client/v3/register", body=body)
        if "user_id" not in answer:
            raise RuntimeError(str(answer))
        return {"user": answer["user_id"], "password": PASSWORD}

    async def person(self, name):
        if name not in self.people:
            await self.user(name)
            self.people[name] = Person(self.synapse, name)
            await self.people[name].begin()
        return self.people[name]

    async def room(self, invite=(), direct=False, encrypted=False, name=None, version=None, **command):
        client = (await self.person(command["as"])).client
        state = []
        if encrypted:
            state.append({"type": "m.room.encryption", "state_key": "", "content": {"algorithm": "m.megolm.v1.aes-sha2"}})
        answer = await client.room_create(name=name, is_direct=direct, invite=list(invite), initial_state=state, room_version=version)
        assert isinstance(answer, RoomCreateResponse), answer
        return {"room": answer.room_id}

    async def send(self, room, content, type="m.room.message", **command):
        client = (await self.person(command["as"])).client
        answer = await client.room_send(room, type, content, ignore_unverified_devices=True)
        assert isinstance(answer, RoomSendResponse), answer
        return {"event": answer.event_id}

    async def say(self, room, text, content=None, **command):
        return await self.send(room, {"msgtype": "m.text", "body": text, **(content or {})}, **command)

    async def many(self, room, count, prefix, **command):
        client = (await self.person(command["as"])).client
        for n in range(count):
            answer = await client.room_send(room, "m.room.message", {"msgtype": "m.text", "body": f"{prefix}{n}"})
            assert isinstance(answer, RoomSendResponse), answer
        return {}

    async def redact(self, room, event, **command):
        client = (await self.person(command["as"])).client
        answer = await client.room_redact(room, event)
        return {"event": answer.event_id}

    async def invite(self, room, user, **command):
        client = (await self.person(command["as"])).client
        answer = await client.room_invite(room, user)
        return {"is": str(answer)}

    async def join(self, room, **command):
        client = (await self.person(command["as"])).client
        answer = await client.join(room)
        return {"is": str(answer)}

    async def upload(self, room, name, text, **command):
        client = (await self.person(command["as"])).client
        data = text.encode()
        answer, _ = await client.upload(lambda *_: data, content_type="text/plain", filename=name, filesize=len(data))
        assert isinstance(answer, UploadResponse), answer
        info = {"mimetype": "text/plain", "size": len(data)}
        content = {"msgtype": "m.file", "body": name, "filename": name, "url": answer.content_uri, "info": info}
        return await self.send(room, content, **command)

    async def fetch(self, url, **command):
        client = (await self.person(command["as"])).client
        answer = await client.download(mxc=url)
        return {"text": answer.body.decode(), "mime": answer.content_type}

    async def heard(self, room, **command):
        """Every event of the room, the oldest first, as the server gives it."""
        client = (await self.person(command["as"])).client
        found, place = [], ""
        while True:
            path = f"/_matrix/client/v3/rooms/{urllib.parse.quote(room)}/messages?dir=f&limit=500" + (f"&from={place}" if place else "")
            answer = await self.synapse.call("GET", path, client.access_token)
            if "chunk" not in answer:
                raise RuntimeError(str(answer))
            found += answer["chunk"]
            place = answer.get("end")
            if not place or not answer["chunk"]:
                return {"events": found}

    async def ephemeral(self, room, **command):
        """Who types and what was read, as one sync says."""
        client = (await self.person(command["as"])).client
        answer = await self.synapse.call("GET", "/_matrix/client/v3/sync?timeout=0", client.access_token)
        joined = answer["rooms"].get("join", {}).get(room, {})
        return {"events": joined.get("ephemeral", {}).get("events", [])}

    async def watch(self, room, until, **command):
        """Syncs until somebody types in the room, at most `until` seconds."""
        client = (await self.person(command["as"])).client
        since, limit = "", time.monotonic() + until
        while time.monotonic() < limit:
            query = "timeout=1000" + (f"&since={since}" if since else "")
            answer = await self.synapse.call("GET", "/_matrix/client/v3/sync?" + query, client.access_token)
            since = answer["next_batch"]
            joined = answer.get("rooms", {}).get("join", {}).get(room, {})
            for event in joined.get("ephemeral", {}).get("events", []):
                if event["type"] == "m.typing" and event["content"]["user_ids"]:
                    return {"typing": event["content"]["user_ids"]}
        return {"typing": []}

    async def members(self, room, **command):
        client = (await self.person(command["as"])).client
        answer = await self.synapse.call("GET", f"/_matrix/client/v3/rooms/{urllib.parse.quote(room)}/joined_members", client.access_token)
        return {"members": sorted(answer.get("joined", {}))}

    async def revoke(self, user, **_):
        """Ends every session of an account, as its owner would elsewhere."""
        token = await self.token(user)
        await self.synapse.call("POST", "/_matrix/client/v3/logout/all", token, {})
        return {}

    async def devices(self, user, **_):
        token = await self.token(user)
        answer = await self.synapse.call("GET", "/_matrix/client/v3/devices", token)
        await self.synapse.call("POST", "/_matrix/client/v3/logout", token, {})
        return {"names": sorted(device.get("display_name") or "" for device in answer["devices"])}

    async def token(self, user, **_):
        body = {"type": "m.login.password", "identifier": {"type": "m.id.user", "user": user}, "password": PASSWORD}
        return (await self.synapse.call("POST", "/_matrix/client/v3/login", body=body))["access_token"]

    async def login(self, user, **_):
        return {"token": await self.token(user)}

    async def server(self, **command):
        """`down`, `up`, or up again with low or high limits for messages."""
        wanted = command["is"]
        await self.synapse.down()
        if wanted != "down":
            self.synapse.messages = {"per_second": 1, "burst_count": 2} if wanted == "slow" else HIGH
            await self.synapse.up()
        return {}

    async def obey(self, line):
        command = json.loads(line)
        work = getattr(self, command.pop("do"))
        return {"done": True, **await work(**command)}


def cas(town):
    """As much of CAS 2.0 as Synapse asks for: whoever comes is `sso`."""

    async def login(request):
        service = request.query["service"]
        raise web.HTTPFound(service + ("&" if "?" in service else "?") + "ticket=ST-1")

    async def validate(_):
        name = "http://www.yale.edu/tp/cas"
        body = f'<cas:serviceResponse xmlns:cas="{name}"><cas:authenticationSuccess><cas:user>sso</cas:user></cas:authenticationSuccess></cas:serviceResponse>'
        return web.Response(text=body, content_type="application/xml")

    app = web.Application()
    app.router.add_get("/login", login)
    app.router.add_get("/proxyValidate", validate)
    return app


async def main():
    town = Town()
    runner = web.AppRunner(cas(town))
    try:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", town.synapse.cas).start()
        await town.synapse.up()
        print(json.dumps({"base": town.synapse.base, "server": SERVER_NAME, "folder": str(FOLDER), "password": PASSWORD}), flush=True)
        reader = asyncio.StreamReader(limit=1 << 24)
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while line := await reader.readline():
            try:
                answer = await town.obey(line)
            except Exception as error:  # the test is told, whatever it is
                answer = {"error": f"{type(error).__name__}: {error}"}
            print(json.dumps(answer), flush=True)
    finally:
        for person in town.people.values():
            await person.client.close()
        await runner.cleanup()
        await town.synapse.down()
        if os.environ.get("KATA_KEEP_PEERS") is None:
            shutil.rmtree(FOLDER, ignore_errors=True)


asyncio.run(main())
