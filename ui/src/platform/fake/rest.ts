/** Models, traces and tools of the fake. */
import type { DetectedModel, PairingRequest, ProviderSummary, ToolInfo, Trace, TraceStep } from "@/generated/protocol";
import { hoursAgo, minutesAgo, START } from "./clock";
import { status } from "./sources";

const ok = (message: string) => status({ kind: "running" }, message, hoursAgo(26));

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
