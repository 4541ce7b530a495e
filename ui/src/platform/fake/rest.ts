/** Plugins, models, traces and settings of the fake. */
import type { DetectedModel, PairingRequest, PluginSummary, ProviderSummary, SettingValue, ToolInfo, Trace, TraceStep } from "@/generated/protocol";
import { hoursAgo, minutesAgo, START } from "./clock";
import { status } from "./sources";

const ok = (message: string) => status({ kind: "running" }, message, hoursAgo(26));

type Row = Partial<PluginSummary> & Pick<PluginSummary, "id" | "name" | "description">;

const plugin = (row: Row): PluginSummary => ({
  version: "0.1.0",
  origin: "bundled",
  path: `/usr/lib/kata-agents/plugins/${row.id}`,
  enabled: true,
  status: ok("Loaded."),
  contributes: {},
  capabilities: [],
  generation: 1,
  usage: { memoryBytes: 412_000, cpuMsLastMinute: 3, timers: 1, callsInFlight: 0 },
  faults: [],
  ...row,
});

export const PLUGINS: PluginSummary[] = [
  plugin({ id: "echo", name: "Echo", description: "The reference plugin: one tool, one hook, one command.", contributes: { tools: ["echo"], hooks: ["message_sending"], commands: ["echo"] }, capabilities: ["hooks:conversation"], usage: { memoryBytes: 318_000, cpuMsLastMinute: 0, timers: 0, callsInFlight: 0 } }),
  plugin({ id: "telegram", name: "Telegram", description: "Messages by a bot: long polling, threads, typing, edits.", contributes: { channels: ["telegram"], tools: ["telegram_send", "telegram_react"] }, capabilities: ["net:api.telegram.org", "secret:botToken", "sessions:submit", "files:state"], usage: { memoryBytes: 684_000, cpuMsLastMinute: 14, timers: 2, callsInFlight: 1 } }),
  plugin({ id: "slack", name: "Slack", description: "Socket Mode: channels, threads, reactions.", contributes: { channels: ["slack"] }, capabilities: ["net:*.slack.com", "secret:appToken", "secret:botToken"], usage: { memoryBytes: 902_000, cpuMsLastMinute: 22, timers: 3, callsInFlight: 1 } }),
  plugin({ id: "redact", name: "Redact", description: "Takes account numbers out of replies before they leave.", origin: "workspace", path: "~/.kata-agents/workspaces/acme/extensions/redact", version: "1.3.0", contributes: { hooks: ["message_sending", "after_tool_call"] }, capabilities: ["hooks:conversation"], generation: 7 }),
  plugin({ id: "indexer", name: "Repository indexer", description: "Keeps the code search fresh.", origin: "global", path: "~/.kata-agents/extensions/indexer", contributes: { services: ["indexer"], tools: ["code_search"] }, capabilities: ["files:workspace:ro"], generation: 3, status: status({ kind: "quarantined", until: START + 8 * 60_000 }, "Five faults in ten minutes; the last was a timeout in index.ts:88.", minutesAgo(9), "timeout"), usage: { memoryBytes: 0, cpuMsLastMinute: 0, timers: 0, callsInFlight: 0 }, faults: [
    { at: minutesAgo(9), kind: "timeout", message: "start did not return within 5 s (index.ts:88:14)" },
    { at: minutesAgo(11), kind: "memory", message: "heap limit of 32 MB reached (index.ts:61:9)" },
    { at: minutesAgo(14), kind: "throw", message: "TypeError: cannot read property 'path' of undefined (walk.ts:23:31)" },
  ] }),
  plugin({ id: "digest", name: "Daily digest", description: "Writes a summary of the day and sends it where you want it.", origin: "global", path: "~/.kata-agents/extensions/digest", contributes: { services: ["digest"], commands: ["digest"] }, capabilities: ["sessions:read"] }),
  plugin({ id: "calendar", name: "Calendar", description: "Looks up and proposes meetings.", origin: "global", path: "~/.kata-agents/extensions/calendar", contributes: { tools: ["calendar_free", "calendar_book"] }, capabilities: ["net:www.googleapis.com", "oauth:google:calendar"], status: status({ kind: "needs_user", action: { kind: "trust" } }, "New: asks for 2 capabilities.", minutesAgo(33), "untrusted"), enabled: false, generation: 0 }),
];

export const DEMO: ProviderSummary = { settings: { id: "demo", kind: "demo", model: "scripted" }, label: "Demo (scripted)", default: true, hasKey: false, status: ok("Answers from a script; no model is asked.") };
export const CLAUDE: ProviderSummary = { settings: { id: "anthropic", kind: "anthropic", model: "claude-sonnet-4-5", maxTokens: 8_192 }, label: "Claude Sonnet 4.5", default: true, hasKey: true, status: ok("Answered in 0.8 s.") };
export const OLLAMA: ProviderSummary = { settings: { id: "ollama", kind: "openai-chat", model: "qwen3:14b", baseUrl: "http://127.0.0.1:11434/v1" }, label: "qwen3:14b on this machine", default: false, hasKey: false, status: status({ kind: "failed", recoverable: true }, "Nothing answers at 127.0.0.1:11434.", minutesAgo(50), "unreachable") };

