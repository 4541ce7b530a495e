// Telegram for the tests: the Bot API a bot of ours uses, strict about what it is sent, with faults on request.
// grammY and aiogram are its judges (judge.mjs, judge.py). `node fake.mjs [--schema DIR]` prints one JSON line with its
// addresses; POST an order to `admin`, GET it for what happened. It ends when stdin closes.
//
// Orders: {"do":"say","chat":7,"from":7,"text":"hi",…message}, {"do":"update","update":{…}}, {"do":"file","path","text"},
// {"do":"fault","kind","method"?,"times"?,"after"?}, {"do":"revoke"|"restore"}.
// Faults: flood (429), broken (500), parse (400), drop (done, answer lost), lost (not done, answer lost), hang (half-open),
// conflict (409), double (updates again), shuffle (updates in reverse order).

import { createServer } from "node:http";
import { parseArgs } from "node:util";
import { readHtml } from "./html.mjs";
import { Schema, schemaFile } from "./schema.mjs";

const { values } = parseArgs({ options: { schema: { type: "string" }, token: { type: "string" }, bot: { type: "string" } } });
const file = values.schema === undefined ? undefined : schemaFile(values.schema);
const schema = file === undefined ? undefined : new Schema(file);
const TOKEN = values.token ?? "4242:fake-telegram-token";
const BOT = { id: Number(TOKEN.split(":")[0]), is_bot: true, first_name: "Kata", username: values.bot ?? "kata_fake_bot", can_join_groups: true, can_read_all_group_messages: false };

const world = {
  revoked: false,
  updates: [],
  nextUpdate: 1,
  numbers: new Map(),
  messages: new Map(),
  files: new Map([["file-1", "the bytes of a file"]]),
  /** Presses that wait for their answer. */
  queries: new Set(),
  calls: [],
  problems: [],
  faults: [],
  poll: undefined,
  seen: [],
};

const now = () => Math.floor(Date.now() / 1000);
const chatOf = (id) => (id > 0 ? { id, type: "private", first_name: `Person ${id}` } : { id, type: "supergroup", title: `Group ${-id}` });
const userOf = (id) => ({ id, is_bot: false, first_name: `Person ${id}` });

function numbered(chat) {
  const number = (world.numbers.get(chat) ?? 0) + 1;
  world.numbers.set(chat, number);
  return number;
}

function keep(message) {
  world.messages.set(`${message.chat.id}:${message.message_id}`, message);
  return message;
}

function push(update) {
  world.updates.push({ update_id: world.nextUpdate, ...update });
  world.nextUpdate += 1;
  world.poll?.wake();
}

class No extends Error {
  constructor(code, description, parameters) {
    super(description);
    Object.assign(this, { code, parameters });
  }
}

function textOf(params, field, max) {
  const raw = params[field] ?? "";
  const read = params.parse_mode === "HTML" ? readHtml(raw) : { text: raw };
  if (read.error !== undefined) throw new No(400, read.error);
  if (read.text.length > max) throw new No(400, field === "text" ? "Bad Request: message is too long" : "Bad Request: message caption is too long");
  if (field === "text" && read.text.trim() === "") throw new No(400, "Bad Request: message text is empty");
  return read.text;
}

function sent(params, more) {
  const id = Number(params.chat_id);
  if (!Number.isInteger(id) || id === 0) throw new No(400, "Bad Request: chat not found");
  const markup = params.reply_markup === undefined ? {} : { reply_markup: params.reply_markup };
  const thread = params.message_thread_id === undefined ? {} : { message_thread_id: Number(params.message_thread_id), is_topic_message: true };
  const reply = params.reply_parameters?.message_id;
  const answered = reply === undefined ? undefined : world.messages.get(`${id}:${reply}`);
  if (reply !== undefined && answered === undefined && params.reply_parameters.allow_sending_without_reply !== true) throw new No(400, "Bad Request: message to be replied not found");
  const quoted = answered === undefined ? {} : { reply_to_message: answered };
  return keep({ message_id: numbered(id), date: now(), chat: chatOf(id), from: BOT, ...thread, ...quoted, ...markup, ...more });
}

