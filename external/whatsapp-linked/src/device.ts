/**
 * The linked device: one connection to WhatsApp by Baileys, kept up with growing waits, and what its end means. Deliberately absent: what
 * is done with messages (`channel.ts`) and how fast (`pace.ts`).
 */

import { type BinaryNode, DisconnectReason, jidNormalizedUser, makeWASocket, type WAMessage, type WASocket } from "baileys";
import type { ILogger } from "baileys/lib/Utils/logger.js";
import { SendFailed } from "./client.ts";
import type { Standing } from "./gateway.ts";
import type { Keys } from "./keys.ts";
import type { Own } from "./read.ts";
import { type Backoff, backoff } from "../../../plugins/sdk/src/sending/backoff.ts";
import { systemClock } from "../../../plugins/sdk/src/sending/clock.ts";

/** Baileys logs what people write; nothing of that is kept. */
const SILENT: ILogger = { level: "silent", child: () => SILENT, trace() {}, debug() {}, info() {}, warn() {}, error() {} };
/** Answers of WhatsApp's server that mean “too much”, as Baileys' users report them. */
const TOO_FAST = new Set(["429", "463"]);
/** Longest wait for WhatsApp's server to take a message. */
const TAKEN_MS = 15_000;

export interface DeviceOptions {
  keys: Keys;
  /** WhatsApp's address where it is another than WhatsApp's own, for peers. */
  url: string | undefined;
  /** Messages that came, those that came while nobody listened among them. */
  onMessages(messages: readonly WAMessage[]): void;
  onStanding(standing: Standing): void;
  /** A code to scan. */
  onCode(code: string): void;
  /** Text of a message that was sent. */
  textOf(id: string): string | undefined;
  log(words: string): void;
}

/** How a connection ended. */
type End = "again" | "at once" | "unlinked" | "replaced" | "forbidden";

export class Device {
  readonly #options: DeviceOptions;
  #socket: WASocket | undefined;
  readonly #waiting = new Map<string, (error: string | undefined) => void>();

  constructor(options: DeviceOptions) {
    this.#options = options;
  }

  get own(): Own | undefined {
    const { me } = this.#options.keys.state.creds;
    if (me === undefined) return undefined;
    const ids = [me.id, me.lid].flatMap((id) => (id ? [jidNormalizedUser(id)] : []));
    return { ids, account: ids[0] ?? "" };
  }

  get connected(): boolean {
    return this.#socket !== undefined;
  }

  /** Stays connected until `signal` is aborted or only a person can mend it. */
  async run(signal: AbortSignal): Promise<void> {
    const { keys, onStanding, log } = this.#options;
    const waits = backoff(Math.random, { firstMs: 1_000, maxMs: 300_000 });
    while (!signal.aborted) {
      const end = await this.#once(signal, waits);
      if (signal.aborted) return;
      if (end === "unlinked") {
        keys.forget();
        onStanding({ kind: "needs_user", code: "unlinked", message: "The device was unlinked. Start the program again and scan a new code." });
        return log("this device was unlinked on the phone; start the program again to link it anew");
      }
      if (end === "replaced") {
        onStanding({ kind: "needs_user", code: "replaced", message: "Another program uses this linked device. End it, then start this one again." });
        return log("another program uses this linked device");
      }
      if (end === "forbidden") {
        onStanding({ kind: "needs_user", code: "banned", message: "WhatsApp refuses this number. Look into WhatsApp on the phone; it may be banned." });
        return log("WhatsApp refuses this number");
      }
      if (end === "at once") continue;
      const wait = waits.next();
      onStanding({ kind: "degraded", code: "unreachable", message: "WhatsApp cannot be reached; it is tried again." });
      await systemClock.sleep(wait, signal);
    }
  }

