// Google for the tests: an emulator that others wrote, and in front of it this door, which fills the gaps they have (see README), holds
// every request and every answer against Google's own description, counts, and fails where it is told to.
//
//   node fake.mjs --discovery VENV [--backend emulate|strict]
//
// Prints one JSON line; ends when its input closes. POST {"do": …} to `admin`, GET it for what happened so far.

import { createServer } from "node:http";
import { parseArgs } from "node:util";
import { Discovery, folderIn } from "./discovery.mjs";
import { ME, start } from "./backend.mjs";
import { Overlay } from "./calendar.mjs";

const { values } = parseArgs({ options: { discovery: { type: "string" }, backend: { type: "string", default: "strict" } } });
const discovery = new Discovery(folderIn(values.discovery));
const backend = await start(values.backend);
const SCOPES = ["https://www.googleapis.com/auth/gmail.modify", "https://www.googleapis.com/auth/calendar.events", "https://www.googleapis.com/auth/calendar.readonly"];

const calls = [];
const problems = [];
const faults = [];
/** Access tokens: whose scopes, and which are dead. */
const scopesOf = new Map();
const dead = new Set();
let revoked = false;
let asked = 0;
/** History cursors below it are too old. */
let oldest = 0n;

const back = async (method, path, body, token = own, headers = {}) => {
  // The emulators take 5,000 requests an hour of one token; a test that waits for something asks more often.
  if (token === own && own !== undefined && (asked += 1) % 2_000 === 0) own = token = await signIn();
  const answer = await fetch(`${backend.url}${path}`, {
    method,
    redirect: "manual",
    headers: { ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await answer.text();
  let json;
  try {
    json = JSON.parse(text);
  } catch {}
  return { status: answer.status, text, json, headers: answer.headers };
};

/** A sign-in of our own, for what people do. */
async function signIn() {
  const form = new URLSearchParams({ email: ME, redirect_uri: "http://127.0.0.1/own", scope: SCOPES.join(" "), state: "s", client_id: "own" });
  const type = { "content-type": "application/x-www-form-urlencoded" };
  const { headers } = await back("POST", "/o/oauth2/v2/auth/callback", form.toString(), undefined, type);
  const code = new URL(headers.get("location")).searchParams.get("code");
  const { json } = await back("POST", "/oauth2/token", new URLSearchParams({ grant_type: "authorization_code", code, redirect_uri: "http://127.0.0.1/own", client_id: "own" }).toString(), undefined, type);
  return json.access_token;
}
let own;
own = await signIn();
const overlay = new Overlay((method, path, body) => back(method, path, body));

const wrong = (status, reason, message = reason) => ({ status, json: { error: { code: status, message, errors: [{ message, domain: "global", reason }] } } });

// ---- What the emulators lack of Gmail ----

/** The headers of a raw message; the emulators show ten of them. */
function rawHeaders(raw) {
  const head = Buffer.from(raw, "base64url").toString("utf8").split(/\r?\n\r?\n/)[0];
  return head.replace(/\r?\n[ \t]+/g, " ").split(/\r?\n/).filter((line) => line.includes(":")).map((line) => ({ name: line.slice(0, line.indexOf(":")).trim(), value: line.slice(line.indexOf(":") + 1).trim() }));
}

async function withHeaders(message) {
  if (message?.payload === undefined) return message;
  const { json } = await back("GET", `/gmail/v1/users/me/messages/${message.id}?format=raw`);
  const shown = message.payload.headers ?? [];
  const names = new Set(shown.map((one) => one.name.toLowerCase()));
  const more = json?.raw === undefined ? [] : rawHeaders(json.raw).filter((one) => !names.has(one.name.toLowerCase()));
  return { ...message, payload: { ...message.payload, headers: [...more, ...shown] } };
}

async function gmail(method, url, body, token) {
  const path = url.pathname;
  if (method.id === "gmail.users.getProfile") {
    const { status, json } = await back("GET", "/gmail/v1/users/me/history?startHistoryId=1", undefined, token);
    if (status !== 200) return { status, json };
    const { json: all } = await back("GET", "/gmail/v1/users/me/messages?maxResults=1", undefined, token);
    return { status, json: { emailAddress: ME, messagesTotal: all.resultSizeEstimate, threadsTotal: all.resultSizeEstimate, historyId: json.historyId } };
  }
  if (method.id === "gmail.users.history.list" && BigInt(url.searchParams.get("startHistoryId") ?? "0") < oldest) return wrong(404, "notFound", "Requested entity was not found.");
  const answer = await back(method.httpMethod, `${path}${url.search}`, body, token);
  if (answer.status !== 200) return answer;
  if (method.id === "gmail.users.messages.get") return { status: 200, json: await withHeaders(answer.json) };
  if (method.id === "gmail.users.threads.get") return { status: 200, json: { ...answer.json, messages: await Promise.all(answer.json.messages.map(withHeaders)) } };
  return answer;
}

async function calendar(method, url, body, token, headers) {
  const match = /^\/calendar\/v3\/calendars\/([^/]+)\/events(?:\/([^/]+))?$/.exec(url.pathname);
  if (match !== null) {
    const id = match[2] === undefined ? undefined : decodeURIComponent(match[2]);
    const taken = await overlay.take(method.httpMethod, decodeURIComponent(match[1]), id, url, body, headers);
    if (taken !== undefined) return taken.reason === undefined ? taken : wrong(taken.status, taken.reason);
  }
  return back(method.httpMethod, `${url.pathname}${url.search}`, body, token);
}

// ---- Sign-in ----

async function oauth(request, url, body) {
  if (url.pathname === "/o/oauth2/v2/auth") {
    // As if the person had chosen their account and ticked every box.
    const fields = Object.fromEntries(url.searchParams);
    revoked = false;
    return back("POST", "/o/oauth2/v2/auth/callback", new URLSearchParams({ ...fields, email: ME }).toString(), undefined, { "content-type": "application/x-www-form-urlencoded" });
  }
  if (url.pathname === "/oauth2/token") {
    const form = new URLSearchParams(body);
    const refresh = form.get("grant_type") === "refresh_token";
    calls.push({ id: refresh ? "oauth.refresh" : "oauth.token", at: Date.now() });
    if (refresh && revoked) return { status: 400, json: { error: "invalid_grant", error_description: "Token has been expired or revoked." } };
    const fault = faultOf(refresh ? "oauth.refresh" : "oauth.token");
    if (fault !== undefined) return fault.answer;
    const answer = await back("POST", "/oauth2/token", body, undefined, { "content-type": "application/x-www-form-urlencoded" });
    if (answer.json?.access_token !== undefined) scopesOf.set(answer.json.access_token, (answer.json.scope ?? "").split(/\s+/));
    return answer;
  }
  return back(request.method, `${url.pathname}${url.search}`, body === "" ? undefined : body, request.headers.authorization?.replace(/^Bearer /, ""), { "content-type": request.headers["content-type"] ?? "" });
}

// ---- Faults ----

function faultOf(id) {
  const fault = faults.find((one) => one.times > 0 && one.pattern.test(id));
  if (fault === undefined) return undefined;
  fault.times -= 1;
  return fault;
}

// ---- The door ----

const readBody = async (request) => {
  const parts = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts).toString("utf8");
};
const say = (response, { status, json, text, headers }, more = {}) => {
  const location = headers?.get?.("location");
  const words = status === 204 ? "" : json === undefined ? (text ?? "") : JSON.stringify(json);
  response.writeHead(status, { "content-type": "application/json; charset=UTF-8", ...(location ? { location } : {}), ...more }).end(words);
};

const door = createServer(async (request, response) => {
  const text = await readBody(request);
  const url = new URL(request.url, "http://127.0.0.1");
  if (/^\/(o\/)?oauth2\//.test(url.pathname)) return say(response, await oauth(request, url, text));
  const method = discovery.method(request.method, url.pathname);
  const call = { id: method?.id ?? `${request.method} ${url.pathname}`, at: Date.now(), status: 0, query: url.search, headers: { "if-match": request.headers["if-match"] } };
  calls.push(call);
  const end = (answer, more) => {
    call.status = answer.status;
    say(response, answer, more);
  };
  if (method === undefined) {
    problems.push({ id: call.id, problem: "there is no such method" });
    return end(wrong(404, "notFound"));
  }
  let body;
  try {
    body = text === "" ? undefined : JSON.parse(text);
  } catch {
    problems.push({ id: call.id, problem: "body: is no JSON" });
    return end(wrong(400, "parseError"));
  }
  const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1];
  if (token === undefined || dead.has(token)) return end(wrong(401, "authError", "Request had invalid authentication credentials."));
  for (const problem of discovery.request(method, url, body, scopesOf.get(token))) problems.push({ id: call.id, problem });
  call.body = body;
  const fault = faultOf(method.id);
  if (fault !== undefined && !fault.after) {
    if (fault.hang) return;
    if (fault.drop) return request.socket.destroy();
    if (!fault.cut) return end(fault.answer, fault.headers);
  }
  const part = method.id.startsWith("gmail.") ? gmail : calendar;
  const answer = await part(method, url, body, token, request.headers);
  if (answer.status >= 200 && answer.status < 300) {
    for (const problem of discovery.answer(method, answer.status === 204 ? undefined : JSON.parse(JSON.stringify(answer.json ?? {})))) problems.push({ id: call.id, problem });
  }
  if (fault?.after) return fault.answer === undefined ? request.socket.destroy() : end(fault.answer, fault.headers);
  if (fault?.cut) {
    const whole = JSON.stringify(answer.json);
    call.status = 200;
    return response.writeHead(200, { "content-type": "application/json" }).end(whole.slice(0, whole.length >> 1));
  }
  end(answer);
});

// ---- Orders of a test ----

const base64Url = (words) => Buffer.from(words, "utf8").toString("base64url");
let counted = 0;
/** Messages tests have looked at, by id. */
const seen = new Map();
/** Gmail's own time of arrival: no two are the same. */
let arrived = 0;

const orders = {
  /** Mail arrives. */
  async mail({ from = "Ana Example <ana@example.org>", subject = "Hello", text = "Hello.", labels = ["INBOX", "UNREAD"], id, headers = {}, genuine = true, files = [] }) {
    counted += 1;
    const messageId = id ?? `mail-${counted}@example.org`;
    const domain = /@([^>\s]+)/.exec(from)?.[1];
    const all = { ...(genuine ? { "Authentication-Results": `mx.google.com; dmarc=pass header.from=${domain}` } : {}), From: from, To: ME, Subject: subject, "Message-ID": `<${messageId}>`, Date: new Date().toUTCString(), "MIME-Version": "1.0", ...headers };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
    let raw = `${[...lines, "Content-Type: text/plain; charset=utf-8"].join("\r\n")}\r\n\r\n${text}`;
    if (files.length > 0) {
      const parts = files.map((file) => `--xx\r\nContent-Type: ${file.mime}; name="${file.name}"\r\nContent-Disposition: attachment; filename="${file.name}"\r\nContent-Transfer-Encoding: base64\r\n\r\n${file.base64}\r\n`);
      raw = `${[...lines, 'Content-Type: multipart/mixed; boundary="xx"'].join("\r\n")}\r\n\r\n--xx\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n${text}\r\n${parts.join("")}--xx--\r\n`;
    }
    const { json, status } = await back("POST", "/gmail/v1/users/me/messages", { raw: base64Url(raw), labelIds: labels, internalDate: String((arrived = Math.max(arrived + 1, Date.now()))) });
    if (status !== 200) throw new Error(`the mail did not arrive: ${status}`);
    return { id: json.id, thread: json.threadId, messageId };
  },
  async label({ id, add = [], remove = [] }) {
    await back("POST", `/gmail/v1/users/me/messages/${id}/modify`, { addLabelIds: add, removeLabelIds: remove });
    return {};
  },
  /** Messages under a label, whole and with their source, the oldest first. */
  async folder({ label = "SENT" }) {
    const { json } = await back("GET", `/gmail/v1/users/me/messages?labelIds=${label}&maxResults=500&includeSpamTrash=true`);
    const messages = [];
    for (const { id } of json.messages.toReversed()) {
      // A message that was sent stays as it is.
      if (!seen.has(id)) {
        const whole = await back("GET", `/gmail/v1/users/me/messages/${id}?format=full`);
        const raw = await back("GET", `/gmail/v1/users/me/messages/${id}?format=raw`);
        seen.set(id, { ...whole.json, source: Buffer.from(raw.json.raw, "base64url").toString("utf8") });
      }
      messages.push(seen.get(id));
    }
    return { messages };
  },
  async event({ calendar: of = ME, ...fields }) {
    const { json, status } = await back("POST", `/calendar/v3/calendars/${encodeURIComponent(of)}/events`, fields);
    if (status !== 200) throw new Error(`the event was not made: ${status}`);
    return { id: json.id };
  },
  async cancel({ calendar: of = ME, id }) {
    await back("DELETE", `/calendar/v3/calendars/${encodeURIComponent(of)}/events/${encodeURIComponent(id)}`);
    return {};
  },
  async events({ calendar: of = ME }) {
    const known = await overlay.look(of);
    return { events: [...known.events].filter(([, one]) => !one.gone).map(([id, one]) => overlay.shown(id, one)) };
  },
  /** Access tokens given out so far end; a refresh token still counts. */
  async expire() {
    for (const token of scopesOf.keys()) dead.add(token);
    return {};
  },
  /** The person takes the sign-in back. */
  async revoke() {
    for (const token of scopesOf.keys()) dead.add(token);
    revoked = true;
    return {};
  },
  /** History cursors so far are too old. */
  async forgetHistory() {
    const { json } = await back("GET", "/gmail/v1/users/me/history?startHistoryId=1");
    oldest = BigInt(json.historyId);
    return { oldest: String(oldest) };
  },
  async forgetSync() {
    overlay.oldest = (await overlay.look(ME)).version + 1;
    return {};
  },
  async fault({ match, status, reason = "backendError", times = 1, retryAfter, after = false, cut = false, hang = false, drop = false }) {
    const answer = status === undefined ? undefined : wrong(status, reason);
    faults.push({ pattern: new RegExp(match), times, after, cut, hang, drop, answer, headers: retryAfter === undefined ? {} : { "retry-after": String(retryAfter) } });
    return {};
  },
  async mend() {
    faults.length = 0;
    return {};
  },
  /** A token with these scopes, for clients that do not sign in. */
  async token({ scopes = SCOPES }) {
    const token = await signIn();
    scopesOf.set(token, scopes);
    return { token };
  },
};

const admin = createServer(async (request, response) => {
  try {
    if (request.method === "GET") return say(response, { status: 200, json: { calls, problems } });
    const { do: what, ...rest } = JSON.parse(await readBody(request));
    say(response, { status: 200, json: await orders[what](rest) });
  } catch (error) {
    say(response, { status: 500, json: { error: error.message } });
  }
});

await Promise.all([door, admin].map((server) => new Promise((done) => server.listen(0, "127.0.0.1", done))));
const at = (server) => `http://127.0.0.1:${server.address().port}`;
process.stdout.write(`${JSON.stringify({ api: at(door), admin: at(admin), me: ME, backend: values.backend, revisions: discovery.revisions })}\n`);
for await (const _ of process.stdin);
await backend.stop();
process.exit(0);
