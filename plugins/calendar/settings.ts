/** The settings, as this plugin reads them. */

import type { PluginContext } from "@kata-agents/plugin-sdk";
import { text } from "@kata-agents/plugin-sdk/google";

export interface Settings {
  apiRoot: string;
  /** Ids or names, at least one; the first gets new events. */
  calendars: readonly string[];
  timeZone: string;
  session: string;
  remindMinutes: number;
  pollSeconds: number;
  requestsPerMinute: number;
}

/** Calendars that are followed. */
const MOST_CALENDARS = 10;

export function settingsOf({ config }: Pick<PluginContext, "config">): Settings {
  const words = (name: string, otherwise = "") => text(config[name])?.trim() || otherwise;
  const number = (name: string, otherwise: number) => (typeof config[name] === "number" ? config[name] : otherwise);
  const calendars = words("calendars", "primary").split(",").map((one) => one.trim()).filter((one) => one !== "");
  return {
    apiRoot: words("apiRoot", "https://www.googleapis.com"),
    calendars: calendars.length === 0 ? ["primary"] : [...new Set(calendars)].slice(0, MOST_CALENDARS),
    timeZone: words("timeZone"),
    session: words("session"),
    remindMinutes: number("remindMinutes", 10),
    pollSeconds: number("pollSeconds", 120),
    requestsPerMinute: number("requestsPerMinute", 120),
  };
}
