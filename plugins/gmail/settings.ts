/** The settings, as this plugin reads them. */

import type { PluginContext } from "@kata-agents/plugin-sdk";
import { text } from "@kata-agents/plugin-sdk/google";

export interface Settings {
  apiRoot: string;
  label: string;
  session: string;
  channelLabel: string;
  senderCheck: "authenticated" | "none";
  fromName: string;
  pollSeconds: number;
  unitsPerMinute: number;
}

export function settingsOf({ config }: Pick<PluginContext, "config">): Settings {
  const words = (name: string, otherwise = "") => text(config[name])?.trim() || otherwise;
  const number = (name: string, otherwise: number) => (typeof config[name] === "number" ? config[name] : otherwise);
  return {
    apiRoot: words("apiRoot", "https://gmail.googleapis.com"),
    label: words("label", "INBOX"),
    session: words("session"),
    channelLabel: words("channelLabel"),
    senderCheck: config["senderCheck"] === "none" ? "none" : "authenticated",
    fromName: words("fromName"),
    pollSeconds: number("pollSeconds", 60),
    unitsPerMinute: number("unitsPerMinute", 6_000),
  };
}
