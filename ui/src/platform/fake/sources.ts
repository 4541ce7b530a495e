/** Sources of the fake: one of each kind, and one in each state a person can meet. */
import type { RunState, SourceSummary, Status } from "@/generated/protocol";
import { daysAgo, hoursAgo, minutesAgo, START } from "./clock";

export function status(state: RunState, message: string, since: number, code = ""): Status {
  return { state, code, message, since };
}

type Row = Partial<SourceSummary> & Pick<SourceSummary, "id" | "kind" | "name" | "status">;

export const source = (row: Row): SourceSummary => ({ tagline: null, icon: null, workspace: null, plugin: null, enabled: true, lastActivity: null, ...row });

export const SOURCES: SourceSummary[] = [
  source({ id: "channel:telegram", kind: "channel", name: "Telegram", tagline: "@acme_helper_bot", icon: "✈️", plugin: "telegram", lastActivity: minutesAgo(1), status: status({ kind: "running" }, "Connected as @acme_helper_bot.", hoursAgo(26)) }),
  source({ id: "channel:slack", kind: "channel", name: "Slack", tagline: "acme.slack.com", icon: "💬", plugin: "slack", lastActivity: minutesAgo(52), status: status({ kind: "degraded" }, "Two of nine conversations are missing the scope channels:history.", hoursAgo(3), "missing_scope") }),
  source({ id: "channel:gmail", kind: "channel", name: "Support mail", tagline: "Gmail, label “support”", icon: "📨", plugin: "gmail", lastActivity: daysAgo(2), status: status({ kind: "needs_user", action: { kind: "relogin" } }, "Google has ended the sign-in.", hoursAgo(6), "invalid_grant") }),
  source({ id: "channel:matrix", kind: "channel", name: "Matrix", tagline: "Not set up yet", icon: "🟩", plugin: "matrix", enabled: false, status: status({ kind: "stopped" }, "Switched off.", daysAgo(4)) }),
  source({ id: "service:gmail", kind: "service", name: "Gmail", tagline: "mara@acme.example", icon: "📮", plugin: "gmail", lastActivity: minutesAgo(2), status: status({ kind: "running" }, "Looks for new mail every minute.", hoursAgo(26)) }),
  source({ id: "service:calendar", kind: "service", name: "Calendar", tagline: "Google Calendar", icon: "📅", plugin: "calendar", lastActivity: hoursAgo(7), status: status({ kind: "needs_user", action: { kind: "relogin" } }, "Google has ended the sign-in.", hoursAgo(6), "invalid_grant") }),
  source({ id: "service:digest", kind: "service", name: "Daily digest", tagline: "Sends a summary at 08:00", icon: "🗞️", plugin: "digest", lastActivity: hoursAgo(1), status: status({ kind: "running" }, "Next run tomorrow at 08:00.", hoursAgo(26)) }),
  source({ id: "service:indexer", kind: "service", name: "Repository indexer", tagline: "Keeps the code search fresh", icon: "🗂️", plugin: "indexer", lastActivity: minutesAgo(9), status: status({ kind: "quarantined", until: START + 8 * 60_000 }, "Five faults in ten minutes; the last was a timeout in index.ts:88.", minutesAgo(9), "timeout") }),
  source({ id: "mcp:acme:linear", kind: "mcp", name: "Linear", tagline: "Issues and projects", icon: "📐", workspace: "acme", lastActivity: minutesAgo(21), status: status({ kind: "running" }, "23 tools.", hoursAgo(26)) }),
  source({ id: "mcp:acme:postgres", kind: "mcp", name: "Postgres (read only)", tagline: "Staging database", icon: "🐘", workspace: "acme", lastActivity: minutesAgo(4), status: status({ kind: "backoff", attempt: 3, until: START + 42_000 }, "The server closed the connection.", minutesAgo(2), "unreachable") }),
  source({ id: "api:acme:statuspage", kind: "api", name: "Status page", tagline: "status.acme.example", icon: "🚦", workspace: "acme", lastActivity: hoursAgo(3), status: status({ kind: "running" }, "Answers in 120 ms.", hoursAgo(26)) }),
  source({ id: "api:acme:crm", kind: "api", name: "Customer database", tagline: "crm.acme.example", icon: "🗃️", workspace: "acme", status: status({ kind: "needs_user", action: { kind: "configure", field: "apiKey" } }, "The key is missing.", daysAgo(1), "missing_secret") }),
  source({ id: "local:acme:handbook", kind: "local", name: "Handbook", tagline: "~/acme/handbook", icon: "📚", workspace: "acme", lastActivity: daysAgo(1), status: status({ kind: "running" }, "214 files.", hoursAgo(26)) }),
  source({ id: "local:acme:archive", kind: "local", name: "Old tickets", tagline: "/mnt/archive/tickets", icon: "🧾", workspace: "acme", status: status({ kind: "failed", recoverable: true }, "The folder does not exist.", hoursAgo(26), "not_found") }),
];