export const DETECTED: DetectedModel[] = [
  { found: "ANTHROPIC_API_KEY in the environment", settings: { id: "anthropic", kind: "anthropic", model: "claude-sonnet-4-5" }, keyEnv: "ANTHROPIC_API_KEY" },
  { found: "Ollama on this machine", settings: { id: "ollama", kind: "openai-chat", model: "qwen3:14b", baseUrl: "http://127.0.0.1:11434/v1" }, keyEnv: null },
];

export const PAIRING: PairingRequest[] = [
  { code: "K7QM2XPA", channel: "telegram", sender: "88120431", senderName: "Priya Raman", requestedAt: minutesAgo(6), expiresAt: START + 54 * 60_000 },
];

export const SETTINGS: SettingValue[] = [
  { path: "gateway.port", value: 18790, from: "default" },
  { path: "gateway.enabled", value: true, from: "default" },
  { path: "log.level", value: "info", from: "~/.kata-agents/config.json" },
  { path: "session.mode", value: "ask", from: "~/.kata-agents/config.json" },
  { path: "session.overlap", value: "queue", from: "default" },
  { path: "model.default", value: "anthropic", from: "KATA_MODEL" },
  { path: "plugins.cpuMsPerMinute", value: 5000, from: "default" },
  { path: "plugins.memoryMb", value: 32, from: "default" },
];

export const TOOLS: ToolInfo[] = [
  { name: "echo", description: "Says what it was told.", parameters: { type: "object" }, readOnly: true, plugin: "echo" },
  { name: "telegram_send", description: "Sends a message.", parameters: { type: "object" }, readOnly: false, plugin: "telegram" },
];

const step = (gate: TraceStep["gate"], label: string, startUs: number, durationUs: number, more: Partial<TraceStep> = {}): TraceStep => ({ gate, label, plugin: null, startUs, durationUs, outcome: "ok", note: null, diff: null, ...more });

export function traceOf(id: string, session: string, startedAt: number, origin: string): Trace {
  const redacted = [{ op: "replace", path: "/text", value: "Account •••• 4411 was credited on Monday." }];
  return {
    id,
    startedAt,
    origin,
    session,
    done: true,
    steps: [
      step("ingress", "accepted", 0, 410),
      step("router", "acme", 420, 38),
      step("hook", "message_received", 470, 96, { plugin: "redact" }),
      step("mailbox", "idle", 590, 12),
      step("hook", "before_agent_start", 610, 55, { plugin: "echo" }),
      step("model", "claude-sonnet-4-5", 690, 1_240_000),
      step("hook", "before_tool_call", 1_241_000, 80, { plugin: "echo" }),
      step("tool", "deploys_latest", 1_241_200, 230_400),
      step("hook", "after_tool_call", 1_471_700, 140, { plugin: "redact", outcome: "changed", diff: [{ op: "remove", path: "/result/token" }] }),
      step("model", "claude-sonnet-4-5", 1_472_000, 980_000),
      step("hook", "message_sending", 2_452_100, 310, { plugin: "redact", outcome: "changed", diff: redacted }),
      step("outbox", "durable", 2_452_500, 390),
      step("send", origin, 2_453_000, 184_000),
    ],
  };
}

const blocked = (id: string, session: string, startedAt: number): Trace => ({
  id,
  startedAt,
  origin: "telegram",
  session,
  done: true,
  steps: [
    step("ingress", "accepted", 0, 380),
    step("router", "acme", 390, 41),
    step("hook", "message_received", 440, 15_000_000, { plugin: "indexer", outcome: "timeout", note: "no answer within 15 s; the message went on unchanged" }),
    step("hook", "message_received", 15_000_460, 120, { plugin: "redact", outcome: "blocked", note: "contains a card number" }),
  ],
});

export const TRACES: Trace[] = [
  traceOf("tr-019a-01", "261122-channel-mara", minutesAgo(1), "telegram"),
  traceOf("tr-019a-02", "261122-brave-otter", minutesAgo(4), "desktop"),
  blocked("tr-019a-03", "261121-channel-team", minutesAgo(31)),
  traceOf("tr-019a-04", "261122-quiet-heron", minutesAgo(38), "desktop"),
  traceOf("tr-019a-05", "261122-channel-ops", minutesAgo(52), "slack"),
  traceOf("tr-019a-06", "261122-amber-finch", hoursAgo(2), "cli"),
];
