// The gateway: sessions that outlive their sockets, events kept for a resume, and the faults a network and a server have.

import { randomUUID } from "node:crypto";
import { constants, createDeflate } from "node:zlib";
import { WebSocketServer } from "ws";

const INTENT = { guilds: 1, messages: 1 << 9, reactions: 1 << 10, direct: 1 << 12, directReactions: 1 << 13, content: 1 << 15 };
const PRIVILEGED = { content: [1 << 15, (1 << 18) | (1 << 19)], members: [1 << 1, (1 << 14) | (1 << 15)], presences: [1 << 8, (1 << 12) | (1 << 13)] };
const KEPT = 5_000;

export class Gateway {
  sessions = new Map();
  connections = new Set();
  /** What was seen, for tests: identifies, resumes, closes by the client, beats. */
  seen = { identifies: 0, resumes: 0, refusedResumes: 0, closes: [], beats: 0, replayed: 0 };
  /** How the next events are treated. */
  doubled = 0;
  swapped = 0;
  #held = new Map();
  interval = 41_250;
  url = "";

  constructor(world, server) {
    this.world = world;
    const sockets = new WebSocketServer({ noServer: true, maxPayload: 1 << 20 });
    server.on("upgrade", (request, socket, head) => {
      const url = new URL(request.url, "http://x");
      if (!url.pathname.startsWith("/gateway") || url.searchParams.get("v") !== "10" || (url.searchParams.get("encoding") ?? "json") !== "json") return socket.destroy();
      sockets.handleUpgrade(request, socket, head, (ws) => this.#connected(ws, url.searchParams.get("compress") === "zlib-stream"));
    });
  }

  #connected(ws, compressed) {
    const connection = { ws, session: undefined, mute: false, frames: [], deflate: compressed ? createDeflate({ flush: constants.Z_SYNC_FLUSH }) : undefined };
    if (connection.deflate) connection.deflate.on("data", (bytes) => ws.readyState === 1 && ws.send(bytes, { binary: true }));
    this.connections.add(connection);
    ws.on("close", (code) => {
      this.connections.delete(connection);
      if (!connection.closing) this.seen.closes.push(code);
      if (connection.session?.connection === connection) connection.session.connection = undefined;
      // The client said goodbye for good.
      if (!connection.closing && (code === 1000 || code === 1001) && connection.session) this.sessions.delete(connection.session.id);
    });
    ws.on("error", () => {});
    ws.on("message", (raw) => this.#frame(connection, raw.toString()));
    this.#send(connection, { op: 10, d: { heartbeat_interval: this.interval }, s: null, t: null });
  }

  #send(connection, frame) {
    if (connection.mute) return;
    const text = JSON.stringify(frame);
    if (connection.deflate) connection.deflate.write(text);
    else if (connection.ws.readyState === 1) connection.ws.send(text);
  }

