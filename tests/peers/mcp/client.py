"""Kata Agents as the client that @modelcontextprotocol/conformance drives: a fresh home, the real `kata serve`, one source at the
address given last, signed in where it asks for it by a "browser" that follows redirects, and every tool called once.

    N22 conformance client --command "python3 tests/peers/mcp/client.py" --suite core
"""
import json, os, shutil, subprocess, sys, tempfile, threading, time, urllib.request

url = sys.argv[-1]
scenario = os.environ.get("MCP_CONFORMANCE_SCENARIO", "")
context = json.loads(os.environ.get("MCP_CONFORMANCE_CONTEXT") or "{}")
kata = os.environ.get("KATA_BIN") or os.path.join(os.path.dirname(__file__), "../../../target/debug/kata")
home = tempfile.mkdtemp()
env = {"PATH": os.environ["PATH"], "HOME": home, "KATA_CONFIG_DIR": home + "/home", "KATA_SECRETS": "file", "KATA_PORT": "0",
       "KATA_PLUGINS_DIR": home + "/none", "KATA_DEMO_PACE": "0"}
serve = subprocess.Popen([kata, "serve"], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def run(*args, text=None):
    done = subprocess.run([kata, "--json", *args], env=env, input=text, capture_output=True, text=True)
    try:
        return json.loads(done.stdout)
    except ValueError:
        print(args, done.stderr, file=sys.stderr)
        return None


def until(what, seconds=12):
    end = time.time() + seconds
    while time.time() < end:
        got = what()
        if got:
            return got
        time.sleep(0.1)
    return None


def login():
    process = subprocess.Popen([kata, "--json", "sources", "login", source, "--no-open"], env=env, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    line = process.stderr.readline()
    try:
        page = json.loads(line)["signIn"]["url"]
    except (ValueError, KeyError):
        print("no sign-in:", line, process.stderr.read(), file=sys.stderr)
        return False
    try:
        urllib.request.urlopen(page, timeout=10).read()
    except Exception as error:
        print("browser:", error, file=sys.stderr)
    out, err = process.communicate(timeout=15)
    if process.returncode:
        print("login:", out, err, file=sys.stderr)
    return process.returncode == 0


def example(schema):
    kind = schema.get("type")
    if "default" in schema:
        return schema["default"]
    if schema.get("enum"):
        return schema["enum"][0]
    return {"integer": 1, "number": 1, "boolean": True, "array": [], "object": {}, "null": None}.get(kind, "text")


def answer_questions():
    while serve.poll() is None:
        for question in run("elicitations", "list") or []:
            run("elicitations", "answer", question["id"], "accept", "{}")
        time.sleep(0.2)


try:
    until(lambda: os.path.exists(home + "/home/gateway.json"))
    mcp = {"url": url, "authType": "oauth"}
    if context.get("client_id"):
        mcp["clientId"] = context["client_id"]
    source = run("sources", "add", "-", text=json.dumps({"name": "Peer", "type": "mcp", "mcp": mcp}))["summary"]["id"]
    if context.get("client_secret"):
        run("sources", "secret", source, "clientSecret", text=context["client_secret"])
    threading.Thread(target=answer_questions, daemon=True).start()
    status = lambda: run("sources", "show", source)["summary"]["status"]
    stands = lambda: (lambda s: s if s["state"]["kind"] not in ("starting", "connecting", "stopped") else None)(status())
    for _ in range(3):
        if (until(stands) or {}).get("code") not in ("needs_auth", "needs_scope") or not login():
            break
        time.sleep(0.5)
    calls = context.get("toolCalls")
    tools = run("sources", "tools", source) or []
    for tool in tools:
        name, schema = tool["info"]["name"], tool["info"]["parameters"]
        params = {key: example(value) for key, value in (schema.get("properties") or {}).items()}
        for call in calls or []:
            if name.endswith("__" + call["name"]):
                params = call.get("arguments", {})
        for _ in range(3):
            done = run("sources", "try", name, json.dumps(params))
            print(name, done, file=sys.stderr)
            if status()["code"] not in ("needs_scope", "needs_auth") or not login():
                break
            until(lambda: status()["state"]["kind"] == "running")
    print(status(), file=sys.stderr)
finally:
    serve.terminate()
    serve.wait(10)
    shutil.rmtree(home, ignore_errors=True)
