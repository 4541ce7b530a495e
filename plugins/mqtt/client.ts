/**
 * One connection to a broker: signs in, subscribes, hands messages over one after the other, acknowledges each once it was handled.
 * Deliberately absent: trying again (index.ts), keeping the time (a planned job of the service pings).
 */

import { connect, type Socket } from "@kata-agents/plugin-sdk";
import * as mqtt from "./packets.ts";

/** Seconds the broker waits for a word of ours, one and a half times. */
export const KEEP_ALIVE = 60;
/** Time a broker has to answer, milliseconds. */
const ANSWER = 20_000;
/** Messages of ours that may wait for their acknowledgement. */
const IN_FLIGHT = 20;

/** Where the broker is. */
export interface Broker {
  hostname: string;
  port: number;
  secure: boolean;
}

/** Reads `mqtt://host:port`. */
export function brokerOf(setting: unknown): Broker | undefined {
  if (typeof setting !== "string" || !URL.canParse(setting)) return undefined;
  const url = new URL(setting);
  const hostname = url.hostname.replace(/^\[|\]$/g, "");
  const port = url.protocol === "mqtt:" ? 1883 : url.protocol === "mqtts:" ? 8883 : undefined;
  if (port === undefined || hostname === "") return undefined;
  return { hostname, port: url.port === "" ? port : Number(url.port), secure: url.protocol === "mqtts:" };
}

/** Why there is no connection. `code`: the host's, or `refused` with what the broker said. */
export class NoConnection extends Error {
  readonly code: string;
  /** Return code of CONNACK (3.2.2.3), where there was one. */
  readonly refusal: number;
  constructor(code: string, message: string, refusal = 0) {
    super(message);
    this.name = "NoConnection";
    this.code = code;
    this.refusal = refusal;
  }
}

const REFUSALS = ["", "it does not speak MQTT 3.1.1", "it does not take the client id", "it is not available", "user name or password is wrong", "it does not let this client in"];

export interface Session {
  client: string;
  username: string | undefined;
  password: string | undefined;
  filters: readonly string[];
  /** Filters of before that are not wanted any more. */
  gone: readonly string[];
  /** Handles a message; it is acknowledged when this resolves, and comes again when it throws. */
  handle(message: mqtt.Message): Promise<void>;
}