  /** Sends a text under an id. Resolves when WhatsApp's server has it. */
  async send(jid: string, text: string, id: string): Promise<void> {
    const socket = this.#socket;
    if (socket === undefined) throw new SendFailed("unreachable", "WhatsApp is not connected", { certain: true, retryAfterMs: 5_000 });
    const taken = new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => done("timeout"), TAKEN_MS);
      const done = (error: string | undefined) => {
        clearTimeout(timer);
        this.#waiting.delete(id);
        if (error === undefined) resolve();
        else if (error === "timeout" || error === "closed") reject(new SendFailed("unreachable", "WhatsApp did not say that it has the message", { certain: false }));
        else if (TOO_FAST.has(error)) reject(new SendFailed("rate_limited", `WhatsApp asks to go slower (${error})`, { certain: true, retryAfterMs: 600_000 }));
        else reject(new SendFailed("invalid", `WhatsApp refuses the message (${error})`, { certain: true }));
      };
      this.#waiting.set(id, done);
    });
    // It may fail before anybody waits for it.
    taken.catch(() => {});
    try {
      await socket.sendMessage(jid, { text }, { messageId: id });
    } catch (error) {
      this.#waiting.get(id)?.("closed");
      throw new SendFailed("unreachable", `the message could not be sent: ${error instanceof Error ? error.name : "error"}`, { certain: false });
    }
    await taken;
  }

  /** Shows “is typing”. A wish: it may fail. */
  async typing(jid: string, on: boolean): Promise<void> {
    await this.#socket?.sendPresenceUpdate(on ? "composing" : "paused", jid).catch(() => {});
  }

  async #once(signal: AbortSignal, waits: Backoff): Promise<End> {
    const { keys, url, onMessages, onStanding, onCode, textOf } = this.#options;
    onStanding({ kind: "connecting", code: "", message: "" });
    const socket = makeWASocket({
      auth: keys.state,
      logger: SILENT,
      browser: ["Kata Agents", "Desktop", "1.0"],
      // Seen only while it answers, and the person's phone goes on ringing.
      markOnlineOnConnect: false,
      syncFullHistory: false,
      shouldSyncHistoryMessage: () => false,
      generateHighQualityLinkPreview: false,
      getMessage: (key) => {
        const text = key.id ? textOf(key.id) : undefined;
        return Promise.resolve(text === undefined ? undefined : { conversation: text });
      },
      ...(url === undefined ? {} : { waWebSocketUrl: url }),
    });
    socket.ev.on("creds.update", (change) => keys.update(change));
    socket.ev.on("messages.upsert", ({ messages }) => onMessages(messages));
    socket.ws.on("CB:ack,class:message", ({ attrs }: BinaryNode) => {
      if (attrs["id"] !== undefined) this.#waiting.get(attrs["id"])?.(attrs["error"]);
    });
    const abort = () => void socket.end(undefined);
    signal.addEventListener("abort", abort);
    try {
      return await new Promise<End>((resolve) => {
        socket.ev.on("connection.update", ({ connection, lastDisconnect, qr }) => {
          if (qr !== undefined) {
            onStanding({ kind: "needs_user", code: "scan", message: "Link this device: WhatsApp on the phone, Linked devices, and scan the code this program shows in its terminal." });
            onCode(qr);
          }
          if (connection === "open") {
            waits.reset();
            this.#socket = socket;
            onStanding({ kind: "running", code: "", message: "" });
          }
          if (connection === "close") resolve(endOf(lastDisconnect?.error));
        });
      });
    } finally {
      signal.removeEventListener("abort", abort);
      this.#socket = undefined;
      for (const done of [...this.#waiting.values()]) done("closed");
    }
  }
}

/** What the end of a connection means. */
export function endOf(error: unknown): End {
  const { output } = (error ?? {}) as { output?: { statusCode?: unknown } };
  switch (output?.statusCode) {
    case DisconnectReason.loggedOut:
    case DisconnectReason.multideviceMismatch:
      return "unlinked";
    case DisconnectReason.connectionReplaced:
      return "replaced";
    case DisconnectReason.forbidden:
      return "forbidden";
    // After the code was scanned the server wants a new connection. “Bad session” (500) is also every error without a code of its own: no
    // reason to forget the device.
    case DisconnectReason.restartRequired:
      return "at once";
    default:
      return "again";
  }
}
