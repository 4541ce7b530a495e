/**
 * One connection to the gateway as a state machine: frames and times go in, acts come out. It opens nothing, waits for nothing and
 * knows nothing of what events mean; `gateway.ts` drives it over a socket, tests over nothing.
 *
 * `Session.seq` is the last event that was dealt with, not the last that came: what is told to Discord by heartbeat and resume is
 * never more than what is on the disk.
 */

import { FrameBudget } from "./budget.ts";
import { FRAME_MAX, Op } from "./protocol.ts";

/** How long the server may take to say hello, and to accept us afterwards. */
const HELLO_MS = 20_000;
const READY_MS = 40_000;

/** What is needed to go on where a connection broke off. */
export interface Session {
  id: string;
  resumeUrl: string;
  seq: number;
}

/** Who connects. */
export interface Identity {
  /** Without “Bot ”: that prefix belongs to REST. */
  token: string;
  intents: number;
}

/** How this side ends a connection. */
export interface Ending {
  /** Whether the session can be gone on with. */
  resume: boolean;
  /** Least wait before the next connection, in milliseconds. */
  waitMs: number;
  /** For the log. */
  why: string;
}

/** What is to be done, in order. */
export type Act =
  | { do: "send"; text: string }
  | { do: "dispatch"; type: string; data: unknown; seq: number }
  | { do: "end"; ending: Ending };

export class Link {
  readonly #identity: Identity;
  readonly #random: () => number;
  readonly #frames = new FrameBudget();
  #deadline: { at: number; why: string } | undefined;
  #interval = 0;
  #beatAt: number | undefined;
  #acked = true;
  #over = false;
  /** The session, from READY on, or the one that is resumed. */
  session: Session | undefined;
  /** Whether Discord has accepted us. */
  up = false;

  constructor(identity: Identity, session: Session | undefined, random: () => number, now: number) {
    this.#identity = identity;
    this.#random = random;
    this.session = session;
    this.#deadline = { at: now + HELLO_MS, why: "no hello" };
  }

  /** When `tick` wants to be called. */
  get wakeAt(): number | undefined {
    if (this.#over) return undefined;
    const times = [this.#deadline?.at, this.#beatAt].filter((at) => at !== undefined);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** A frame came. */
  receive(text: string, now: number): Act[] {
    if (this.#over) return [];
    const frame = parse(text);
    if (frame === undefined) return [];
    switch (frame.op) {
      case Op.hello:
        return this.#hello(frame.d, now);
      case Op.ack:
        this.#acked = true;
        return [];
      case Op.heartbeat:
        // A server that asks without an end gets what the budget has, and the beats of our own stay possible.
        return this.#frames.take(now, 10) ? [this.#beat()] : [];
      case Op.reconnect:
        return this.#end({ resume: true, waitMs: 0, why: "the server asks to reconnect" });
      case Op.invalidSession: {
        const resume = frame.d === true;
        if (!resume) this.session = undefined;
        return this.#end({ resume, waitMs: 1_000 + Math.floor(this.#random() * 4_000), why: `invalid session (resumable: ${resume})` });
      }
      case Op.dispatch:
        return this.#dispatch(frame);
      default:
        return [];
    }
  }

  /** `wakeAt` has come. */
  tick(now: number): Act[] {
    if (this.#over) return [];
    if (this.#deadline !== undefined && now >= this.#deadline.at) return this.#end({ resume: true, waitMs: 0, why: this.#deadline.why });
    if (this.#beatAt === undefined || now < this.#beatAt) return [];
    // Nothing answered the last beat: the line is dead though nobody closed it.
    if (!this.#acked) return this.#end({ resume: true, waitMs: 0, why: "no answer to a heartbeat" });
    this.#beatAt = now + this.#interval;
    if (!this.#frames.take(now)) return [];
    this.#acked = false;
    return [this.#beat()];
  }

  #hello(d: unknown, now: number): Act[] {
    const interval = isObject(d) ? d["heartbeat_interval"] : undefined;
    this.#interval = typeof interval === "number" && interval >= 1_000 ? interval : 41_250;
    this.#beatAt = now + Math.floor(this.#interval * this.#random());
    this.#deadline = { at: now + READY_MS, why: "no answer to the sign-in" };
    this.#frames.take(now);
    const { token, intents } = this.#identity;
    if (this.session !== undefined) {
      return [send({ op: Op.resume, d: { token, session_id: this.session.id, seq: this.session.seq } })];
    }
    return [send({ op: Op.identify, d: { token, intents, properties: { os: "kata", browser: "kata-agents", device: "kata-agents" } } })];
  }

  #dispatch({ t, s, d }: Frame): Act[] {
    if (t === undefined || s === undefined) return [];
    if (t === "READY") {
      const [id, resumeUrl] = isObject(d) ? [d["session_id"], d["resume_gateway_url"]] : [];
      if (typeof id === "string" && typeof resumeUrl === "string") this.session = { id, resumeUrl, seq: 0 };
    }
    if (t === "READY" || t === "RESUMED") {
      this.up = true;
      this.#deadline = undefined;
    }
    return [{ do: "dispatch", type: t, data: d, seq: s }];
  }

  #beat(): Act {
    return send({ op: Op.heartbeat, d: this.session === undefined || this.session.seq === 0 ? null : this.session.seq });
  }

  #end(ending: Ending): Act[] {
    this.#over = true;
    return [{ do: "end", ending }];
  }
}

interface Frame {
  op: number;
  d: unknown;
  s: number | undefined;
  t: string | undefined;
}

function parse(text: string): Frame | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (!isObject(value) || typeof value["op"] !== "number") return undefined;
    const { op, d, s, t } = value;
    return { op: Number(op), d, s: typeof s === "number" ? s : undefined, t: typeof t === "string" ? t : undefined };
  } catch {
    return undefined;
  }
}

function send(frame: { op: number; d: unknown }): Act {
  const text = JSON.stringify(frame);
  // Nothing this plugin sends comes near; a token of thousands of characters is no token.
  if (text.length > FRAME_MAX) return { do: "end", ending: { resume: false, waitMs: 60_000, why: "the sign-in is too long: the token is not one of Discord's" } };
  return { do: "send", text };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
