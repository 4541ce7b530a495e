/** An IMAP and an SMTP server in memory, over the kit's TCP. They know as much of the protocols as the plugin asks for. */

import type { FakeTcpConnection } from "@kata-agents/plugin-sdk/testing";

export const PASSWORD = "app-password-of-the-test";
const IMAP = 1993;

/** One message in the mailbox. */
interface Stored {
  uid: number;
  raw: string;
  at: number;
  seen: boolean;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

export class MailServers {
  validity = 7;
  password = PASSWORD;
  readonly stored: Stored[] = [];
  /** Messages that were submitted, with their envelopes. */
  readonly submitted: { from: string; to: string; raw: string }[] = [];
  /** What the SMTP server says at the end of a message. */
  verdict = "250 2.0.0 taken";
  /** What it says to a recipient. */
  recipient = "250 2.1.5 fine";
  /** Whether IMAP says that it can IDLE. */
  idle = true;
  /** How often a connection began to idle. */
  idles = 0;
  #next = 1;
  readonly #idling = new Set<FakeTcpConnection>();

  /** Puts a message into the mailbox. */
  deliver(raw: string, at = Date.now()): number {
    const uid = this.#next++;
    this.stored.push({ uid, raw: raw.replace(/\r?\n/g, "\r\n"), at, seen: false });
    for (const one of this.#idling) one.write(`* ${this.stored.length} EXISTS\r\n`);
    return uid;
  }

  /** Numbers begin anew. */
  renew(): void {
    this.validity += 1;
    this.#next = 1;
    for (const one of this.stored) one.uid = this.#next++;
  }

  /** Serves one connection. */
  readonly serve = async (connection: FakeTcpConnection): Promise<void> => (connection.address.port === IMAP ? this.#imap(connection) : this.#smtp(connection));

  async #imap(connection: FakeTcpConnection): Promise<void> {
    const say = (line: string) => connection.write(`${line}\r\n`);
    say("* OK ready");
    for (let line = await connection.line(); line !== undefined; line = await connection.line()) {
      const [, tag = "", command = ""] = /^(\S+) (.*)$/.exec(line) ?? [];
      if (/^CAPABILITY/i.test(command)) say(`* CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR${this.idle ? " IDLE" : ""}`);
      else if (/^AUTHENTICATE PLAIN /i.test(command)) {
        const [, user, password] = atob(command.split(" ")[2] ?? "").split("\u0000");
        if (user !== "bot@kata.example" || password !== this.password) {
          say(`${tag} NO [AUTHENTICATIONFAILED] no`);
          continue;
        }
      } else if (/^SELECT "INBOX"/i.test(command)) {
        say(`* ${this.stored.length} EXISTS`);
        say(`* OK [UIDVALIDITY ${this.validity}] fine`);
        say(`* OK [UIDNEXT ${this.#next}] fine`);
      } else if (/^UID SEARCH/i.test(command)) {
        const from = Number(/UID (\d+):\*/.exec(command)?.[1] ?? 0);
        const found = this.stored.filter((one) => one.uid >= from).map((one) => one.uid);
        // “n:*” always has the last one.
        if (found.length === 0 && this.stored.length > 0) found.push(this.stored.at(-1)?.uid ?? 0);
        say(`* SEARCH ${found.join(" ")}`.trim());
      } else if (/^UID FETCH/i.test(command)) this.#fetch(connection, command);
      else if (/^UID STORE (\d+)/i.test(command)) {
        const one = this.stored.find((message) => message.uid === Number(/\d+/.exec(command)?.[0]));
        if (one !== undefined) one.seen = true;
      } else if (/^IDLE/i.test(command)) {
        this.idles += 1;
        this.#idling.add(connection);
        say("+ idling");
        await connection.line();
        this.#idling.delete(connection);
      } else if (/^LOGOUT/i.test(command)) {
        say("* BYE");
        say(`${tag} OK bye`);
        return connection.end();
      } else if (!/^NOOP/i.test(command)) {
        say(`${tag} BAD unknown`);
        continue;
      }
      say(`${tag} OK done`);
    }
    this.#idling.delete(connection);
  }

  #fetch(connection: FakeTcpConnection, command: string): void {
    const [, list = "", items = ""] = /^UID FETCH (\S+) \((.*)\)$/i.exec(command) ?? [];
    for (const uid of list.split(",").map(Number)) {
      const index = this.stored.findIndex((one) => one.uid === uid);
      const one = this.stored[index];
      if (one === undefined) continue;
      const [head = "", body = ""] = [one.raw.slice(0, one.raw.indexOf("\r\n\r\n") + 4), one.raw.slice(one.raw.indexOf("\r\n\r\n") + 4)];
      const at = new Date(one.at);
      const date = `${String(at.getUTCDate()).padStart(2, " ")}-${MONTHS[at.getUTCMonth()]}-${at.getUTCFullYear()} ${at.toISOString().slice(11, 19)} +0000`;
      const parts = [`UID ${uid}`];
      if (items.includes("INTERNALDATE")) parts.push(`INTERNALDATE "${date}"`);
      if (items.includes("BODYSTRUCTURE")) parts.push(`BODYSTRUCTURE ("TEXT" "PLAIN" ("CHARSET" "utf-8") NIL NIL "8BIT" ${body.length} 1 NIL NIL NIL NIL)`);
      if (items.includes("[HEADER]")) parts.push(`BODY[HEADER] {${head.length}}\r\n${head}`);
      if (items.includes("[1]")) parts.push(`BODY[1]<0> {${new TextEncoder().encode(body).length}}\r\n${body}`);
      connection.write(`* ${index + 1} FETCH (${parts.join(" ")})\r\n`);
    }
  }