function placed(params) {
  const message = world.messages.get(`${params.chat_id}:${params.message_id}`);
  if (message === undefined) throw new No(400, "Bad Request: message to edit not found");
  return message;
}

function fileOf(params, uploads, field) {
  const named = String(params[field] ?? "");
  const upload = named.startsWith("attach://") ? uploads[named.slice(9)] : uploads[field];
  if (upload === undefined) throw new No(400, `Bad Request: there is no ${field} in the request`);
  if (upload.bytes.length === 0) throw new No(400, "Bad Request: file must be non-empty");
  const id = `file-${world.files.size + 1}`;
  world.files.set(id, upload.bytes);
  return { file_id: id, file_unique_id: `u${id}`, file_size: upload.bytes.length, file_name: upload.name, mime_type: upload.type };
}

const FIELDS = { sendPhoto: "photo", sendVideo: "video", sendAudio: "audio", sendVoice: "voice", sendDocument: "document" };
const shaped = (field, one) => (field === "photo" ? { photo: [{ ...one, width: 1, height: 1 }] } : { [field]: { duration: 1, width: 1, height: 1, ...one } });

function upload(method, params, uploads) {
  const field = FIELDS[method];
  const caption = params.caption === undefined ? {} : { caption: textOf(params, "caption", 1024) };
  return sent(params, { ...shaped(field, fileOf(params, uploads, field)), ...caption });
}

const methods = {
  getMe: () => BOT,
  getWebhookInfo: () => ({ url: "", has_custom_certificate: false, pending_update_count: world.updates.length }),
  deleteWebhook: () => true,
  setMyCommands: () => true,
  logOut: () => true,
  sendChatAction: () => true,
  sendMessageDraft: (params) => {
    if (Number(params.chat_id) <= 0) throw new No(400, "Bad Request: chat not found");
    if (Number(params.draft_id) === 0) throw new No(400, "Bad Request: DRAFT_ID_INVALID");
    textOf(params, "text", 4096);
    return true;
  },
  sendMessage: (params) => sent(params, { text: textOf(params, "text", 4096) }),
  sendMediaGroup: (params, uploads) => {
    if (params.media.length < 2 || params.media.length > 10) throw new No(400, "Bad Request: wrong number of media in the album");
    const group = String(world.files.size + 1);
    const kinds = new Set(params.media.map((one) => (one.type === "video" ? "photo" : one.type)));
    if (kinds.size > 1) throw new No(400, "Bad Request: mixed types of media");
    return params.media.map((one) => {
      const caption = one.caption === undefined ? {} : { caption: textOf(one, "caption", 1024) };
      return sent(params, { media_group_id: group, ...shaped(one.type, fileOf({ ...one, [one.type]: one.media }, uploads, one.type)), ...caption });
    });
  },
  editMessageText: (params) => {
    const message = placed(params);
    if (message.text === undefined) throw new No(400, "Bad Request: there is no text in the message to edit");
    const text = textOf(params, "text", 4096);
    if (text === message.text && JSON.stringify(params.reply_markup) === JSON.stringify(message.reply_markup)) {
      throw new No(400, "Bad Request: message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message");
    }
    const { reply_markup: _, ...rest } = message;
    return keep({ ...rest, text, edit_date: now(), ...(params.reply_markup === undefined ? {} : { reply_markup: params.reply_markup }) });
  },
  editMessageReplyMarkup: (params) => {
    const { reply_markup: before, ...message } = placed(params);
    if (before === undefined) throw new No(400, "Bad Request: message is not modified");
    const rows = params.reply_markup?.inline_keyboard ?? [];
    return keep(rows.length > 0 ? { ...message, reply_markup: params.reply_markup } : message);
  },
  deleteMessage: (params) => {
    if (!world.messages.delete(`${params.chat_id}:${params.message_id}`)) throw new No(400, "Bad Request: message to delete not found");
    return true;
  },
  setMessageReaction: (params) => {
    placed(params);
    return true;
  },
  answerCallbackQuery: (params) => {
    if (!world.queries.delete(params.callback_query_id)) throw new No(400, "Bad Request: query is too old and response timeout expired or query ID is invalid");
    return true;
  },
  getFile: (params) => {
    if (!world.files.has(params.file_id)) throw new No(400, "Bad Request: wrong file_id or the file is temporarily unavailable");
    return { file_id: params.file_id, file_unique_id: `u${params.file_id}`, file_path: `documents/${params.file_id}` };
  },
};
for (const method of Object.keys(FIELDS)) methods[method] = (params, uploads) => upload(method, params, uploads);

