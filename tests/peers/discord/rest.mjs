// The REST API, v10, as far as bots that talk use it: strict where Discord is strict, and failing where it is told to.

import { snowflake } from "./world.mjs";

const NONCE_MS = 180_000;
const MESSAGES_PER_WINDOW = 5;

class Refused extends Error {
  constructor(status, code, message) {
    super(message);
    Object.assign(this, { status, code });
  }
}

const invalid = (message) => new Refused(400, 50035, message);

export class Rest {
  /** Every request, in order. */
  journal = [];
  /** Faults that wait: `{match, status, times, retryAfter, global, scope, after}`. */
  faults = [];
  /** Answers to interactions, by interaction. */
  answers = new Map();
  /** How long a window of the bucket of messages is; 0 switches buckets off. */
  windowMs = 0;
  typed = [];
  #windows = new Map();
  #nonces = new Map();

  constructor(world, gateway) {
    this.world = world;
    this.gateway = gateway;
    this.base = "";
  }

  /** Answers one request: `{status, headers, json}` or bytes of a file. */
  async handle({ method, url, headers, body }) {
    const path = url.pathname;
    if (path.startsWith("/attachments/")) {
      const file = this.world.files.get(path);
      return file === undefined ? { status: 404, json: {} } : { status: 200, bytes: file.bytes, headers: { "content-type": file.type } };
    }
    const route = path.replace(/^\/api\/v10/, "");
    const shape = `${method} ${route.replace(/\/\d+/g, "/:id")}`;
    const entry = { at: Date.now(), method, route, shape, body: undefined, status: 0, agent: headers["user-agent"] ?? "" };
    this.journal.push(entry);
    try {
      const open = route.startsWith("/interactions/") || route.startsWith("/webhooks/");
      const bot = this.world.bots.get(`${headers.authorization ?? ""}`.replace(/^Bot /, ""));
      if (!open && (bot === undefined || bot.revoked || !headers.authorization?.startsWith("Bot "))) throw new Refused(401, 0, "401: Unauthorized");
      if (!/^DiscordBot \(/.test(entry.agent)) throw new Refused(403, 40333, "internal network error");
      const fault = this.#fault(shape);
      if (fault && !fault.after) return this.#failed(entry, fault);
      const limits = this.#bucket(method, route, shape);
      if (limits.refused) return this.#log(entry, limits.refused);
      const parsed = await parse(headers["content-type"] ?? "", body);
      entry.body = parsed.json;
      const answer = this.#route(method, route.split("/").filter(Boolean), url.searchParams, parsed, bot);
      if (fault) return this.#failed(entry, fault);
      return this.#log(entry, { status: answer === undefined ? 204 : 200, json: answer, headers: limits.headers });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return this.#log(entry, { status: error.status, json: { code: error.code, message: error.message } });
    }
  }

  #log(entry, answer) {
    entry.status = answer.status;
    return answer;
  }

