// The Web API in front of emulate: strict about tokens and scopes, with what emulate lacks (streams, the status of threads,
// users.conversations) and with faults. Everything else is emulate's answer. Neighbours: `fake.mjs`.

const NOT_THERE = { ok: false, error: "unknown_method" };
/** What the app of the tests was given. */
export const SCOPES =
  "app_mentions:read,channels:history,channels:read,chat:write,commands,files:read,files:write,groups:history,groups:read,im:history,im:read,im:write,mpim:history,mpim:read,reactions:read,reactions:write,users:read";

export class Web {
  /** Calls of the bot, in order: method, fields, answer. */
  calls = [];
  faults = [];
  revoked = new Map();
  scopes = SCOPES;
  streams = new Map();
  streaming = true;

  constructor({ emulate, tokens, sockets, origin }) {
    Object.assign(this, { emulate, tokens, sockets, origin });
  }

  /** Asks emulate. */
  async ask(method, fields, token) {
    const answer = await fetch(`${this.emulate}/api/${method}`, { method: "POST", headers: { authorization: `Bearer ${token}`, "content-type": "application/x-www-form-urlencoded" }, body: new URLSearchParams(fields) });
    return answer.status === 404 ? NOT_THERE : answer.json();
  }

  /** One call of a client. Gives status, headers and JSON; nothing where the connection breaks. */
  async call(method, fields, token) {
    const fault = this.faults.find((one) => one.times > 0 && (one.method === method || one.method === "*"));
    if (fault !== undefined) {
      fault.times -= 1;
      if (fault.after) await this.#answer(method, fields, token);
      this.#note(method, fields, `fault ${fault.status ?? "break"}`);
      if (fault.status === undefined) return undefined;
      return { status: fault.status, headers: fault.headers ?? {}, body: fault.body ?? { ok: false, error: fault.status === 429 ? "ratelimited" : "internal_error" } };
    }
    const body = await this.#answer(method, fields, token);
    this.#note(method, fields, body.ok ? "ok" : body.error, body);
    return { status: 200, headers: { "x-oauth-scopes": token === this.tokens.app ? "connections:write" : this.scopes }, body };
  }

  #note(method, fields, outcome, body) {
    this.calls.push({ at: Date.now(), method, fields, outcome, ...(body?.ts === undefined ? {} : { ts: body.ts }) });
  }

  async #answer(method, fields, token) {
    if (token === undefined) return { ok: false, error: "not_authed" };
    if (this.revoked.has(token)) return { ok: false, error: this.revoked.get(token) };
    if (method === "apps.connections.open") {
      if (token !== this.tokens.app) return { ok: false, error: token === this.tokens.bot ? "not_allowed_token_type" : "invalid_auth" };
      return { ok: true, url: `${this.origin().replace("http", "ws")}/link/?ticket=${this.sockets.ticket()}&app_id=${this.sockets.appId}` };
    }
    if (token === this.tokens.app) return { ok: false, error: "not_allowed_token_type" };
    if (![this.tokens.bot, ...Object.values(this.tokens.people)].includes(token)) return { ok: false, error: "invalid_auth" };
    const own = this[`method:${method}`];
    return own === undefined ? this.#rewritten(await this.ask(method, fields, token)) : own.call(this, fields, token);
  }

  /** Addresses of files lead here, where the token is asked for, as at Slack. */
  #rewritten(answer) {
    return JSON.parse(JSON.stringify(answer).replaceAll(this.emulate, this.origin()).replaceAll(this.emulate.replace("127.0.0.1", "localhost"), this.origin()));
  }

  async "method:users.conversations"(fields, token) {
    const all = await this.ask("conversations.list", { limit: "1000", types: fields.types ?? "public_channel" }, token);
    return all.ok ? { ...all, channels: all.channels.filter((one) => one.is_member || one.is_im) } : all;
  }

  async "method:assistant.threads.setStatus"(fields) {
    if (!fields.channel_id || !fields.thread_ts) return { ok: false, error: "invalid_arguments" };
    return { ok: true };
  }

  async "method:chat.startStream"(fields, token) {
    if (!this.streaming) return NOT_THERE;
    if (!fields.thread_ts) return { ok: false, error: "invalid_thread_ts" };
    if (fields.channel?.startsWith("C") && (!fields.recipient_user_id || !fields.recipient_team_id)) return { ok: false, error: "missing_recipient_user_id" };
    const answer = await this.ask("chat.postMessage", { channel: fields.channel, thread_ts: fields.thread_ts, text: fields.markdown_text || " " }, token);
    if (answer.ok) this.streams.set(answer.ts, fields.markdown_text ?? "");
    return answer;
  }

  async "method:chat.appendStream"(fields, token) {
    if (!this.streams.has(fields.ts)) return { ok: false, error: "message_not_in_streaming_state" };
    const text = this.streams.get(fields.ts) + fields.markdown_text;
    this.streams.set(fields.ts, text);
    return this.ask("chat.update", { channel: fields.channel, ts: fields.ts, text }, token);
  }

  async "method:chat.stopStream"(fields) {
    if (!this.streams.delete(fields.ts)) return { ok: false, error: "message_not_in_streaming_state" };
    return { ok: true, channel: fields.channel, ts: fields.ts };
  }

  async "method:chat.update"(fields, token) {
    if (this.streams.has(fields.ts)) return { ok: false, error: "streaming_state_conflict" };
    return this.ask("chat.update", fields, token);
  }
}
