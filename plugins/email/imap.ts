/**
 * The part of IMAP4rev1 (RFC 3501) a reader needs, with IDLE (RFC 2177) and SASL-IR (RFC 4959) where the server has them. One
 * command at a time. Knows nothing of mail; what is done with what it fetches is told in `watch.ts`.
 */

import { toBase64, utf8 } from "@kata-agents/plugin-sdk/mail";
import { type Server, Wire, WireError } from "./wire.ts";

/** A value of a response: an atom or string, NIL, or a list. */
export type Value = string | null | Value[];

/** The server said NO or BAD. The text is the server's; it may be shown. */
export class ImapError extends Error {
  /** Response code such as `AUTHENTICATIONFAILED`, where there is one. */
  readonly code: string;
  constructor(what: string, text: string) {
    super(`${what}: ${text.slice(0, 200)}`);
    this.name = "ImapError";
    this.code = /^(?:NO|BAD) \[([A-Z-]+)/.exec(text)?.[1] ?? "";
  }
}

/** One mailbox, opened. */
export interface Opened {
  /** Numbers mean something else when it changes. */
  validity: string;
  /** The next message's number, where the server says it. */
  next: number | undefined;
}

/** What a FETCH gave, by item in upper case. */
export type Fetched = ReadonlyMap<string, Value>;

const ANSWER_MS = 60_000;
/** Most bytes of one literal. */
const LONGEST_LITERAL = 24 * 1024 * 1024;

/** Takes a response apart. Literals stand in it as `{n}` followed by `\r\n` and the bytes. */
export function parseValues(text: string): Value[] {
  let at = 0;
  const list = (depth: number): Value[] => {
    const values: Value[] = [];
    for (;;) {
      while (text[at] === " ") at += 1;
      const char = text[at];
      if (char === undefined) return values;
      if (char === ")") {
        at += 1;
        return values;
      }
      if (char === "(") {
        if (depth > 40) throw new WireError("closed", "the server's answer is nested too deep");
        at += 1;
        values.push(list(depth + 1));
      } else if (char === '"') {
        const match = /"((?:[^"\\]|\\[^])*)"/y;
        match.lastIndex = at;
        const found = match.exec(text);
        if (found === null) throw new WireError("closed", "the server's answer has an open string");
        at = match.lastIndex;
        values.push((found[1] ?? "").replace(/\\([^])/g, "$1"));
      } else if (char === "{") {
        const match = /\{(\d+)\+?\}\r\n/y;
        match.lastIndex = at;
        const found = match.exec(text);
        if (found === null) throw new WireError("closed", "the server's answer has a broken literal");
        const from = match.lastIndex;
        at = from + Number(found[1]);
        values.push(text.slice(from, at));
      } else {
        // An atom; one with brackets, as BODY[1.2]<0>, goes to its closing one.
        const match = /(?:\[[^\]]*\]|[^\s()"{\[])+|[^\s]/y;
        match.lastIndex = at;
        const found = match.exec(text)?.[0] ?? char;
        at += found.length;
        values.push(/^NIL$/i.test(found) ? null : found);
      }
    }
  };
  return list(0);
}

export class Imap {
  readonly #wire: Wire;
  #tag = 0;
  /** Abilities, in upper case. */
  #can = new Set<string>();
  /** What came unasked since the last command: EXISTS and EXPUNGE, say. */
  news = false;

  private constructor(wire: Wire) {
    this.#wire = wire;
  }

  /** Connects and signs in. */
  static async open(server: Server, user: string, password: string, signal: AbortSignal): Promise<Imap> {
    const wire = await Wire.open(server, signal);
    const imap = new Imap(wire);
    try {
      const greeting = await wire.line(ANSWER_MS);
      if (!/^\* (OK|PREAUTH)\b/i.test(greeting)) throw new WireError("closed", "the server does not greet as an IMAP server");
      await imap.#ask();
      if (server.secure === "starttls") {
        if (imap.#can.has("STARTTLS")) {
          await imap.command("STARTTLS");
          await wire.startTls();
          await imap.#ask();
        } else if (server.mustSecure) throw new WireError("tls", "the server has no STARTTLS; use imaps://");
      }
      await imap.#signIn(user, password);
      await imap.#ask();
      return imap;
    } catch (error) {
      wire.close();
      throw error;
    }
  }

