/** One source of the fake, whole. */
import type { LogRecord, SourceBudget, SourceDetail, SourceJob, SourceSummary } from "@/generated/protocol";
import { hoursAgo, minutesAgo, START } from "./clock";
import { status } from "./sources";
import { toolsOf } from "./sourceTools";
import type { World } from "./world";

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

const CRM_SCHEMA = { type: "object", properties: {} };

/** Figures that move a little, so that the charts have something to draw. */
function budgetOf(row: SourceSummary): SourceBudget | null {
  if (row.kind !== "service" || (row.status.state.kind !== "running" && row.status.state.kind !== "degraded")) return null;
  const wave = Math.sin(Date.now() / 9_000 + row.id.length);
  const about = (n: number, part: number) => Math.max(0, Math.round(n * (1 + part * wave)));
  return {
    requestsPerMinute: 60, requestsPerDay: 10_000, wakeupsPerMinute: 12,
    requestsLastMinute: about(9, 0.6), requestsToday: 3_412, wakeupsLastMinute: about(2, 0.5),
    cpuMsLastMinute: about(64, 0.7), cpuMsPerMinute: 5_000, memoryBytes: about(1_420_000, 0.08), memoryLimit: 33_554_432,
  };
}

const JOBS: Record<string, SourceJob[]> = {
  "service:gmail": [
    { id: "poll", when: "every minute", next: START + 41_000, last: START - 19_000, stretched: false, error: null },
    { id: "labels", when: "every hour", next: START + 31 * 60_000, last: minutesAgo(29), stretched: true, error: null },
    { id: "digest", when: "0 8 * * 1-5 (Europe/Berlin)", next: START + 17 * 3_600_000, last: hoursAgo(7), stretched: false, error: "Google answers 403: the daily quota is used up." },
  ],
  "service:digest": [{ id: "write", when: "0 8 * * * (Europe/Berlin)", next: START + 17 * 3_600_000, last: hoursAgo(7), stretched: false, error: null }],
};

function secretsOf(row: SourceSummary) {
  if (row.kind === "channel") return [{ name: "botToken", set: true }, { name: "webhookSecret", set: false }];
  return row.id === "api:acme:crm" || row.id === "service:configure" ? [{ name: "apiKey", set: false }] : [];
}

export const secretsIn = (world: World, row: SourceSummary) => world.secrets.get(row.id) ?? secretsOf(row);

const SIGNS_IN: Record<string, string> = { "service:gmail": "google", "service:calendar": "Google", "channel:gmail": "google", "service:running": "google", "service:relogin": "google", "mcp:acme:linear": "mcp" };

export function detailOf(world: World, id: string): SourceDetail {
  const summary = world.source(id);
  const channel = summary.kind === "channel";
  const service = summary.kind === "service";
  const { since } = summary.status;
  return {
    summary,
    timeline: [
      summary.status,
      status({ kind: "connecting" }, "Signing in.", since - 900),
      status({ kind: "starting" }, "Loading the plugin.", since - 1_400),
      status({ kind: "backoff", attempt: 1, until: since - 2_000 }, "The network was away.", since - 31_000, "unreachable"),
      status({ kind: "running" }, "Connected.", since - 86_400_000),
    ],
    tools: toolsOf(summary).map(({ info }) => info.name),
    hooks: channel ? ["message_sending"] : [],
    commands: channel ? ["pair", "mute"] : [],
    capabilities: channel ? ["net:api.telegram.org", "secret:botToken", "sessions:submit", "files:state"] : summary.plugin === "gmail" ? ["net:gmail.googleapis.com", "oauth:google:gmail.modify", "sessions:submit", "files:state"] : summary.plugin === null ? [] : ["files:state"],
    settingsSchema: channel ? TELEGRAM_SCHEMA : id === "api:acme:crm" ? CRM_SCHEMA : null,
    settings: world.settings.get(id) ?? (channel ? { pollSeconds: 25, showTyping: true, dialect: "html" } : {}),
    secrets: secretsIn(world, summary),
    log: logOf(summary),
    budget: budgetOf(summary),
    jobs: JOBS[id === "service:running" ? "service:gmail" : id] ?? [],
    workspaces: service ? world.switchesOf(id) : [],
    account: world.accounts.find((each) => each.source === id) ?? null,
    signsInAt: SIGNS_IN[id] ?? (summary.status.code === "needs_auth" ? "mcp" : null),
  };
}
