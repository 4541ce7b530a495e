/**
 * One Socket Mode connection: its greeting, its envelopes, its end. It answers nothing by itself. Pings are the host's: a
 * plugin sees none, and a line on which the other side is silent ends by itself (`close` with 1006).
 *
 * Source: docs.slack.dev/apis/events-api/using-socket-mode.
 */

import { type Fields, fields, number, text, textAt } from "./json.ts";

/** How long Slack may take to say hello. */
const HELLO_MS = 10_000;

/** What Slack says when a line stands. */
export interface Hello {
  /** Lines that the app has open, this one among them. */
  connections: number | undefined;
  /** How long it will stand, in milliseconds. */
  lastsMs: number | undefined;
  app: string | undefined;
}

/** Why a line is over, or about to be. */
export type Over =
  /** Slack asks for a new one; this one still works for a few seconds. */
  | { kind: "refresh" }
  /** Socket Mode was switched off for the app. */
  | { kind: "disabled" }
  /** It broke off, or Slack said goodbye without a word before. */
  | { kind: "closed"; why: string };

export interface LineHandler {
  envelope(envelope: Fields, line: Line): void;
}

export class Line {
  /** Resolves with the greeting; rejects when none comes. */
  readonly hello: Promise<Hello>;
  /** Resolves once, when it is over or about to be. Never rejects. */
  readonly over: Promise<Over>;
  readonly #socket: WebSocket;
  #settleOver: (over: Over) => void = () => {};

  constructor(url: string, handler: LineHandler) {
    this.over = new Promise((resolve) => (this.#settleOver = resolve));
    const socket = new WebSocket(url);
    this.#socket = socket;
    this.hello = new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        reject(new Error("Slack opened a socket and did not say hello"));
        this.close();
      }, HELLO_MS);
      let trouble = "";
      socket.onmessage = (event: MessageEvent) => {
        const frame = parse(event.data);
        if (frame?.["type"] === "hello") {
          clearTimeout(late);
          resolve(helloOf(frame));
        } else if (frame?.["type"] === "disconnect") this.#settleOver(overOf(text(frame["reason"]) ?? ""));
        else if (frame !== undefined && text(frame["envelope_id"]) !== undefined) handler.envelope(frame, this);
      };
      socket.onerror = (event: Event) => {
        trouble = textAt(event, "message") ?? (event as ErrorEvent).message ?? "";
      };
      socket.onclose = (event: CloseEvent) => {
        clearTimeout(late);
        const why = trouble || `the socket was closed with ${event.code}`;
        reject(new Error(why));
        this.#settleOver({ kind: "closed", why });
      };
    });
    this.hello.catch(() => undefined);
  }

  get open(): boolean {
    return this.#socket.readyState === 1;
  }

  /** Tells Slack that an envelope was taken; `payload` is what the person who wrote the command sees. */
  ack(envelope: string, payload?: Fields): void {
    if (!this.open) return;
    try {
      this.#socket.send(JSON.stringify(payload === undefined ? { envelope_id: envelope } : { envelope_id: envelope, payload }));
    } catch {
      // Nothing leaves any more: Slack gives it again, on another line.
    }
  }

  /** It has stood long enough: time for the next one. */
  expire(): void {
    this.#settleOver({ kind: "refresh" });
  }

  close(): void {
    this.#socket.close(1000);
  }
}

function parse(data: unknown): Fields | undefined {
  if (typeof data !== "string") return undefined;
  try {
    return fields(JSON.parse(data));
  } catch {
    return undefined;
  }
}

function helloOf(frame: Fields): Hello {
  const seconds = number(fields(frame["debug_info"])?.["approximate_connection_time"]);
  return { connections: number(frame["num_connections"]), lastsMs: seconds === undefined ? undefined : seconds * 1000, app: textAt(frame, "connection_info", "app_id") };
}

function overOf(reason: string): Over {
  if (reason === "link_disabled") return { kind: "disabled" };
  // `too_many_websockets` closes this line for another of the same app: a new one is as good as after any other end.
  return reason === "warning" || reason === "refresh_requested" ? { kind: "refresh" } : { kind: "closed", why: `Slack closed the socket: ${reason || "no reason"}` };
}