  /** Whether the server tells of news by itself. */
  get canIdle(): boolean {
    return this.#can.has("IDLE");
  }

  async #ask(): Promise<void> {
    this.#can = new Set();
    await this.command("CAPABILITY", (line) => {
      const match = /^\* CAPABILITY (.*)$/i.exec(line);
      for (const word of match?.[1]?.split(" ") ?? []) this.#can.add(word.toUpperCase());
    });
  }

  async #signIn(user: string, password: string): Promise<void> {
    if (this.#can.has("AUTH=PLAIN")) {
      const secret = toBase64(utf8(`\u0000${user}\u0000${password}`));
      if (this.#can.has("SASL-IR")) return this.command(`AUTHENTICATE PLAIN ${secret}`, undefined, "sign-in");
      return this.command("AUTHENTICATE PLAIN", undefined, "sign-in", secret);
    }
    if (this.#can.has("LOGINDISABLED")) throw new ImapError("sign-in", "NO the server offers no way to sign in that this plugin knows");
    return this.command(`LOGIN ${quoted(user)} ${quoted(password)}`, undefined, "sign-in");
  }

  /** Opens a mailbox. */
  async select(mailbox: string): Promise<Opened> {
    let validity = "";
    let next: number | undefined;
    await this.command(`SELECT ${quoted(utf7(mailbox))}`, (line) => {
      validity = /\[UIDVALIDITY (\d+)\]/i.exec(line)?.[1] ?? validity;
      const number = /\[UIDNEXT (\d+)\]/i.exec(line)?.[1];
      if (number !== undefined) next = Number(number);
    });
    this.news = false;
    return { validity, next };
  }

  /** Numbers of messages, growing. */
  async search(criteria: string): Promise<number[]> {
    const found: number[] = [];
    await this.command(`UID SEARCH ${criteria}`, (line) => {
      if (/^\* SEARCH\b/i.test(line)) for (const one of line.slice(8).trim().split(/\s+/)) if (/^\d+$/.test(one)) found.push(Number(one));
    });
    return found.sort((a, b) => a - b);
  }

  /** Fetches items of messages, by number. */
  async fetch(uids: readonly number[], items: string): Promise<Map<number, Fetched>> {
    const found = new Map<number, Fetched>();
    if (uids.length === 0) return found;
    await this.command(`UID FETCH ${uids.join(",")} (UID ${items})`, (line) => {
      const match = /^\* \d+ FETCH \(/i.exec(line);
      if (match === null) return;
      const [values] = parseValues(line.slice(match[0].length - 1));
      if (!Array.isArray(values)) return;
      const fields = new Map<string, Value>();
      for (let at = 0; at + 1 < values.length; at += 2) {
        const name = values[at];
        if (typeof name === "string") fields.set(name.toUpperCase().replace(/<\d+>$/, ""), values[at + 1] ?? null);
      }
      const uid = fields.get("UID");
      if (typeof uid === "string") found.set(Number(uid), fields);
    });
    return found;
  }

  /** Marks a message as read. */
  async seen(uid: number): Promise<void> {
    await this.command(`UID STORE ${uid} +FLAGS.SILENT (\\Seen)`);
  }

  /** Waits for news, at most `ms`; whether there are any. With a server that has no IDLE it asks in between. */
  async idle(ms: number): Promise<boolean> {
    if (this.news) return this.#taken();
    const tag = this.#next();
    await this.#wire.write(`${tag} IDLE\r\n`);
    const first = await this.#wire.line(ANSWER_MS);
    if (!first.startsWith("+")) {
      this.#note(first);
      if (first.startsWith(`${tag} `)) throw new ImapError("IDLE", first.slice(tag.length + 1));
    }
    const until = Date.now() + ms;
    while (!this.news && (await this.#wire.waits(until - Date.now()))) this.#note(await this.#wire.line(ANSWER_MS));
    await this.#wire.write("DONE\r\n");
    // A connection that is half-open ends here: nobody answers.
    for (;;) {
      const line = await this.#wire.line(ANSWER_MS);
      if (line.startsWith(`${tag} `)) break;
      this.#note(line);
    }
    return this.#taken();
  }

  /** Asks whether there are news. */
  async noop(): Promise<boolean> {
    await this.command("NOOP");
    return this.#taken();
  }

  /** Says goodbye. */
  async logout(): Promise<void> {
    await this.command("LOGOUT", undefined, "LOGOUT", undefined, 5_000).catch(() => undefined);
    this.#wire.close();
  }

  close(): void {
    this.#wire.close();
  }

  #taken(): boolean {
    const { news } = this;
    this.news = false;
    return news;
  }
  #next(): string {
    this.#tag += 1;
    return `k${this.#tag}`;
  }
  #note(line: string): void {
    if (/^\* \d+ (EXISTS|RECENT)\b/i.test(line)) this.news = true;
    if (/^\* BYE\b/i.test(line)) throw new WireError("closed", "the server said goodbye");
  }

  /** One command to its end. `what` stands for it in errors, because it may hold a password. */
  async command(text: string, take?: (line: string) => void, what?: string, more?: string, timeoutMs = ANSWER_MS): Promise<void> {
    const tag = this.#next();
    const name = what ?? text.split(" ").slice(0, 2).join(" ");
    await this.#wire.write(`${tag} ${text}\r\n`);
    for (;;) {
      let line = await this.#wire.line(timeoutMs);
      for (let literal = /\{(\d+)\+?\}$/.exec(line); literal !== null; literal = /\{(\d+)\+?\}$/.exec(line)) {
        const length = Number(literal[1]);
        if (length > LONGEST_LITERAL) throw new WireError("closed", "the server's answer is too long");
        line += `\r\n${await this.#wire.bytes(length, timeoutMs * 2)}`;
        // What follows the bytes is the rest of the line; only it may end in another literal.
        const rest = await this.#wire.line(timeoutMs);
        if (!/\{(\d+)\+?\}$/.test(rest)) {
          line += rest;
          break;
        }
        line += rest;
      }
      if (line.startsWith(`${tag} `)) {
        const answer = line.slice(tag.length + 1);
        if (/^OK\b/i.test(answer)) {
          take?.(line);
          return;
        }
        throw new ImapError(name, answer);
      }
      if (line.startsWith("+")) {
        if (more === undefined) throw new WireError("closed", "the server waits for something that was not offered");
        await this.#wire.write(`${more}\r\n`);
        continue;
      }
      if (!/^LOGOUT/.test(text)) this.#note(line);
      take?.(line);
    }
  }
}

/** A quoted string; what cannot stand in one is refused, because it would begin another command. */
export function quoted(text: string): string {
  if (/[\r\n\u0000]/.test(text)) throw new ImapError("IMAP", "BAD a name or password has a line end in it");
  const raw = Array.from(utf8(text), (byte) => String.fromCharCode(byte)).join("");
  return `"${raw.replace(/["\\]/g, "\\$&")}"`;
}

/** Mailbox names are in modified UTF-7 (RFC 3501, 5.1.3). */
export function utf7(name: string): string {
  return name.replace(/&|[^\x20-\x7e]+/g, (part) => {
    if (part === "&") return "&-";
    const units = Array.from({ length: part.length }, (_, at) => part.charCodeAt(at));
    const bytes = Uint8Array.from(units.flatMap((unit) => [unit >> 8, unit & 255]));
    return `&${toBase64(bytes).replace(/=+$/, "").replaceAll("/", ",")}-`;
  });
}