/** A poll: what is before `offset` is forgotten; a second one ends the first. */
async function getUpdates(params, request) {
  const offset = Number(params.offset ?? 0);
  if (offset > 0) world.updates = world.updates.filter((update) => update.update_id >= offset);
  const wanted = params.allowed_updates;
  const kind = (update) => Object.keys(update).find((key) => key !== "update_id");
  const ready = () => world.updates.filter((update) => !Array.isArray(wanted) || wanted.length === 0 || wanted.includes(kind(update))).slice(0, Number(params.limit ?? 100));
  world.poll?.end();
  if (ready().length === 0 && Number(params.timeout ?? 0) > 0) {
    const how = await new Promise((resolve) => {
      const timer = setTimeout(() => resolve("late"), Number(params.timeout) * 1000);
      const finish = (what) => (clearTimeout(timer), resolve(what));
      world.poll = { wake: () => finish("news"), end: () => finish("conflict") };
      request.on("close", () => finish("gone"));
    });
    world.poll = undefined;
    if (how === "conflict") throw new No(409, "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running");
  }
  const updates = ready();
  if (take("double", "getUpdates") && world.seen.length > 0) return [...world.seen, ...updates];
  world.seen = updates;
  return take("shuffle", "getUpdates") ? updates.toReversed() : updates;
}

/** Takes one of the faults that were ordered, if it is its turn. */
function take(kind, method) {
  const at = world.faults.findIndex((fault) => fault.kind === kind && (fault.method === undefined || fault.method === method));
  const fault = world.faults[at];
  if (fault === undefined) return undefined;
  if (fault.after > 0) {
    fault.after -= 1;
    return undefined;
  }
  fault.times -= 1;
  if (fault.times <= 0) world.faults.splice(at, 1);
  return fault;
}

async function answer(method, request) {
  const { params, uploads, form } = await bodyOf(request);
  const call = { method, params, files: Object.fromEntries(Object.entries(uploads).map(([name, one]) => [name, { name: one.name, type: one.type, bytes: one.bytes.length }])), at: Date.now() };
  if (method !== "getUpdates") world.calls.push(call);
  if (world.revoked) throw new No(401, "Unauthorized");
  if (schema?.knows(method)) {
    const problems = schema.problems(method, params, form);
    world.problems.push(...problems);
    if (problems.length > 0) throw new No(400, `Bad Request: ${problems[0]}`);
  }
  if (take("hang", method)) return new Promise(() => {});
  if (take("lost", method)) return undefined;
  const flood = take("flood", method);
  if (flood) throw new No(429, `Too Many Requests: retry after ${flood.seconds ?? 1}`, { retry_after: flood.seconds ?? 1 });
  if (take("broken", method)) throw new No(500, "Internal Server Error");
  if (take("parse", method)) throw new No(400, "Bad Request: can't parse entities: as ordered");
  if (take("conflict", method)) throw new No(409, "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running");
  if (method === "getUpdates") return { result: await getUpdates(params, request) };
  const handler = methods[method];
  if (handler === undefined) throw new No(404, "Not Found: method not found");
  const result = handler(params, uploads);
  call.ok = true;
  call.result = result;
  return take("drop", method) ? undefined : { result };
}

