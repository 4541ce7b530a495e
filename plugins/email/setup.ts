/** What a person meets before the channel runs: address, servers, password, and who vouches for senders. */

import type { AuthState, PluginContext, Probe, SecurityWarning, SetupStep } from "@kata-agents/plugin-sdk";
import { type Account, accountOf, type Missing } from "./account.ts";
import { Imap } from "./imap.ts";
import { SmtpBroken, SmtpError, trySmtp } from "./smtp.ts";
import { isRefused } from "./watch.ts";

/** Longest time of one look at the servers. */
const LOOK_MS = 9_000;

const STEPS: Readonly<Record<Exclude<Missing["field"], "password">, { title: string; help: string }>> = {
  address: { title: "Address", help: "The mailbox's own address. Give the agent a mailbox of its own: everything that arrives there is read." },
  imapUrl: { title: "IMAP server", help: "Such as `imaps://imap.example.org`. Your provider's help pages name it. Typing it in allows the plugin this one host." },
  smtpUrl: { title: "SMTP server", help: "For submission, such as `smtps://smtp.example.org` (port 465) or `smtp://smtp.example.org` (port 587, STARTTLS)." },
  authServer: {
    title: "Who checks senders",
    help: "Anybody can write any address into a mail's From. Your mail server checks it and writes what it found into the mail. Open the source of a mail you received and copy the name right behind `Authentication-Results:`, such as `mx.google.com`. Only mail that passed is taken in.",
  },
};

export async function nextStep(ctx: PluginContext): Promise<SetupStep> {
  const account = await accountOf(ctx);
  if ("field" in account) return stepOf(account);
  const wrong = await look(account, ctx.signal);
  if (wrong === undefined) return { kind: "done", account: account.address, name: account.address };
  if (wrong.part === "password") return { ...passwordStep, error: wrong.message };
  return { kind: "input", field: wrong.part, ...STEPS[wrong.part], error: wrong.message };
}

const passwordStep = {
  kind: "secret",
  secret: "password",
  title: "Password",
  help: "Where the account has two-factor sign-in, make an **app password** at your provider and paste it here.",
} as const;

function stepOf({ field }: Missing): SetupStep {
  return field === "password" ? passwordStep : { kind: "input", field, ...STEPS[field] };
}

interface Wrong {
  part: "password" | "imapUrl" | "smtpUrl";
  message: string;
}

/** Tries both servers. */
async function look(account: Account, signal: AbortSignal): Promise<Wrong | undefined> {
  const abort = new AbortController();
  const stop = () => abort.abort();
  const timer = setTimeout(stop, LOOK_MS);
  signal.addEventListener("abort", stop);
  try {
    try {
      const imap = await Imap.open(account.imap, account.user, account.password, abort.signal);
      try {
        await imap.select(account.mailbox);
      } finally {
        await imap.logout();
      }
    } catch (error) {
      if (isRefused(error)) return { part: "password", message: "The IMAP server refuses user name or password." };
      return { part: "imapUrl", message: `The IMAP server: ${words(error)}.` };
    }
    try {
      await trySmtp(account.smtp, account.user, account.password, abort.signal);
    } catch (error) {
      if (error instanceof SmtpError && error.stage === "sign-in") return { part: "password", message: "The SMTP server refuses user name or password." };
      return { part: "smtpUrl", message: `The SMTP server: ${words(error)}.` };
    }
    return undefined;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  }
}

const words = (error: unknown): string => (error instanceof Error ? error.message : "it failed");

export async function validate(ctx: PluginContext): Promise<AuthState> {
  const account = await accountOf(ctx);
  if ("field" in account) return { ok: false, code: `${account.field}_missing`, message: account.message, action: { kind: "configure", field: account.field } };
  const wrong = await look(account, ctx.signal);
  if (wrong === undefined) return { ok: true, account: account.address, name: account.address };
  if (wrong.part !== "password") throw new SmtpBroken(new Error(wrong.message), false);
  return { ok: false, code: "sign_in_refused", message: wrong.message, action: { kind: "configure", field: "password" } };
}

export async function probe(ctx: PluginContext): Promise<Probe> {
  const start = Date.now();
  const account = await accountOf(ctx);
  if ("field" in account) return { ok: false, latencyMs: 0, message: account.message };
  const wrong = await look(account, ctx.signal).catch((error: unknown) => ({ message: words(error) }));
  return { ok: wrong === undefined, latencyMs: Date.now() - start, message: wrong?.message ?? `Both servers take ${account.user}.` };
}

export async function warnings(ctx: PluginContext): Promise<SecurityWarning[]> {
  const found: SecurityWarning[] = [];
  if (ctx.config["senderCheck"] === "none") {
    found.push({ code: "senders_unchecked", message: "Senders are not checked: whoever writes an allowed address into From is taken for that person." });
  }
  const account = await accountOf(ctx);
  if (!("field" in account)) {
    for (const [name, server] of [["IMAP", account.imap], ["SMTP", account.smtp]] as const) {
      if (server.secure === "starttls" && !server.mustSecure) found.push({ code: "maybe_plain", message: `The ${name} server on this machine is spoken to without TLS where it has none.` });
    }
  }
  return found;
}
