/** Sends a message into its thread, and says what a failure means. One message, one recipient, one connection. */

import { type OutboundMessage, type PluginContext, type Receipt, SendError } from "@kata-agents/plugin-sdk";
import { compose } from "@kata-agents/plugin-sdk/mail";
import { accountOf } from "./account.ts";
import { SmtpBroken, SmtpError, submit } from "./smtp.ts";
import type { Thread, Threads } from "./threads.ts";

/** Most bytes of all files of a message: they are written into it, and a plugin has 32 MiB for everything. */
export const FILES_MAX = 3_000_000;

/** Sends. */
export async function send(message: OutboundMessage, ctx: PluginContext, threads: Threads): Promise<Receipt> {
  const account = await accountOf(ctx);
  // Nothing is lost: the outbox keeps what needs a person.
  if ("field" in account) throw wrong("unauthorized", account.message);
  const { thread, to, toName, answered } = await targetOf(message, threads);
  const attachments = message.attachments ?? [];
  if (attachments.reduce((sum, file) => sum + file.bytes, 0) > FILES_MAX) throw wrong("invalid", `the files have more than ${FILES_MAX} bytes`);
  const files = [];
  for (const { id, name, mime } of attachments) files.push({ name, mime, bytes: await ctx.media.read(id) });
  const id = `${await digest(message.idempotencyKey)}@${account.address.split("@")[1] ?? "kata.invalid"}`;
  const known = thread ?? { root: id, subject: subjectOf(message.text), people: [to], ids: [], from: {}, last: to, name: null };
  const pieces = compose({
    from: { address: account.address, name: account.fromName || null },
    to: [{ address: to, name: toName }],
    subject: thread === undefined ? known.subject : `Re: ${known.subject}`,
    text: message.text,
    id,
    date: Date.now(),
    inReplyTo: answered,
    references: thread === undefined ? [] : [thread.root, ...thread.ids],
    files,
    automatic: thread === undefined ? "auto-generated" : "auto-replied",
  });
  try {
    await submit(account.smtp, account.user, account.password, { from: account.address, to }, [...pieces].join(""), ctx.signal);
  } catch (error) {
    throw sendError(error);
  }
  await threads.sent(known, id).catch((error: unknown) => ctx.logger.warn(`threads: ${error instanceof Error ? error.name : "error"}; an answer to this message may begin a thread of its own`));
  return { messageIds: [id] };
}

interface Target {
  thread: Thread | undefined;
  to: string;
  toName: string | null;
  answered: string | undefined;
}

/** Whoever wrote the message that is answered; of a conversation that is an address, that one. A thread is its root in angles, so that neither is taken for the other. */
async function targetOf({ route }: OutboundMessage, threads: Threads): Promise<Target> {
  const root = /^<(.*)>$/.exec(route.conversation)?.[1];
  const thread = root === undefined ? undefined : await threads.get(root);
  if (thread !== undefined) {
    const answered = route.replyTo ?? thread.ids.findLast((id) => thread.from[id] !== undefined);
    const to = (answered === undefined ? undefined : thread.from[answered]) ?? thread.last;
    return { thread, to, toName: to === thread.last ? thread.name : null, answered };
  }
  if (root === undefined && /^[^\s@<>"(),:;]+@[^\s@<>"(),:;]+\.[^\s@<>"(),:;.]+$/.test(route.conversation)) return { thread: undefined, to: route.conversation.toLowerCase(), toName: null, answered: undefined };
  throw wrong("not_found", "the thread is not known any more");
}

function subjectOf(text: string): string {
  const line = text.split("\n").map((one) => one.replace(/^[#>*\s-]+|[*_`]+/g, "").trim()).find((one) => one !== "") ?? "Message";
  return line.length > 78 ? `${line.slice(0, 77)}…` : line;
}

async function digest(key: string): Promise<string> {
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(key)));
  return `kata.${Array.from(bytes.subarray(0, 16), (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

const wrong = (code: "unauthorized" | "invalid" | "not_found" | "forbidden", message: string) => new SendError({ code, message, certain: true });

/** What a failure means (RFC 5321, 4.2). A 4xx is for now, a 5xx for good; after the last dot nobody knows without an answer. */
export function sendError(error: unknown): SendError {
  if (error instanceof SendError) return error;
  if (error instanceof SmtpBroken) {
    return new SendError({ code: "unreachable", message: `the SMTP server: ${error.message}`, certain: !error.sent });
  }
  if (!(error instanceof SmtpError)) return new SendError({ code: "unreachable", message: "the send failed in the plugin", certain: false });
  const message = `the SMTP server said: ${error.message}`;
  if (error.stage === "sign-in" && error.status >= 500) return wrong("unauthorized", message);
  if (error.status === 530 || error.status === 535) return wrong("unauthorized", message);
  if (error.status < 500) return new SendError({ code: "rate_limited", message, retryAfterMs: 60_000, certain: true });
  if (error.stage === "recipient" && [550, 551, 553].includes(error.status)) return wrong("not_found", message);
  if (error.stage === "sender") return wrong("forbidden", message);
  return wrong("invalid", message);
}
