// Socket Mode as Slack does it, with faults: greets, gives each envelope on one socket, gives it again where nobody
// acknowledges it, asks for new sockets. Source: docs.slack.dev/apis/events-api/using-socket-mode. Neighbours: `fake.mjs`.

import { randomBytes, randomUUID } from "node:crypto";
import { WebSocketServer } from "ws";

/** How long an envelope may stay unacknowledged; Slack says three seconds. */
const ACK_MS = 3_000;
/** Times Slack gives an event again. */
const RETRIES = 3;
/** Sockets one app may have open. */
const MOST = 10;

export class Sockets {
  #server = new WebSocketServer({ noServer: true });
  #tickets = new Set();
  #open = [];
  #waiting = new Map();
  #held = [];
  #refusals = 0;
  #next = 0;
  holding = false;
  lastsSeconds = 18_060;
  /** What happened, for assertions. */
  log = { opened: 0, closed: [], acks: [], given: 0, again: 0, tooLate: 0, mostOpen: 0 };

  constructor(teamId, appId) {
    this.teamId = teamId;
    this.appId = appId;
  }

  get count() {
    return this.#open.length;
  }

  ticket() {
    const ticket = randomBytes(8).toString("hex");
    this.#tickets.add(ticket);
    return ticket;
  }

  upgrade(request, socket, head) {
    const ticket = new URL(request.url, "http://fake").searchParams.get("ticket");
    if (!this.#tickets.delete(ticket) || this.#refusals > 0) {
      if (this.#refusals > 0) this.#refusals -= 1;
      return void socket.end("HTTP/1.1 408 Request Timeout\r\nconnection: close\r\n\r\n");
    }
    this.#server.handleUpgrade(request, socket, head, (ws) => this.#greet(ws));
  }

  #greet(ws) {
    this.log.opened += 1;
    this.#open.push(ws);
    this.log.mostOpen = Math.max(this.log.mostOpen, this.#open.length);
    ws.on("message", (data) => this.#acked(ws, String(data)));
    ws.on("close", (code) => {
      this.#open = this.#open.filter((one) => one !== ws);
      if (!ws.silent) this.log.closed.push(code);
    });
    ws.on("error", () => {});
    ws.on("pong", () => {});
    const beat = setInterval(() => ws.readyState === ws.OPEN && !ws.silent && ws.ping("Ping from fake"), 10_000);
    ws.on("close", () => clearInterval(beat));
    this.#say(ws, {
      type: "hello",
      num_connections: this.#open.length,
      debug_info: { host: "fake", started: new Date().toISOString(), build_number: 1, approximate_connection_time: this.lastsSeconds },
      connection_info: { app_id: this.appId },
    });
    while (this.#open.length > MOST) this.#end(this.#open[0], "too_many_websockets");
    for (const one of this.#waiting.values()) if (one.on === undefined) this.#give(one);
  }

  #say(ws, value) {
    if (!ws.silent && ws.readyState === ws.OPEN) ws.send(JSON.stringify(value));
  }

  #acked(ws, text) {
    if (ws.silent) return;
    let ack;
    try {
      ack = JSON.parse(text);
    } catch {
      throw new Error(`a client sent what is no JSON: ${text.slice(0, 100)}`);
    }
    const one = this.#waiting.get(ack.envelope_id);
    if (one === undefined) {
      this.log.tooLate += 1;
      return;
    }
    clearTimeout(one.timer);
    this.#waiting.delete(ack.envelope_id);
    this.log.acks.push({ envelope: ack.envelope_id, event: one.envelope.payload.event_id ?? null, type: one.envelope.type, payload: ack.payload ?? null });
  }

  /** Gives something. `copies`: the same event in several envelopes. */
  give(type, payload, { copies = 1 } = {}) {
    for (let copy = 0; copy < copies; copy += 1) {
      const envelope = { envelope_id: randomUUID(), type, payload, accepts_response_payload: type !== "events_api", ...(type === "events_api" ? { retry_attempt: 0, retry_reason: "" } : {}) };
      const one = { envelope, tries: 0, on: undefined, timer: undefined };
      this.#waiting.set(envelope.envelope_id, one);
      if (this.holding) this.#held.push(one);
      else this.#give(one);
    }
  }

  /** Gives what was held: in order, or the last first, each as often as asked. */
  release({ reverse = false, copies = 1 } = {}) {
    this.holding = false;
    const held = this.#held.splice(0);
    for (const one of reverse ? held.reverse() : held) {
      for (let copy = 1; copy < copies; copy += 1) this.give(one.envelope.type, one.envelope.payload);
      this.#give(one);
    }
  }

  #give(one) {
    // Any one of the open sockets, ghosts too: Slack does not know that they are dead.
    const open = this.#open.filter((ws) => ws.readyState === ws.OPEN);
    if (open.length === 0) return;
    this.#next += 1;
    const ws = open[this.#next % open.length];
    one.on = ws;
    one.tries += 1;
    this.log.given += 1;
    if (one.tries > 1) this.log.again += 1;
    if (one.envelope.type === "events_api") Object.assign(one.envelope, { retry_attempt: one.tries - 1, retry_reason: one.tries > 1 ? "timeout" : "" });
    this.#say(ws, one.envelope);
    one.timer = setTimeout(() => {
      if (!this.#waiting.has(one.envelope.envelope_id)) return;
      // A press is not given again.
      if (one.envelope.type === "interactive" || one.tries > RETRIES) this.#waiting.delete(one.envelope.envelope_id);
      else this.#give(one);
    }, ACK_MS);
  }

  get waiting() {
    return this.#waiting.size;
  }

  /** Asks every client for a new socket, as Slack does; the old ones end a little later. */
  disconnect(reason, afterMs = 2_000) {
    for (const ws of this.#open) this.#end(ws, reason, afterMs);
  }

  #end(ws, reason, afterMs = 2_000) {
    this.#say(ws, { type: "disconnect", reason, debug_info: { host: "fake" } });
    setTimeout(() => ws.close(1000), afterMs);
  }

  /** Breaks every connection without a word. */
  drop() {
    for (const ws of this.#open) ws.terminate();
  }

  /** Half-open: nothing comes or goes any more, and nobody says so. */
  silence() {
    for (const ws of this.#open) {
      ws.silent = true;
      ws._socket.pause();
    }
  }

  /** Turns the next sockets away. */
  refuse(times) {
    this.#refusals = times;
  }
}
