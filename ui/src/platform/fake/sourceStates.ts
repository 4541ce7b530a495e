/** One service in every state a source can be in, for looking at all of them: the fake's address takes `?states`. */
import type { RunState, SourceSummary } from "@/generated/protocol";
import { minutesAgo, START } from "./clock";
import { source, status } from "./sources";

const STATES: readonly [id: string, name: string, icon: string, state: RunState, message: string, code?: string][] = [
  ["stopped", "Feeds", "📰", { kind: "stopped" }, "Switched off."],
  ["starting", "Weather", "🌦️", { kind: "starting" }, "Loading the plugin."],
  ["connecting", "Home automation", "🏠", { kind: "connecting" }, "Speaking to mqtt.home.example."],
  ["running", "Gmail", "📮", { kind: "running" }, "Looks for new mail every minute."],
  ["degraded", "Release notes", "🏷️", { kind: "degraded" }, "Two of five feeds do not answer; the others are read.", "partly_unreachable"],
  ["backoff", "Build watcher", "🔧", { kind: "backoff", attempt: 4, until: START + 95_000 }, "The build server answers 503.", "unreachable"],
  ["configure", "Ticket bridge", "🎫", { kind: "needs_user", action: { kind: "configure", field: "apiKey" } }, "The key is missing.", "missing_secret"],
  ["trust", "Stand-up", "🗣️", { kind: "needs_user", action: { kind: "trust" } }, "Its files have changed since you trusted them.", "changed"],
  ["relogin", "Calendar", "📅", { kind: "needs_user", action: { kind: "relogin" } }, "Google has ended the sign-in.", "invalid_grant"],
  ["pair", "Door bell", "🔔", { kind: "needs_user", action: { kind: "pair" } }, "Somebody wrote who is not known yet.", "unknown_sender"],
  ["add_model", "Daily digest", "🗞️", { kind: "needs_user", action: { kind: "add_model" } }, "There is no model that could write it.", "no_model"],
  ["failed", "Old tickets", "🧾", { kind: "failed", recoverable: true }, "The folder /mnt/archive/tickets does not exist.", "not_found"],
  ["broken", "Photo index", "🖼️", { kind: "failed", recoverable: false }, "This machine has no camera roll that could be read.", "unsupported"],
  ["quarantined", "Repository indexer", "🗂️", { kind: "quarantined", until: START + 8 * 60_000 }, "Five faults in ten minutes; the last was a timeout in index.ts:88.", "timeout"],
  ["stopping", "Music", "🎧", { kind: "stopping" }, "Finishes what it began."],
];

export const EVERY_STATE: SourceSummary[] = STATES.map(([id, name, icon, state, message, code = ""]) =>
  source({ id: `service:${id}`, kind: "service", name, icon, plugin: id, enabled: id !== "stopped", lastActivity: minutesAgo(7), status: status(state, message, minutesAgo(3), code) }),
);
