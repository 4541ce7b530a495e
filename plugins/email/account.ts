/** The settings and the password, as this plugin reads them. */

import type { PluginContext } from "@kata-agents/plugin-sdk";
import type { Rules } from "@kata-agents/plugin-sdk/mail";
import { type Server, serverOf } from "./wire.ts";

/** Everything that is needed to read and send. */
export interface Account {
  imap: Server;
  smtp: Server;
  address: string;
  user: string;
  fromName: string;
  mailbox: string;
  password: string;
  markSeen: boolean;
  rules: Rules;
}

/** A setting or secret that is missing or wrong. */
export interface Missing {
  field: "imapUrl" | "smtpUrl" | "address" | "authServer" | "password";
  message: string;
}

/** Reads the account, or says what is missing first. */
export async function accountOf(ctx: PluginContext): Promise<Account | Missing> {
  const text = (name: string) => {
    const value = ctx.config[name];
    return typeof value === "string" ? value.trim() : "";
  };
  const address = text("address").toLowerCase();
  if (!/^[^\s@<>]+@[^\s@<>]+$/.test(address)) return { field: "address", message: "Set the mailbox's own address." };
  const imap = serverOf(text("imapUrl"), "imap");
  if (imap === undefined) return { field: "imapUrl", message: "Set the IMAP server, such as imaps://mail.example.org." };
  const smtp = serverOf(text("smtpUrl"), "smtp");
  if (smtp === undefined) return { field: "smtpUrl", message: "Set the SMTP server, such as smtps://mail.example.org." };
  const senderCheck = text("senderCheck") === "none" ? "none" : "authenticated";
  const authServer = text("authServer");
  if (senderCheck === "authenticated" && authServer === "") {
    return { field: "authServer", message: "Set who checks senders: the name behind “Authentication-Results:” in a received message's source." };
  }
  const password = await ctx.secrets.get("password");
  if (password === undefined || password === "") return { field: "password", message: "Set the mailbox's password, or an app password." };
  return {
    imap,
    smtp,
    address,
    user: text("user") || address,
    fromName: text("fromName"),
    mailbox: text("mailbox") || "INBOX",
    // Some programs put a line end behind what is pasted.
    password: password.replace(/[\r\n]+$/, ""),
    markSeen: ctx.config["markSeen"] !== false,
    rules: { own: address, senderCheck, authServer },
  };
}