export class Client {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #socket: Socket;
  readonly #packets = new mqtt.Reader();
  readonly #waiting = new Map<number, { resolve: () => void; reject: (error: Error) => void }>();
  #queue: mqtt.Packet[] = [];
  #last = 0;
  /** Whether anything has come since the last ping. */
  #heard = true;
  #closed: NoConnection | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#reader = socket.readable.getReader();
    this.#writer = socket.writable.getWriter();
  }

  /** Connects and signs in. Throws `NoConnection`. */
  static async open(broker: Broker, session: Session, signal: AbortSignal): Promise<Client> {
    const socket = connect({ hostname: broker.hostname, port: broker.port }, { secureTransport: broker.secure ? "on" : "off" });
    const client = new Client(socket);
    signal.addEventListener("abort", () => void client.leave(), { once: true });
    try {
      await socket.opened;
      await client.#send(mqtt.connectPacket({ client: session.client, keepAlive: KEEP_ALIVE, username: session.username, password: session.password }));
      const late = setTimeout(() => client.close("timeout", "the broker does not answer"), ANSWER);
      try {
        const answer = await client.#next();
        if (answer.kind !== mqtt.CONNACK) throw new mqtt.Malformed("its first word is another");
        const code = answer.body[1] ?? 0;
        if (code !== 0) throw new NoConnection("refused", `the broker turns us away: ${REFUSALS[code] ?? `code ${code}`}`, code);
      } finally {
        clearTimeout(late);
      }
      if (session.gone.length > 0) await client.#send(mqtt.unsubscribePacket(client.#id(), session.gone));
      if (session.filters.length > 0) await client.#send(mqtt.subscribePacket(client.#id(), session.filters));
      return client;
    } catch (error) {
      const why = client.#closed ?? (error instanceof NoConnection ? error : noConnection(error));
      client.close(why.code, why.message);
      throw why;
    }
  }

  /** Takes what comes until the connection ends; throws why it did. */
  async run(session: Session): Promise<never> {
    try {
      for (;;) {
        const packet = await this.#next();
        if (packet.kind === mqtt.PUBLISH) {
          const message = mqtt.messageOf(packet);
          await session.handle(message);
          if (message.qos === 1) await this.#send(mqtt.pubackPacket(message.id));
        } else if (packet.kind === mqtt.PUBACK) {
          const id = mqtt.idOf(packet.body);
          this.#waiting.get(id)?.resolve();
          this.#waiting.delete(id);
        } else if (packet.kind === mqtt.SUBACK && packet.body.subarray(2).includes(0x80)) {
          const at = packet.body.subarray(2).indexOf(0x80);
          throw new NoConnection("subscription", `the broker refuses the topic filter “${session.filters[at] ?? ""}”`);
        }
      }
    } catch (error) {
      const why = this.#closed ?? (error instanceof NoConnection ? error : noConnection(error));
      this.close(why.code, why.message);
      throw why;
    }
  }

  /** Says that we are there; a broker that has said nothing since the last time is gone. */
  async ping(): Promise<void> {
    if (this.#closed !== undefined) return;
    if (!this.#heard) return this.close("timeout", "the broker has fallen silent");
    this.#heard = false;
    await this.#send(mqtt.pingPacket()).catch((error: unknown) => this.close("closed", noConnection(error).message));
  }

  /** Publishes; with QoS 1 it resolves when the broker has it. */
  async publish(topic: string, payload: Uint8Array, options: { qos: 0 | 1; retain: boolean }): Promise<void> {
    if (this.#closed !== undefined) throw this.#closed;
    if (options.qos === 0) return this.#send(mqtt.publishPacket(topic, payload, { retain: options.retain }));
    if (this.#waiting.size >= IN_FLIGHT) throw new NoConnection("busy", `${IN_FLIGHT} messages wait for the broker already`);
    const id = this.#id();
    const taken = new Promise<void>((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    const late = setTimeout(() => {
      this.#waiting.get(id)?.reject(new NoConnection("timeout", "the broker has not said that it has the message; it may have it all the same"));
      this.#waiting.delete(id);
    }, ANSWER);
    try {
      await Promise.all([this.#send(mqtt.publishPacket(topic, payload, { retain: options.retain, id })), taken]);
    } finally {
      clearTimeout(late);
    }
  }

  /** Ends it in order. */
  async leave(): Promise<void> {
    if (this.#closed !== undefined) return;
    await this.#send(mqtt.disconnectPacket()).catch(() => undefined);
    this.close("closed", "it was ended");
  }

  /** Ends it. */
  close(code: string, message: string): void {
    if (this.#closed !== undefined) return;
    this.#closed = new NoConnection(code, message);
    for (const one of this.#waiting.values()) one.reject(this.#closed);
    this.#waiting.clear();
    void this.#socket.close().catch(() => undefined);
    void this.#reader.cancel().catch(() => undefined);
  }

  #id(): number {
    do {
      this.#last = (this.#last % 65_535) + 1;
    } while (this.#waiting.has(this.#last));
    return this.#last;
  }

  async #send(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    await this.#writer.write(bytes);
  }

  async #next(): Promise<mqtt.Packet> {
    for (;;) {
      const ready = this.#queue.shift();
      if (ready !== undefined) return ready;
      const { value, done } = await this.#reader.read();
      if (this.#closed !== undefined) throw this.#closed;
      if (done) throw new NoConnection("closed", "the broker ended the connection");
      this.#heard = true;
      this.#queue = this.#packets.push(value);
    }
  }
}

function noConnection(error: unknown): NoConnection {
  if (error instanceof NoConnection) return error;
  const code = (error as { code?: unknown } | undefined)?.code;
  const message = error instanceof Error ? error.message : "the connection failed";
  return new NoConnection(error instanceof mqtt.Malformed ? "malformed" : typeof code === "string" ? code : "closed", message);
}