  #fault(shape) {
    const at = this.faults.findIndex((fault) => shape.includes(fault.match));
    if (at < 0) return undefined;
    const fault = this.faults[at];
    fault.times = (fault.times ?? 1) - 1;
    if (fault.times <= 0) this.faults.splice(at, 1);
    return fault;
  }

  #failed(entry, { status, retryAfter = 1, global = false, scope = "user" }) {
    if (status !== 429) return this.#log(entry, { status, json: undefined, text: "<html>upstream</html>" });
    const headers = { "retry-after": String(Math.ceil(retryAfter)), "x-ratelimit-scope": global ? "global" : scope, ...(global ? { "x-ratelimit-global": "true" } : {}) };
    return this.#log(entry, { status, headers, json: { message: "You are being rate limited.", retry_after: retryAfter, global } });
  }

  /** Five messages in a window for each channel; headers as Discord gives them. */
  #bucket(method, route, shape) {
    if (this.windowMs === 0 || shape !== "POST /channels/:id/messages") return { headers: {} };
    const now = Date.now();
    let window = this.#windows.get(route);
    if (window === undefined || now >= window.until) this.#windows.set(route, (window = { count: 0, until: now + this.windowMs }));
    window.count += 1;
    const after = (window.until - now) / 1000;
    const headers = {
      "x-ratelimit-bucket": "80c17d2f203122d936070c88c8d10f33", "x-ratelimit-limit": String(MESSAGES_PER_WINDOW), "x-ratelimit-remaining": String(Math.max(0, MESSAGES_PER_WINDOW - window.count)),
      "x-ratelimit-reset": String(window.until / 1000), "x-ratelimit-reset-after": after.toFixed(3),
    };
    if (window.count <= MESSAGES_PER_WINDOW) return { headers };
    return { refused: { status: 429, headers: { ...headers, "retry-after": String(Math.ceil(after)) }, json: { message: "You are being rate limited.", retry_after: after, global: false } } };
  }

  #channel(id, bot) {
    const channel = this.world.channels.get(id);
    if (channel === undefined) throw new Refused(404, 10003, "Unknown Channel");
    if (!this.world.readers(channel).includes(bot)) throw new Refused(403, 50001, "Missing Access");
    return channel;
  }

  #message(channel, id) {
    const found = this.world.find(channel.id, id);
    if (found === undefined) throw new Refused(404, 10008, "Unknown Message");
    return found;
  }

  #route(method, [first, second, third, fourth, ...more], query, parsed, bot) {
    const { world } = this;
    const json = parsed.json ?? {};
    if (first === "gateway") {
      const limit = { total: 1000, remaining: 1000, reset_after: 14_400_000, max_concurrency: 1 };
      return second === "bot" ? { url: this.gateway.url, shards: 1, session_start_limit: limit } : { url: this.gateway.url };
    }
    if (first === "users" && second === "@me") {
      if (third === undefined) return bot.user;
      if (third === "guilds") return [{ ...world.guilds.get(bot.guild), owner: false, permissions: bot.permissions ?? "274878008384" }];
      if (third === "channels") return world.direct(bot, json.recipient_id);
    }
    if (first === "applications" || (first === "oauth2" && second === "applications")) {
      const app = { id: bot.application, name: bot.user.global_name, description: "", icon: null, bot_public: false, bot_require_code_grant: false, verify_key: "x", flags: bot.flags, bot: bot.user, owner: world.users.get("100000000000000001"), team: null };
      if (first === "oauth2" || second === "@me") return app;
      if (second !== bot.application) throw new Refused(403, 50013, "Missing Permissions");
      if (third === "commands") return this.#commands(method, bot, parsed.json);
    }
    if (first === "guilds") {
      const guild = world.guilds.get(second);
      if (guild === undefined || bot.guild !== second) throw new Refused(404, 10004, "Unknown Guild");
      if (third === undefined) return guild;
      if (third === "channels") return [...world.channels.values()].filter((one) => one.guild_id === second && one.type === 0);
      if (third === "roles") return guild.roles;
      if (third === "members" && world.users.has(fourth)) return world.member(second, fourth);
    }
    if (first === "channels") {
      const channel = this.#channel(second, bot);
      if (third === undefined) return channel;
      if (third === "typing") return void this.typed.push({ channel: channel.id, bot: bot.user.username });
      if (third === "threads" && method === "POST") return this.#thread(channel, json, undefined);
      if (third === "messages") return this.#messages(method, channel, fourth, more, query, parsed, bot);
    }
    if (first === "interactions" && fourth === "callback") return this.#callback(second, third, json);
    if (first === "webhooks") return this.#followUp(method, third, json);
    if (first === "users") {
      const found = world.users.get(second);
      if (found) return found;
    }
    throw new Refused(404, 0, "404: Not Found");
  }

  #thread(channel, { name }, from) {
    if (typeof name !== "string" || name.length < 1 || name.length > 100) throw invalid("name: 1 to 100 characters");
    const thread = this.world.thread(channel, name, from);
    this.gateway.dispatch("THREAD_CREATE", { ...thread, newly_created: true }, thread);
    return thread;
  }

  #messages(method, channel, id, [part, emoji, who], query, parsed, bot) {
    const list = this.world.list(channel.id);
    const json = parsed.json ?? {};
    if (id === undefined && method === "GET") {
      const limit = Number(query.get("limit") ?? 50);
      if (!(limit >= 1 && limit <= 100)) throw invalid("limit: 1 to 100");
      const after = query.get("after");
      const before = query.get("before");
      if (after !== null) return list.filter((one) => BigInt(one.id) > BigInt(after)).slice(0, limit).reverse();
      return (before === null ? list : list.filter((one) => BigInt(one.id) < BigInt(before))).slice(-limit).reverse();
    }
    if (id === undefined && method === "POST") return this.#post(channel, parsed, bot);
    const message = this.#message(channel, id);
    if (part === "threads") return this.#thread(channel, json, message.id);
    if (part === "reactions") return this.#react(method, channel, message, decodeURIComponent(emoji ?? ""), who, bot);
    if (method === "GET") return message;
    if (message.author.id !== bot.user.id) throw new Refused(403, 50005, "Cannot edit a message authored by another user");
    if (method === "DELETE") {
      list.splice(list.indexOf(message), 1);
      return void this.gateway.dispatch("MESSAGE_DELETE", { id: message.id, channel_id: channel.id }, channel);
    }
    this.#check({ ...message, ...json });
    Object.assign(message, json.content === undefined ? {} : { content: json.content }, json.components === undefined ? {} : { components: json.components }, { edited_timestamp: new Date().toISOString() });
    message.edits = (message.edits ?? 0) + 1;
    this.gateway.dispatch("MESSAGE_UPDATE", message, channel);
    return message;
  }

  #check(body) {
    if (typeof (body.content ?? "") !== "string" || (body.content ?? "").length > 2000) throw invalid("content: Must be 2000 or fewer in length.");
    if (!body.content && !body.attachments?.length && !body.embeds?.length && !body.components?.length && !body.sticker_ids?.length) throw new Refused(400, 50006, "Cannot send an empty message");
    if (body.nonce !== undefined && String(body.nonce).length > 25) throw invalid("nonce: Must be 25 or fewer in length.");
    for (const row of body.components ?? []) {
      if (row.type !== 1 || row.components.length < 1 || row.components.length > 5) throw invalid("components: a row has 1 to 5");
      for (const one of row.components) if (one.type === 2 && (!one.custom_id || one.custom_id.length > 100 || !one.label || one.label.length > 80)) throw invalid("components: custom_id and label");
    }
  }

  #post(channel, parsed, bot) {
    const body = parsed.json ?? {};
    const attachments = parsed.files.map((file, index) => this.keep(channel, file, index));
    this.#check({ ...body, attachments });
    const replied = body.message_reference?.message_id;
    if (replied !== undefined && this.world.find(channel.id, replied) === undefined) {
      if (body.message_reference.fail_if_not_exists !== false) throw invalid("message_reference: Unknown message");
      delete body.message_reference;
    }
    const key = `${channel.id} ${bot.user.id} ${body.nonce}`;
    const had = body.nonce !== undefined && body.enforce_nonce === true ? this.#nonces.get(key) : undefined;
    if (had !== undefined && Date.now() - had.at < NONCE_MS) return had.message;
    const message = { ...this.world.write(channel, bot.user.id, { ...body, attachments }), nonce: body.nonce };
    if (body.nonce !== undefined) this.#nonces.set(key, { at: Date.now(), message });
    this.gateway.dispatch("MESSAGE_CREATE", message, channel, channel.guild_id ? { member: this.world.member(channel.guild_id, bot.user.id) } : {});
    return message;
  }

  /** Keeps a file under an address of its own. */
  keep(channel, { name, type, bytes }, index) {
    const id = snowflake();
    const path = `/attachments/${channel.id}/${id}/${encodeURIComponent(name)}`;
    this.world.files.set(path, { bytes, type });
    return { id, filename: name, size: bytes.length, url: `${this.base}${path}?ex=1&is=1&hm=${index}`, proxy_url: `${this.base}${path}`, content_type: type };
  }

  #react(method, channel, message, emoji, who, bot) {
    if (who !== "@me") throw new Refused(404, 0, "404: Not Found");
    const added = method === "PUT";
    message.reactions = message.reactions.filter((one) => one.emoji.name !== emoji || !one.me);
    if (added) message.reactions.push({ emoji: { id: null, name: emoji }, me: true, count: 1, count_details: { burst: 0, normal: 1 }, burst_colors: [], me_burst: false });
    const d = { user_id: bot.user.id, channel_id: channel.id, message_id: message.id, emoji: { id: null, name: emoji }, burst: false, type: 0 };
    this.gateway.dispatch(added ? "MESSAGE_REACTION_ADD" : "MESSAGE_REACTION_REMOVE", d, channel);
  }

  #commands(method, bot, json) {
    if (method === "GET") return bot.commands;
    const make = (one) => {
      if (!/^[-_\p{L}\p{N}]{1,32}$/u.test(one.name ?? "") || !(one.description?.length <= 100)) throw invalid("name and description");
      return { id: snowflake(), application_id: bot.application, type: 1, version: "1", default_member_permissions: null, nsfw: false, ...one };
    };
    if (method === "PUT") return (bot.commands = json.map(make));
    const made = make(json);
    bot.commands = [...bot.commands.filter((one) => one.name !== made.name), made];
    return made;
  }

  #callback(id, token, json) {
    const open = this.answers.get(token);
    if (open === undefined || open.id !== id) throw new Refused(404, 10062, "Unknown interaction");
    if (open.first !== undefined) throw new Refused(400, 40060, "Interaction has already been acknowledged.");
    if (Date.now() - open.at > 3_000) throw new Refused(404, 10062, "Unknown interaction");
    if (json.data?.content !== undefined && json.data.content.length > 2000) throw invalid("content");
    open.first = json;
    open.afterMs = Date.now() - open.at;
    if (json.type === 7) this.#update(open, json.data ?? {});
  }

  #update({ channel, message }, { content, components }) {
    if (message === undefined) return;
    if (content !== undefined) message.content = content;
    if (components !== undefined) message.components = components;
    message.edited_timestamp = new Date().toISOString();
    this.gateway.dispatch("MESSAGE_UPDATE", message, channel);
  }

  #followUp(method, token, json) {
    const open = this.answers.get(token);
    if (open === undefined) throw new Refused(404, 10015, "Unknown Webhook");
    if (open.first === undefined) throw new Refused(404, 10008, "Unknown Message");
    if (method === "PATCH" && open.first.type === 6) this.#update(open, json);
    else if (method === "PATCH") open.edited = json;
    else open.follows.push(json);
    return this.world.compose(open.channel, open.bot, { ...json, flags: open.first.data?.flags });
  }
}

/** Ids may come as numbers, which JavaScript would round. */
const exact = (text) => JSON.parse(text.replace(/"(?:\\.|[^"\\])*"|\b\d{16,}\b/g, (found) => (found.startsWith('"') ? found : `"${found}"`)));

async function parse(type, body) {
  if (body.length === 0) return { json: undefined, files: [] };
  if (type.startsWith("application/json")) return { json: exact(body.toString()), files: [] };
  if (!type.startsWith("multipart/form-data")) throw new Refused(400, 50109, "The request body contains invalid JSON.");
  const form = await new Response(body, { headers: { "content-type": type } }).formData();
  const files = [];
  for (const [name, value] of form) {
    if (/^files\[\d+\]$/.test(name) && typeof value !== "string") files.push({ name: value.name, type: value.type, bytes: Buffer.from(await value.arrayBuffer()) });
  }
  return { json: exact(String(form.get("payload_json") ?? "{}")), files };
}