async function bodyOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const type = request.headers["content-type"] ?? "";
  const body = Buffer.concat(chunks);
  const query = Object.fromEntries(new URL(request.url, "http://x").searchParams);
  if (type.includes("json")) return { params: { ...query, ...(body.length > 0 ? JSON.parse(body) : {}) }, uploads: {}, form: false };
  if (body.length === 0) return { params: query, uploads: {}, form: true };
  const parsed = await new Response(body, { headers: { "content-type": type } }).formData();
  const params = { ...query };
  const uploads = {};
  for (const [name, value] of parsed) {
    if (typeof value === "string") params[name] = /^[[{]/.test(value) ? JSON.parse(value) : value;
    else uploads[name] = { name: value.name, type: value.type, bytes: Buffer.from(await value.arrayBuffer()) };
  }
  return { params, uploads, form: true };
}

function order(order) {
  switch (order.do) {
    case "say": {
      const { do: _, chat, from, kind = "message", ...more } = order;
      const message = keep({ message_id: numbered(chat), date: now(), chat: { ...chatOf(chat), ...(more.is_topic_message ? { is_forum: true } : {}) }, from: userOf(from ?? chat), ...more });
      push({ [kind]: message });
      return { id: `${chat}:${message.message_id}` };
    }
    case "edit": {
      const message = keep({ ...world.messages.get(order.id), text: order.text, edit_date: now() });
      push({ edited_message: message });
      return {};
    }
    case "react": {
      const message = world.messages.get(order.id);
      const list = (emoji) => (emoji === undefined ? [] : [{ type: "emoji", emoji }]);
      push({ message_reaction: { chat: message.chat, message_id: message.message_id, user: userOf(order.from), date: now(), old_reaction: list(order.old), new_reaction: list(order.emoji) } });
      return {};
    }
    case "press": {
      const message = world.messages.get(order.id);
      const id = `query-${world.nextUpdate}`;
      world.queries.add(id);
      push({ callback_query: { id, from: userOf(order.from), chat_instance: "1", message, data: order.data } });
      return { id };
    }
    case "update":
      push(order.update);
      return {};
    case "fault":
      world.faults.push({ times: 1, after: 0, ...order });
      return {};
    case "revoke":
    case "restore":
      world.revoked = order.do === "revoke";
      world.poll?.wake();
      return {};
    default:
      throw new Error(`unknown order: ${order.do}`);
  }
}

const server = createServer(async (request, response) => {
  const reply = (status, body) => response.writeHead(status, { "content-type": "application/json", ...(body.parameters?.retry_after ? { "retry-after": String(body.parameters.retry_after) } : {}) }).end(JSON.stringify(body));
  try {
    const { pathname } = new URL(request.url, "http://x");
    // What a test that waits for a thousand answers asks again and again.
    if (pathname === "/admin/sent") return reply(200, { sent: world.calls.filter((call) => call.method === "sendMessage" && call.ok).length });
    if (pathname === "/admin") {
      if (request.method === "GET") return reply(200, { calls: world.calls, problems: world.problems, waiting: world.updates.length, messages: [...world.messages.values()], faults: world.faults, schema: schema?.version ?? null });
      let text = "";
      for await (const chunk of request) text += chunk;
      return reply(200, order(JSON.parse(text)));
    }
    const [, token, rest] = /^\/(?:file\/)?bot([^/]+)\/(.*)$/.exec(pathname) ?? [];
    if (token !== TOKEN) return reply(401, { ok: false, error_code: 401, description: "Unauthorized" });
    if (pathname.startsWith("/file/")) {
      const bytes = world.files.get(rest.split("/").at(-1));
      return bytes === undefined ? reply(404, { ok: false, error_code: 404, description: "Not Found" }) : response.writeHead(200, { "content-type": "application/octet-stream" }).end(bytes);
    }
    const done = await answer(rest, request);
    if (done === undefined) return void request.socket.destroy();
    reply(200, { ok: true, result: done.result });
  } catch (error) {
    if (error instanceof No) reply(error.code, { ok: false, error_code: error.code, description: error.message, ...(error.parameters ? { parameters: error.parameters } : {}) });
    else reply(500, { ok: false, error_code: 500, description: `fake: ${error.stack}` });
  }
});

server.listen(0, "127.0.0.1", () => {
  const base = `http://127.0.0.1:${server.address().port}`;
  console.log(JSON.stringify({ api: base, admin: `${base}/admin`, token: TOKEN, bot: BOT, schema: schema?.version ?? null }));
});
process.stdin.resume().on("end", () => process.exit(0));
