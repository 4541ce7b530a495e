/** From a message's header to what the host takes in: who wrote, whether that is believed, which thread, and whether a machine wrote it. Pure. */

import { type MailHeaders, type Mailbox, messageIds, parseAddresses } from "./headers.ts";

/** Why a message is left out, or what is known of it. */
export type Verdict = { ok: true; sender: Mailbox } | { ok: false; why: "no_sender" | "own" | "automatic" | "not_authenticated" };

/** What senders are believed by. */
export interface Rules {
  /** The mailbox's own address. */
  own: string;
  /** Whether a sender must be vouched for by `authServer`. */
  senderCheck: "authenticated" | "none";
  /** Whose `Authentication-Results` count. */
  authServer: string;
}

/** Looks at a header. */
export function judge(headers: MailHeaders, rules: Rules): Verdict {
  const from = parseAddresses(headers.raw("from"));
  const [sender] = from;
  // Two authors, or two From fields, are a way to be taken for somebody else.
  if (sender === undefined || from.length > 1 || headers.all("from").length > 1) return { ok: false, why: "no_sender" };
  if (sender.address === rules.own.toLowerCase()) return { ok: false, why: "own" };
  if (automatic(headers, sender.address)) return { ok: false, why: "automatic" };
  if (rules.senderCheck === "authenticated" && !authenticated(headers, sender.address, rules.authServer)) return { ok: false, why: "not_authenticated" };
  return { ok: true, sender };
}

/** Whether a program wrote it: answering would make a loop, or reach nobody (RFC 3834). */
export function automatic(headers: MailHeaders, sender: string): boolean {
  const submitted = headers.raw("auto-submitted")?.trim().toLowerCase();
  if (submitted !== undefined && !/^no\b/.test(submitted)) return true;
  if (headers.raw("list-id") !== undefined || headers.raw("list-unsubscribe") !== undefined || headers.raw("x-autoreply") !== undefined) return true;
  if (/^\s*(bulk|junk|list|auto_reply)\b/i.test(headers.raw("precedence") ?? "")) return true;
  if (headers.raw("return-path")?.trim() === "<>") return true;
  if (/^\s*multipart\/report\b/i.test(headers.raw("content-type") ?? "")) return true;
  return /^(mailer-daemon|postmaster|no-?reply|do-?not-?reply|bounces?)([+@._-]|$)/i.test(sender);
}

/** The domain itself, or one below it. */
const within = (domain: string, of: string): boolean => domain === of || domain.endsWith(`.${of}`);
/** Whether two domains belong together in DMARC's relaxed way, without a list of public suffixes: one lies in the other, and neither is a mere top. */
const aligned = (a: string, b: string): boolean => a.includes(".") && b.includes(".") && (within(a, b) || within(b, a));

/** Whether the server that took the message in found its From to be genuine (RFC 8601). */
export function authenticated(headers: MailHeaders, sender: string, authServer: string): boolean {
  const server = authServer.trim().toLowerCase();
  if (server === "") return false;
  const domain = sender.split("@")[1] ?? "";
  // The topmost one of that server: what lies below it came with the message.
  const field = headers.all("authentication-results").find((value) => new RegExp(`^${escaped(server)}(\\s+\\d+)?\\s*(;|$)`, "i").test(value.trim()));
  if (field === undefined) return false;
  return withoutComments(field)
    .split(";")
    .slice(1)
    .some((part) => {
      const result = /^\s*([a-z-]+)\s*=\s*([a-z]+)/i.exec(part);
      if (result?.[2]?.toLowerCase() !== "pass") return false;
      const property = (name: string) => new RegExp(`\\b${escaped(name)}\\s*=\\s*"?([^\\s"]+)`, "i").exec(part)?.[1]?.toLowerCase().replace(/^.*@/, "");
      switch (result[1]?.toLowerCase()) {
        case "dmarc":
          return (property("header.from") ?? domain) === domain;
        case "dkim":
          return aligned(property("header.d") ?? property("header.i") ?? "", domain);
        case "spf":
          return aligned(property("smtp.mailfrom") ?? "", domain);
        default:
          return false;
      }
    });
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

function withoutComments(text: string): string {
  let out = "";
  let depth = 0;
  for (const char of text) {
    if (char === "(") depth += 1;
    else if (char === ")" && depth > 0) depth -= 1;
    else if (depth === 0) out += char;
  }
  return out;
}

/** Ids a message names as those before it, oldest first, without its own. */
export function ancestors(headers: MailHeaders, own: string | undefined): string[] {
  const all = [...messageIds(headers.raw("references")), ...messageIds(headers.raw("in-reply-to"))];
  return [...new Set(all)].filter((id) => id !== own);
}

/** A subject without the marks of answers and forwards. */
export function bareSubject(subject: string): string {
  let bare = subject.trim();
  for (let before = ""; before !== bare; ) {
    before = bare;
    bare = bare.replace(/^(re|aw|fw|fwd|wg|sv|vs|antw|tr|rif|odp)(\[\d+\])?\s*:\s*/i, "").trim();
  }
  return bare;
}
