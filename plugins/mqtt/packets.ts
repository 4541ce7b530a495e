/** Packets of MQTT 3.1.1 (OASIS Standard, 29 October 2014), as far as a client of QoS 0 and 1 needs them. */

/** Bytes of one packet that are kept; of a larger one the rest is thrown away as it comes. */
export const MOST = 256 * 1024;
/** Longest topic, bytes (1.5.3). */
const MAX_TOPIC = 65_535;

export const CONNACK = 2;
export const PUBLISH = 3;
export const PUBACK = 4;
export const SUBACK = 9;
export const UNSUBACK = 11;
export const PINGRESP = 13;

/** A packet as it came. */
export interface Packet {
  kind: number;
  flags: number;
  body: Uint8Array<ArrayBuffer>;
  /** Bytes it has in all, where that is more than were kept. */
  whole: number;
}

/** A message. */
export interface Message {
  topic: string;
  payload: Uint8Array<ArrayBuffer>;
  qos: 0 | 1 | 2;
  retain: boolean;
  /** The broker may have sent it before. */
  dup: boolean;
  id: number;
  /** Its payload is longer than what was kept. */
  cut: boolean;
}

/** What is no MQTT. */
export class Malformed extends Error {
  constructor(message: string) {
    super(`the broker does not speak MQTT 3.1.1: ${message}`);
    this.name = "Malformed";
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

const two = (n: number): Uint8Array => Uint8Array.of(n >> 8, n & 0xff);

function text(value: string): Uint8Array {
  const bytes = new TextEncoder().encode(value);
  if (bytes.length > MAX_TOPIC) throw new TypeError(`a text of MQTT has at most ${MAX_TOPIC} bytes`);
  return joined([two(bytes.length), bytes]);
}

function packet(kind: number, flags: number, ...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const body = joined(parts);
  const length: number[] = [];
  let left = body.length;
  do {
    length.push((left % 128) | (left >= 128 ? 0x80 : 0));
    left = Math.floor(left / 128);
  } while (left > 0);
  return joined([Uint8Array.of((kind << 4) | flags), Uint8Array.from(length), body]);
}

/** CONNECT (3.1) that takes up the session before: what came meanwhile is delivered. */
export function connectPacket(options: { client: string; keepAlive: number; username?: string | undefined; password?: string | undefined }): Uint8Array<ArrayBuffer> {
  const { client, keepAlive, username, password } = options;
  const flags = (username === undefined ? 0 : 0x80) | (username === undefined || password === undefined ? 0 : 0x40);
  const parts = [text("MQTT"), Uint8Array.of(4, flags), two(keepAlive), text(client)];
  if (username !== undefined) parts.push(text(username));
  if (username !== undefined && password !== undefined) parts.push(text(password));
  return packet(1, 0, ...parts);
}

/** PUBLISH (3.3). `id` is for QoS 1. */
export const publishPacket = (topic: string, payload: Uint8Array, options: { retain: boolean; id?: number | undefined; dup?: boolean }): Uint8Array<ArrayBuffer> =>
  packet(PUBLISH, (options.dup === true ? 8 : 0) | (options.id === undefined ? 0 : 2) | (options.retain ? 1 : 0), text(topic), ...(options.id === undefined ? [] : [two(options.id)]), payload);

export const pubackPacket = (id: number): Uint8Array<ArrayBuffer> => packet(PUBACK, 0, two(id));
/** SUBSCRIBE (3.8), QoS 1. */
export const subscribePacket = (id: number, filters: readonly string[]): Uint8Array<ArrayBuffer> => packet(8, 2, two(id), ...filters.flatMap((one) => [text(one), Uint8Array.of(1)]));
export const unsubscribePacket = (id: number, filters: readonly string[]): Uint8Array<ArrayBuffer> => packet(10, 2, two(id), ...filters.map(text));
export const pingPacket = (): Uint8Array<ArrayBuffer> => packet(12, 0);
export const disconnectPacket = (): Uint8Array<ArrayBuffer> => packet(14, 0);

/** The number at the beginning of a packet's body. */
export function idOf(body: Uint8Array, at = 0): number {
  const [high, low] = [body[at], body[at + 1]];
  if (high === undefined || low === undefined) throw new Malformed("a packet is too short");
  return high * 256 + low;
}

/** Reads PUBLISH. */
export function messageOf({ flags, body, whole }: Packet): Message {
  const length = idOf(body);
  const qos = (flags >> 1) & 3;
  if (qos === 3) throw new Malformed("there is no QoS 3");
  const after = 2 + length + (qos === 0 ? 0 : 2);
  if (body.length < after) throw new Malformed("a message is too short");
  return {
    topic: new TextDecoder().decode(body.subarray(2, 2 + length)),
    payload: body.slice(after),
    qos: qos as 0 | 1 | 2,
    retain: (flags & 1) === 1,
    dup: (flags & 8) === 8,
    id: qos === 0 ? 0 : idOf(body, 2 + length),
    cut: whole > body.length,
  };
}

/** Takes packets out of bytes as they come. */
export class Reader {
  #have = new Uint8Array();
  /** Bytes of a packet that was too large and are still to come. */
  #drop = 0;

  /** The packets that are whole with these bytes. */
  push(bytes: Uint8Array): Packet[] {
    const packets: Packet[] = [];
    const dropped = Math.min(this.#drop, bytes.length);
    this.#drop -= dropped;
    this.#have = joined([this.#have, bytes.subarray(dropped)]);
    for (;;) {
      const head = this.#head();
      if (head === undefined) return packets;
      const { kind, flags, from, length } = head;
      const kept = Math.min(length, MOST);
      if (this.#have.length < from + kept) return packets;
      packets.push({ kind, flags, body: this.#have.slice(from, from + kept), whole: length });
      const past = Math.min(this.#have.length, from + length);
      this.#drop = from + length - past;
      this.#have = this.#have.slice(past);
    }
  }

  /** The fixed header (2.2), once it is whole. */
  #head(): { kind: number; flags: number; from: number; length: number } | undefined {
    const first = this.#have[0];
    let [length, shift] = [0, 1];
    for (let at = 1; at <= 4; at += 1) {
      const byte = this.#have[at];
      if (byte === undefined || first === undefined) return undefined;
      length += (byte & 0x7f) * shift;
      shift *= 128;
      if (byte < 0x80) return { kind: first >> 4, flags: first & 15, from: at + 1, length };
    }
    throw new Malformed("a length has more than four bytes");
  }
}

/** Whether a topic fits a filter (4.7): `+` is one level, `#` all below, and neither takes in `$SYS` and its like. */
export function fits(filter: string, topic: string): boolean {
  const [wanted, levels] = [filter.split("/"), topic.split("/")];
  if (topic.startsWith("$") && (wanted[0] === "+" || wanted[0] === "#")) return false;
  for (let at = 0; at < wanted.length; at += 1) {
    if (wanted[at] === "#") return true;
    if (at >= levels.length || (wanted[at] !== "+" && wanted[at] !== levels[at])) return false;
  }
  return wanted.length === levels.length;
}

/** Whether it is a filter: wildcards stand alone in their level, `#` at the end. */
export const isFilter = (filter: string): boolean =>
  filter !== "" && !filter.includes("\u0000") && filter.split("/").every((level, at, all) => level === "+" || (level === "#" && at === all.length - 1) || !/[+#]/.test(level));

/** Whether one can publish to it. */
export const isTopic = (topic: string): boolean => topic !== "" && topic.length <= 1_000 && !/[+#\u0000]/.test(topic);
