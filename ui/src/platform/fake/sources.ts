/** Sources of the fake: one of each kind, and one in each state a person can meet. */
import type { LogRecord, RunState, SecretState, SourceDetail, SourceSummary, Status } from "@/generated/protocol";
import { daysAgo, hoursAgo, minutesAgo, START } from "./clock";

export function status(state: RunState, message: string, since: number, code = ""): Status {
  return { state, code, message, since };
}

type Row = Partial<SourceSummary> & Pick<SourceSummary, "id" | "kind" | "name" | "status">;

const source = (row: Row): SourceSummary => ({ tagline: null, icon: null, workspace: null, plugin: null, enabled: true, lastActivity: null, ...row });

export const SOURCES: SourceSummary[] = [
  source({ id: "channel:telegram", kind: "channel", name: "Telegram", tagline: "@acme_helper_bot", icon: "✈️", plugin: "telegram", lastActivity: minutesAgo(1), status: status({ kind: "running" }, "Connected as @acme_helper_bot.", hoursAgo(26)) }),
  source({ id: "channel:slack", kind: "channel", name: "Slack", tagline: "acme.slack.com", icon: "💬", plugin: "slack", lastActivity: minutesAgo(52), status: status({ kind: "degraded" }, "Two of nine conversations are missing the scope channels:history.", hoursAgo(3), "missing_scope") }),
  source({ id: "channel:gmail", kind: "channel", name: "Gmail", tagline: "help@acme.example", icon: "📮", plugin: "gmail", lastActivity: daysAgo(2), status: status({ kind: "needs_user", action: { kind: "relogin" } }, "Google has ended the sign-in.", hoursAgo(6), "invalid_grant") }),
  source({ id: "channel:matrix", kind: "channel", name: "Matrix", tagline: "Not set up yet", icon: "🟩", plugin: "matrix", enabled: false, status: status({ kind: "stopped" }, "Switched off.", daysAgo(4)) }),
  source({ id: "service:digest", kind: "service", name: "Daily digest", tagline: "Sends a summary at 08:00", icon: "🗞️", plugin: "digest", lastActivity: hoursAgo(1), status: status({ kind: "running" }, "Next run tomorrow at 08:00.", hoursAgo(26)) }),
  source({ id: "service:indexer", kind: "service", name: "Repository indexer", tagline: "Keeps the code search fresh", icon: "🗂️", plugin: "indexer", lastActivity: minutesAgo(9), status: status({ kind: "quarantined", until: START + 8 * 60_000 }, "Five faults in ten minutes; the last was a timeout in index.ts:88.", minutesAgo(9), "timeout") }),
  source({ id: "mcp:acme:linear", kind: "mcp", name: "Linear", tagline: "Issues and projects", icon: "📐", workspace: "acme", lastActivity: minutesAgo(21), status: status({ kind: "running" }, "23 tools.", hoursAgo(26)) }),
  source({ id: "mcp:acme:postgres", kind: "mcp", name: "Postgres (read only)", tagline: "Staging database", icon: "🐘", workspace: "acme", lastActivity: minutesAgo(4), status: status({ kind: "backoff", attempt: 3, until: START + 42_000 }, "The server closed the connection.", minutesAgo(2), "unreachable") }),
  source({ id: "api:acme:statuspage", kind: "api", name: "Status page", tagline: "status.acme.example", icon: "🚦", workspace: "acme", lastActivity: hoursAgo(3), status: status({ kind: "running" }, "Answers in 120 ms.", hoursAgo(26)) }),
  source({ id: "api:acme:crm", kind: "api", name: "Customer database", tagline: "crm.acme.example", icon: "🗃️", workspace: "acme", status: status({ kind: "needs_user", action: { kind: "configure", field: "apiKey" } }, "The key is missing.", daysAgo(1), "missing_secret") }),
  source({ id: "local:acme:handbook", kind: "local", name: "Handbook", tagline: "~/acme/handbook", icon: "📚", workspace: "acme", lastActivity: daysAgo(1), status: status({ kind: "running" }, "214 files.", hoursAgo(26)) }),
  source({ id: "local:acme:archive", kind: "local", name: "Old tickets", tagline: "/mnt/archive/tickets", icon: "🧾", workspace: "acme", status: status({ kind: "failed", recoverable: true }, "The folder does not exist.", hoursAgo(26), "not_found") }),
];

const TELEGRAM_SCHEMA = {
  type: "object",
  required: ["pollSeconds"],
  properties: {
    apiBase: { type: "string", title: "API address", description: "Leave it unless you run your own Bot API server.", default: "https://api.telegram.org" },
    pollSeconds: { type: "integer", title: "Long poll", description: "Seconds one poll may wait.", minimum: 1, maximum: 50, default: 25 },
    showTyping: { type: "boolean", title: "Show “typing…”", description: "While the agent works.", default: true },
    dialect: { type: "string", title: "Formatting", enum: ["html", "plain"], default: "html" },
    stickers: { type: "array", title: "Allowed stickers", items: { type: "string" } },
  },
};

function logOf(row: SourceSummary): LogRecord[] {
  const plugin = row.plugin;
  const lines: [number, string, string][] = [
    [26 * 60, "INFO", "starting"],
    [26 * 60 - 0.1, "INFO", "connected"],
    [180, "DEBUG", "poll returned 0 updates in 25.0 s"],
    [52, "WARN", "429 from the platform; waiting 3 s as asked"],
    [51.9, "INFO", "sent, receipt 88213"],
    [4, "DEBUG", "poll returned 1 update in 11.2 s"],
    [1, "INFO", "taken in, durable in 0.4 ms"],
  ];
  return lines.map(([minutes, level, message]) => ({ at: minutesAgo(minutes), level, target: `plugin::${plugin ?? row.kind}`, plugin, message }));
}

export function detailOf(summary: SourceSummary, settings: unknown, secrets: SecretState[]): SourceDetail {
  const channel = summary.kind === "channel";
  const since = summary.status.since;
  return {
    summary,
    timeline: [
      summary.status,
      status({ kind: "connecting" }, "Signing in.", since - 900),
      status({ kind: "starting" }, "Loading the plugin.", since - 1_400),
      status({ kind: "backoff", attempt: 1, until: since - 2_000 }, "The network was away.", since - 31_000, "unreachable"),
      status({ kind: "running" }, "Connected.", since - 86_400_000),
    ],
    tools: channel ? ["telegram_send", "telegram_react"] : summary.kind === "mcp" ? ["issue_list", "issue_create", "issue_update", "project_list"] : [],
    hooks: channel ? ["message_sending"] : [],
    commands: channel ? ["pair", "mute"] : [],
    capabilities: channel ? ["net:api.telegram.org", "secret:botToken", "sessions:submit", "files:state"] : summary.plugin === null ? [] : ["files:state"],
    settingsSchema: channel ? TELEGRAM_SCHEMA : null,
    settings,
    secrets,
    log: logOf(summary),
  };
}