  #close(connection, code) {
    connection.closing = true;
    connection.ws.close(code);
  }

  #frame(connection, text) {
    if (connection.mute) return;
    const now = Date.now();
    connection.frames = connection.frames.filter((at) => at > now - 60_000);
    connection.frames.push(now);
    if (connection.frames.length > 120) return this.#close(connection, 4008);
    if (Buffer.byteLength(text) > 4096) return this.#close(connection, 4002);
    let frame;
    try {
      frame = JSON.parse(text);
    } catch {
      return this.#close(connection, 4002);
    }
    switch (frame.op) {
      case 1:
        this.seen.beats += 1;
        return this.#send(connection, { op: 11, d: null, s: null, t: null });
      case 2:
        return this.#identify(connection, frame.d ?? {});
      case 6:
        return this.#resume(connection, frame.d ?? {});
      case 3:
      case 4:
      case 8:
        return connection.session ? undefined : this.#close(connection, 4003);
      default:
        return this.#close(connection, 4001);
    }
  }

  #identify(connection, { token, intents, properties }) {
    if (connection.session) return this.#close(connection, 4005);
    this.seen.identifies += 1;
    // serenity writes “Bot ” before it, and Discord takes that.
    const bot = this.world.bots.get(`${token}`.replace(/^Bot /, ""));
    if (bot === undefined || bot.revoked) return this.#close(connection, 4004);
    if (typeof intents !== "number" || intents < 0 || intents >= 1 << 26) return this.#close(connection, 4013);
    if (properties === undefined) return this.#close(connection, 4002);
    for (const [bit, flag] of Object.values(PRIVILEGED)) if ((intents & bit) !== 0 && (bot.flags & flag) === 0) return this.#close(connection, 4014);
    const session = { id: randomUUID().replaceAll("-", ""), bot, intents, seq: 0, events: [], connection };
    connection.session = session;
    this.sessions.set(session.id, session);
    const ready = {
      v: 10, user: { ...bot.user, email: null, mfa_enabled: false, verified: true }, guilds: [{ id: bot.guild, unavailable: true }], session_id: session.id, session_type: "normal",
      resume_gateway_url: `${this.url}/resume`, application: { id: bot.application, flags: bot.flags }, private_channels: [], relationships: [], shard: [0, 1], user_settings: {},
    };
    this.#event(session, "READY", ready);
    this.#event(session, "GUILD_CREATE", this.world.guildCreate(bot.guild));
  }

  #resume(connection, { token, session_id, seq }) {
    const session = this.sessions.get(session_id);
    const bot = this.world.bots.get(`${token}`.replace(/^Bot /, ""));
    if (bot === undefined || bot.revoked) return this.#close(connection, 4004);
    const first = session?.events[0]?.s ?? 1;
    if (session === undefined || session.bot !== bot || typeof seq !== "number" || seq > session.seq || seq < first - 1) {
      this.seen.refusedResumes += 1;
      return this.#send(connection, { op: 9, d: false, s: null, t: null });
    }
    this.seen.resumes += 1;
    if (session.connection) session.connection.ws.terminate();
    session.connection = connection;
    connection.session = session;
    for (const event of session.events.filter((one) => one.s > seq)) {
      this.seen.replayed += 1;
      this.#send(connection, event);
    }
    this.#event(session, "RESUMED", { _trace: [] });
  }

  #event(session, t, d) {
    session.seq += 1;
    const frame = { op: 0, t, s: session.seq, d };
    session.events.push(frame);
    if (session.events.length > KEPT) session.events.shift();
    if (session.connection) this.#send(session.connection, frame);
  }

  /** Tells every bot that sees a channel and asked to hear of it. */
  dispatch(t, d, channel, more = {}) {
    for (const bot of this.world.readers(channel)) {
      for (const session of this.sessions.values()) {
        if (session.bot !== bot || !this.#wants(session.intents, t, channel)) continue;
        const out = this.#shaped(session, t, { ...d, ...(t.startsWith("MESSAGE_") ? { channel_type: channel.type } : {}), ...(channel.guild_id ? { guild_id: channel.guild_id } : {}), ...more });
        if (t === "MESSAGE_CREATE" && this.swapped > 0) {
          const held = this.#held.get(session.id);
          this.swapped -= 1;
          if (held === undefined) {
            this.#held.set(session.id, out);
            continue;
          }
          this.#held.delete(session.id);
          this.#event(session, t, out);
          this.#event(session, t, held);
          continue;
        }
        this.#event(session, t, out);
        if (t === "MESSAGE_CREATE" && this.doubled > 0) {
          this.doubled -= 1;
          this.#event(session, t, out);
        }
      }
    }
  }

  /** Only to one bot. */
  tell(bot, t, d) {
    for (const session of this.sessions.values()) if (session.bot === bot) this.#event(session, t, d);
  }

  #wants(intents, t, channel) {
    const need = t.startsWith("MESSAGE_REACTION")
      ? channel.guild_id ? INTENT.reactions : INTENT.directReactions
      : t.startsWith("MESSAGE") ? (channel.guild_id ? INTENT.messages : INTENT.direct) : t.startsWith("TYPING") ? 1 << 11 : INTENT.guilds;
    return (intents & need) !== 0;
  }

  /** Without the content intent a message of a server that does not mention the bot is empty. */
  #shaped(session, t, d) {
    const hidden = /^MESSAGE_(CREATE|UPDATE)$/.test(t) && d.guild_id && (session.intents & INTENT.content) === 0 && d.author?.id !== session.bot.user.id && !d.mentions?.some((one) => one.id === session.bot.user.id);
    return hidden ? { ...d, content: "", attachments: [], embeds: [], components: [] } : d;
  }

  fault({ kind, code, resumable = false, times = 1 }) {
    const all = [...this.connections];
    switch (kind) {
      case "op1":
        for (const one of all) this.#send(one, { op: 1, d: null, s: null, t: null });
        return;
      case "op7":
        for (const one of all) this.#send(one, { op: 7, d: null, s: null, t: null });
        return;
      case "op9":
        for (const one of all) {
          if (!resumable && one.session) this.sessions.delete(one.session.id);
          this.#send(one, { op: 9, d: resumable, s: null, t: null });
        }
        return;
      case "close":
        for (const one of all) this.#close(one, code);
        return;
      case "drop":
        for (const one of all) {
          one.closing = true;
          one.ws.terminate();
        }
        return;
      case "mute":
        // Half open: the line is there, nothing comes and nothing is heard.
        for (const one of all) {
          one.mute = true;
          if (one.session) one.session.connection = undefined;
        }
        return;
      case "expire":
        this.sessions.clear();
        for (const one of all) {
          one.closing = true;
          one.ws.terminate();
        }
        return;
      case "double":
        this.doubled = times;
        return;
      case "swap":
        this.swapped = times * 2;
        return;
      default:
        throw new Error(`no fault “${kind}”`);
    }
  }
}
