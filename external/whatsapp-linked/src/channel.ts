/**
 * Between the device and the app: what came is written down, then handed in until the app has it; answers go out slowly, in the order of
 * asking, to conversations that wrote first, under ids that a repetition does not change.
 */

import type { WAMessage } from "baileys";
import { systemClock } from "../../../plugins/sdk/src/sending/clock.ts";
import { partsOf } from "../../../plugins/whatsapp/render.ts";
import type { Device } from "./device.ts";
import { type OutboundMessage, SendFailed } from "./client.ts";
import { Away, type Gateway } from "./gateway.ts";
import type { Ledger } from "./ledger.ts";
import type { Pace } from "./pace.ts";
import { draftOf } from "./read.ts";

/** A send that would wait longer is given back with the time; the app waits thirty seconds for an answer. */
const LONGEST_WAIT_MS = 12_000;
/** How old a message that came while nobody listened may be. */
const OLDEST_MS = 24 * 3600_000;

export interface ChannelOptions {
  ledger: Ledger;
  pace: Pace;
  log(words: string): void;
  now(): number;
}

export class LinkedChannel {
  readonly #options: ChannelOptions;
  #device: Device | undefined;
  #gateway: Gateway | undefined;
  #handing = false;
  /** Sends one after the other: a person writes with two thumbs. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: ChannelOptions) {
    this.#options = options;
  }

  join(device: Device, gateway: Gateway): void {
    this.#device = device;
    this.#gateway = gateway;
  }

  /** Messages of the device. Those to be answered are durable when this returns. */
  came(messages: readonly WAMessage[]): void {
    const own = this.#device?.own;
    if (own === undefined) return;
    const { ledger, now } = this.#options;
    for (const message of messages) {
      const draft = draftOf(message, own);
      // What came while nobody listened comes marked as old; what is older than a day nobody waits for any more.
      if (draft === undefined || (draft.sentAt ?? Number.POSITIVE_INFINITY) < now() - OLDEST_MS) continue;
      ledger.came(draft);
    }
    void this.handIn();
  }

  /** Hands in what waits, the oldest first, until the app is away. */
  async handIn(): Promise<void> {
    if (this.#handing) return;
    this.#handing = true;
    const { ledger, log } = this.#options;
    try {
      for (let [draft] = ledger.waiting(); draft !== undefined && this.#gateway?.open === true; [draft] = ledger.waiting()) {
        const answer = await this.#gateway.inbound(draft);
        ledger.handedIn(draft);
        if (answer.outcome === "refused") log(`a message was refused: ${answer.code}`);
        if (answer.outcome === "invalid") log(`a message does not fit: ${answer.reason}`);
      }
    } catch (error) {
      if (!(error instanceof Away)) throw error;
      log(`a message waits: ${error.message}`);
    } finally {
      this.#handing = false;
    }
  }

  /** Sends an answer of the agent; what is out already is not sent again. */
  send(message: OutboundMessage): Promise<{ messageIds: string[] }> {
    const result = this.#turn.then(() => this.#send(message));
    this.#turn = result.catch(() => {});
    return result;
  }

  async #send({ route, text, idempotencyKey }: OutboundMessage): Promise<{ messageIds: string[] }> {
    const { ledger, now, pace } = this.#options;
    const jid = route.conversation;
    if (!ledger.knows(jid) && !ledger.waiting().some((draft) => draft.conversation === jid)) {
      throw new SendFailed("forbidden", "a linked device answers only: this conversation has not written yet", { certain: true });
    }
    const device = this.#device;
    const ids: string[] = [];
    const parts = partsOf(text);
    for (const [index, part] of parts.entries()) {
      const key = parts.length === 1 ? idempotencyKey : `${idempotencyKey}/${index}`;
      const before = ledger.send(key);
      if (before?.taken !== true) {
        // Of a message whose first part is out nothing is certain any more.
        const nothingOut = index === 0 && before === undefined;
        if (device?.connected !== true) throw new SendFailed("unreachable", "WhatsApp is not connected", { certain: nothingOut, retryAfterMs: 5_000 });
        const paced = pace.take(now(), part.length);
        if ("fullForMs" in paced) throw new SendFailed("rate_limited", "slow on purpose: WhatsApp bans numbers that write like a machine", { certain: nothingOut, retryAfterMs: paced.fullForMs });
        await device.typing(jid, true);
        await systemClock.sleep(Math.min(paced.waitMs, LONGEST_WAIT_MS), new AbortController().signal);
        await device.typing(jid, false);
        const send = ledger.begin(key, jid, part);
        await device.send(jid, part, send.id);
        ledger.taken(send);
      }
      ids.push(`${jid}:${ledger.send(key)?.id ?? ""}`);
    }
    return { messageIds: ids };
  }
}
