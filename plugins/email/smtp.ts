/** Submission of one message (RFC 5321, RFC 6409): EHLO, STARTTLS, AUTH, DATA. Says for each failure whether the message may be out. */

import { fromBase64, rawOf, toBase64, utf8 } from "@kata-agents/plugin-sdk/mail";
import { type Server, Wire, WireError } from "./wire.ts";

const ANSWER_MS = 60_000;

/** The server refused. `stage` says where; at `body` and after it the message may be out. */
export class SmtpError extends Error {
  readonly status: number;
  readonly stage: "greeting" | "sign-in" | "sender" | "recipient" | "body";
  constructor(stage: SmtpError["stage"], status: number, text: string) {
    super(`${stage}: ${status} ${text.replace(/\s+/g, " ").slice(0, 160)}`);
    this.name = "SmtpError";
    this.status = status;
    this.stage = stage;
  }
}

/** The connection failed; `sent` whether the whole message had gone out by then. */
export class SmtpBroken extends Error {
  readonly code: string;
  readonly sent: boolean;
  constructor(error: unknown, sent: boolean) {
    super(error instanceof Error ? error.message : "the connection failed");
    this.name = "SmtpBroken";
    this.code = error instanceof WireError ? error.code : "closed";
    this.sent = sent;
  }
}

/** Who sends to whom. */
export interface Envelope {
  from: string;
  to: string;
}

interface Reply {
  status: number;
  lines: string[];
}

class Session {
  readonly #wire: Wire;
  constructor(wire: Wire) {
    this.#wire = wire;
  }

  async reply(timeoutMs = ANSWER_MS): Promise<Reply> {
    const lines: string[] = [];
    for (;;) {
      const line = await this.#wire.line(timeoutMs);
      const match = /^(\d{3})([ -]?)(.*)$/.exec(line);
      if (match === null || lines.length > 100) throw new WireError("closed", "the server does not speak SMTP");
      lines.push(match[3] ?? "");
      if (match[2] !== "-") return { status: Number(match[1]), lines };
    }
  }

  async ask(text: string, stage: SmtpError["stage"], good: readonly number[]): Promise<Reply> {
    await this.#wire.write(`${text}\r\n`);
    return this.expect(stage, good);
  }

  async expect(stage: SmtpError["stage"], good: readonly number[], timeoutMs = ANSWER_MS): Promise<Reply> {
    const reply = await this.reply(timeoutMs);
    if (!good.includes(reply.status)) throw new SmtpError(stage, reply.status, reply.lines.join(" "));
    return reply;
  }

  async hello(): Promise<Map<string, string>> {
    const { lines } = await this.ask("EHLO kata.invalid", "greeting", [250]);
    return new Map(lines.slice(1).map((line) => [line.split(" ")[0]?.toUpperCase() ?? "", line.toUpperCase()]));
  }

  async signIn(offer: string, user: string, password: string): Promise<void> {
    const ways = offer.split(/[ =]/);
    if (ways.includes("PLAIN")) {
      await this.ask(`AUTH PLAIN ${toBase64(utf8(`\u0000${user}\u0000${password}`))}`, "sign-in", [235]);
      return;
    }
    if (!ways.includes("LOGIN")) throw new SmtpError("sign-in", 504, "the server offers no way to sign in that this plugin knows");
    const first = await this.ask("AUTH LOGIN", "sign-in", [334]);
    // Some ask in another order than “Username:”, “Password:”.
    const asks = rawOf(fromBase64(first.lines[0] ?? ""));
    const answers = /pass/i.test(asks) ? [password, user] : [user, password];
    await this.ask(toBase64(utf8(answers[0] ?? "")), "sign-in", [334]);
    await this.ask(toBase64(utf8(answers[1] ?? "")), "sign-in", [235]);
  }
}

/** Connects and signs in; `work` is done with it. */
async function within<T>(server: Server, user: string, password: string, signal: AbortSignal, work: (session: Session, wire: Wire) => Promise<T>): Promise<T> {
  const wire = await Wire.open(server, signal);
  try {
    const session = new Session(wire);
    await session.expect("greeting", [220]);
    let offers = await session.hello();
    if (server.secure === "starttls") {
      if (offers.has("STARTTLS")) {
        await session.ask("STARTTLS", "greeting", [220]);
        await wire.startTls();
        offers = await session.hello();
      } else if (server.mustSecure) throw new WireError("tls", "the server has no STARTTLS; use smtps://");
    }
    const auth = offers.get("AUTH");
    if (auth !== undefined) await session.signIn(auth, user, password);
    const done = await work(session, wire);
    await session.ask("QUIT", "greeting", [221]).catch(() => undefined);
    return done;
  } finally {
    wire.close();
  }
}

/** Whether the server is there and takes the sign-in. */
export async function trySmtp(server: Server, user: string, password: string, signal: AbortSignal): Promise<void> {
  await within(server, user, password, signal, async () => undefined);
}

/** Submits a message, a text of bytes with CRLF ends. Rejects with `SmtpError` or `SmtpBroken`. */
export async function submit(server: Server, user: string, password: string, envelope: Envelope, message: string, signal: AbortSignal): Promise<void> {
  let sent = false;
  try {
    await within(server, user, password, signal, async (session, wire) => {
      await session.ask(`MAIL FROM:<${envelope.from}>`, "sender", [250]);
      await session.ask(`RCPT TO:<${envelope.to}>`, "recipient", [250, 251]);
      await session.ask("DATA", "body", [354]).catch((error: unknown) => {
        // Nothing of the message has left yet.
        throw error instanceof SmtpError ? new SmtpError("recipient", error.status, error.message) : error;
      });
      const stuffed = message.replace(/^\./gm, "..");
      for (let at = 0; at < stuffed.length; at += 65_536) await wire.write(stuffed.slice(at, at + 65_536));
      sent = true;
      await wire.write(`${stuffed.endsWith("\r\n") ? "" : "\r\n"}.\r\n`);
      await session.expect("body", [250], 120_000);
    });
  } catch (error) {
    if (error instanceof SmtpError) throw error;
    throw new SmtpBroken(error, sent);
  }
}
