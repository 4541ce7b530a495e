/** A broker for tests: speaks as much MQTT 3.1.1 as a client of QoS 1 hears, and is strict about what it is told. */

import type { FakeTcpConnection, TcpAnswer } from "@kata-agents/plugin-sdk/testing";

interface Sent {
  topic: string;
  payload: string;
  qos: number;
  retain: boolean;
}

export class Broker {
  /** Return code of the next CONNACK. */
  refuse = 0;
  /** Whether subscriptions are refused. */
  refuseTopics = false;
  /** Whether nothing is answered. */
  silent = false;
  /** Whether what is published is not acknowledged. */
  deaf = false;
  connections = 0;
  readonly connects: { client: string; username: string | undefined; password: string | undefined; clean: boolean; keepAlive: number }[] = [];
  readonly subscribed: string[] = [];
  readonly unsubscribed: string[] = [];
  readonly published: Sent[] = [];
  readonly acknowledged: number[] = [];
  pings = 0;
  #open: FakeTcpConnection | undefined;

  readonly answer: TcpAnswer = async (connection) => {
    this.connections += 1;
    this.#open = connection;
    for (;;) {
      const head = await connection.read(1);
      if (head === undefined) return;
      let [length, shift] = [0, 1];
      for (;;) {
        const byte = (await connection.read(1))?.[0];
        if (byte === undefined) return;
        length += (byte & 0x7f) * shift;
        shift *= 128;
        if (byte < 0x80) break;
      }
      const body = length === 0 ? new Uint8Array() : await connection.read(length);
      if (body === undefined) return;
      this.#take(connection, head[0] ?? 0, body);
    }
  };

  #take(connection: FakeTcpConnection, head: number, body: Uint8Array): void {
    const say = (...bytes: number[]) => {
      if (!this.silent) connection.write(Uint8Array.from(bytes));
    };
    let at = 0;
    const two = () => ((body[at++] ?? 0) << 8) | (body[at++] ?? 0);
    const text = () => {
      const length = two();
      at += length;
      return new TextDecoder().decode(body.slice(at - length, at));
    };
    switch (head >> 4) {
      case 1: {
        if (text() !== "MQTT" || body[at++] !== 4) throw new Error("no MQTT 3.1.1");
        const flags = body[at++] ?? 0;
        const keepAlive = two();
        const client = text();
        const username = (flags & 0x80) === 0 ? undefined : text();
        const password = (flags & 0x40) === 0 ? undefined : text();
        this.connects.push({ client, username, password, clean: (flags & 2) === 2, keepAlive });
        say(0x20, 2, 0, this.refuse);
        if (this.refuse !== 0) connection.end();
        return;
      }
      case 3: {
        const topic = text();
        const qos = (head >> 1) & 3;
        const id = qos === 0 ? 0 : two();
        this.published.push({ topic, payload: new TextDecoder().decode(body.slice(at)), qos, retain: (head & 1) === 1 });
        if (qos === 1 && !this.deaf) say(0x40, 2, id >> 8, id & 255);
        return;
      }
      case 4:
        this.acknowledged.push(two());
        return;
      case 8: {
        if ((head & 15) !== 2) throw new Error("SUBSCRIBE has flags 2");
        const id = two();
        const codes: number[] = [];
        while (at < body.length) {
          this.subscribed.push(text());
          codes.push(this.refuseTopics ? 0x80 : (body[at] ?? 0));
          at += 1;
        }
        say(0x90, 2 + codes.length, id >> 8, id & 255, ...codes);
        return;
      }
      case 10: {
        const id = two();
        while (at < body.length) this.unsubscribed.push(text());
        say(0xb0, 2, id >> 8, id & 255);
        return;
      }
      case 12:
        this.pings += 1;
        say(0xd0, 0);
        return;
      case 14:
        connection.end();
        return;
      default:
        throw new Error(`packet ${head >> 4} is not for a broker`);
    }
  }

  /** Sends a message to the client. */
  send(topic: string, payload: string | Uint8Array, { qos = 1, id = 1, dup = false, retain = false } = {}): void {
    const name = new TextEncoder().encode(topic);
    const said = typeof payload === "string" ? new TextEncoder().encode(payload) : payload;
    const parts = [name.length >> 8, name.length & 255, ...name, ...(qos === 0 ? [] : [id >> 8, id & 255])];
    let left = parts.length + said.length;
    const length: number[] = [];
    do {
      length.push((left % 128) | (left >= 128 ? 0x80 : 0));
      left = Math.floor(left / 128);
    } while (left > 0);
    const all = new Uint8Array(1 + length.length + parts.length + said.length);
    all.set([0x30 | (dup ? 8 : 0) | (qos << 1) | (retain ? 1 : 0), ...length, ...parts]);
    all.set(said, 1 + length.length + parts.length);
    this.#open?.write(all);
  }

  /** The connection breaks. */
  drop(): void {
    this.#open?.drop();
  }
}