  async #smtp(connection: FakeTcpConnection): Promise<void> {
    const say = (line: string) => connection.write(`${line}\r\n`);
    say("220 ready");
    const envelope = { from: "", to: "" };
    for (let line = await connection.line(); line !== undefined; line = await connection.line()) {
      if (/^EHLO/i.test(line)) say("250-here\r\n250 AUTH PLAIN LOGIN");
      else if (/^AUTH PLAIN /i.test(line)) say(atob(line.slice(11)).split("\u0000")[2] === this.password ? "235 welcome" : "535 5.7.8 no");
      else if (/^MAIL FROM:/i.test(line)) {
        envelope.from = /<(.*)>/.exec(line)?.[1] ?? "";
        say("250 fine");
      } else if (/^RCPT TO:/i.test(line)) {
        envelope.to = /<(.*)>/.exec(line)?.[1] ?? "";
        say(this.recipient);
      } else if (/^DATA/i.test(line)) {
        say("354 go");
        const lines: string[] = [];
        for (let one = await connection.line(); one !== undefined && one !== "."; one = await connection.line()) lines.push(one.startsWith(".") ? one.slice(1) : one);
        if (this.verdict.startsWith("250")) this.submitted.push({ ...envelope, raw: lines.join("\r\n") });
        say(this.verdict);
      } else if (/^QUIT/i.test(line)) {
        say("221 bye");
        return connection.end();
      } else say("502 what?");
    }
  }
}

/** Settings under which the plugin finds them. */
export const CONFIG = {
  imapUrl: `imaps://mail.kata.example:${IMAP}`,
  smtpUrl: "smtps://mail.kata.example:1465",
  address: "bot@kata.example",
  user: "",
  fromName: "Kata",
  mailbox: "INBOX",
  senderCheck: "authenticated",
  authServer: "mx.kata.example",
  markSeen: true,
};

/** A message from Ann, believed by the server. */
export function fromAnn(id: string, text: string, more = ""): string {
  return `Authentication-Results: mx.kata.example; dmarc=pass header.from=ann.example\nFrom: Ann Lee <ann@ann.example>\nTo: bot@kata.example\nMessage-ID: <${id}>\n${more}\n${text}`;
}
