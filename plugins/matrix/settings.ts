/** The settings as this plugin uses them; the host has checked them against the manifest's schema. */

import type { PluginContext } from "@kata-agents/plugin-sdk";
import type { Named } from "./discovery.ts";
import { number, text, texts } from "./json.ts";

export type LoginKind = "password" | "token" | "sso";
export type InvitePolicy = "never" | "listed" | "all";

export interface Settings {
  /** Nothing until a person has named the server. */
  named: Named | undefined;
  login: LoginKind | undefined;
  user: string | undefined;
  deviceName: string;
  /** Nothing until a person has chosen; it then counts as `listed`. */
  invites: InvitePolicy | undefined;
  inviters: readonly string[];
  /** `m.notice` or `m.text`. */
  msgtype: "m.notice" | "m.text";
  receipts: boolean;
  pollMs: number;
}

export function settingsOf({ config }: Pick<PluginContext, "config">): Settings {
  const server = text(config["server"])?.trim();
  const login = config["login"];
  const invites = config["invites"];
  return {
    named: server === undefined ? undefined : { server: server.replace(/\/+$/, ""), homeserver: text(config["homeserver"])?.trim() },
    login: login === "password" || login === "token" || login === "sso" ? login : undefined,
    user: text(config["user"])?.trim(),
    deviceName: text(config["deviceName"]) ?? "Kata Agents",
    invites: invites === "never" || invites === "listed" || invites === "all" ? invites : undefined,
    inviters: texts(config["inviters"]).map((one) => one.trim()),
    msgtype: config["notices"] === false ? "m.text" : "m.notice",
    receipts: config["receipts"] !== false,
    pollMs: (number(config["pollSeconds"]) ?? 30) * 1000,
  };
}

/** Whether an invitation of `inviter` is accepted. */
export function mayInvite(inviter: string, { invites, inviters }: Pick<Settings, "invites" | "inviters">): boolean {
  if (invites === "all") return true;
  if (invites === "never") return false;
  const server = inviter.slice(inviter.indexOf(":") + 1).toLowerCase();
  return inviters.some((one) => one === inviter || (!one.startsWith("@") && one.toLowerCase() === server));
}
