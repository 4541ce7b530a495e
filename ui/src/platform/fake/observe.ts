/** Hooks in their order, and the rules of tracing. */
import type { HookEvent, HookName, HookSlot, PluginOrigin, Trace, TraceRules } from "@/generated/protocol";
import { OperationError } from "../types";
import type { Table } from "./operations";
import type { World } from "./world";

type ObserveOperations = Pick<Table, "hook.list" | Extract<keyof Table, `trace.${string}`>>;

export const TRACE_RULES: Required<TraceRules> = { off: [], redact: ["\\b\\d{4}[ -]?\\d{4}[ -]?\\d{4}[ -]?\\d{4}\\b"], redactFields: ["/params/password"], keep: 2_000, otlp: null };

const slot = (plugin: string, origin: PluginOrigin, priority: number, why: string, calls: number, failures = 0): HookSlot => ({ plugin, origin, priority, timeoutMs: 15_000, why, calls, failures });
const TRANSFORM = "One after the other; each gets what the one before made. One that fails is passed over.";
const GATE = "One after the other; the first that blocks ends it. One that fails blocks.";
const OBSERVE = "All at once; nothing they answer changes anything.";
const event = (name: HookName, kind: "observe" | "transform" | "gate", rule: string, ...handlers: HookSlot[]): HookEvent => ({ event: name, kind, rule, handlers });

export const HOOKS: HookEvent[] = [
  event("message_received", "transform", TRANSFORM,
    slot("redact", "bundled", 100, "Highest priority.", 1_482),
    slot("indexer", "global", 0, "Same priority as echo, and indexer comes before it by name.", 1_470, 12),
    slot("notes", "workspace", 0, "Same priority; workspace plugins stand behind global ones.", 388)),
  event("before_agent_start", "transform", TRANSFORM, slot("echo", "bundled", 0, "The only one.", 1_466)),
  event("before_tool_call", "gate", GATE, slot("redact", "bundled", 100, "Highest priority.", 904), slot("echo", "bundled", 0, "Lower priority than redact.", 904)),
  event("after_tool_call", "transform", TRANSFORM, slot("redact", "bundled", 0, "The only one.", 861)),
  event("message_sending", "transform", TRANSFORM, slot("redact", "bundled", 0, "The only one.", 1_466)),
  event("message_sent", "observe", OBSERVE),
  event("session_start", "observe", OBSERVE, slot("digest", "global", 0, "The only one.", 62)),
  event("agent_end", "observe", OBSERVE),
  event("session_end", "observe", OBSERVE),
  event("gateway_start", "observe", OBSERVE, slot("digest", "global", 0, "The only one.", 1)),
];

function find(world: World, id: string): Trace {
  const trace = world.traces.find((row) => row.id === id);
  if (trace === undefined) throw new OperationError({ code: "not_found", message: `There is no trace ${id}.`, hint: "Only the newest are kept." });
  return trace;
}

function parses(expression: string): boolean {
  try {
    return new RegExp(expression) instanceof RegExp;
  } catch {
    return false;
  }
}

function report(trace: Trace): string {
  const rows = trace.steps.map((step) => `| ${step.startUs} | ${step.durationUs} | ${step.gate} | ${step.label} | ${step.plugin ?? ""} | ${step.outcome} |`);
  return [`# Trace ${trace.id}`, "", `From ${trace.origin}, ${new Date(trace.startedAt).toISOString()}`, "", "| µs | took | gate | what | plugin | outcome |", "|---:|---:|---|---|---|---|", ...rows, ""].join("\n");
}

const state = (world: World) => ({ rules: world.traceRules, kept: world.traces.length, exported: world.traceRules.otlp === null ? 0 : 118, failed: world.traceRules.otlp === null ? 0 : 3, error: world.traceRules.otlp === null ? null : "connection refused" });

export const OBSERVE_OPERATIONS: ObserveOperations = {
  "hook.list": (world) => (world.options.empty === true ? HOOKS.map((each) => ({ ...each, handlers: [] })) : HOOKS),
  "trace.list": (world, { session, plugin, outcome, origin, limit }) =>
    world.traces
      .filter((row) => session == null || row.session === session)
      .filter((row) => origin == null || row.origin === origin)
      .filter((row) => plugin == null || row.steps.some((step) => step.plugin === plugin))
      .filter((row) => outcome == null || row.steps.some((step) => step.outcome === outcome))
      .slice(0, limit ?? 50),
  "trace.get": (world, { id }) => find(world, id),
  "trace.report": (world, { id }) => ({ id, text: report(find(world, id)) }),
  "trace.rules": state,
  "trace.configure": (world, rules) => {
    const broken = (rules.redact ?? []).findIndex((each) => !parses(each));
    if (broken !== -1) throw new OperationError({ code: "invalid", message: `“redact[${broken}]”: the expression does not parse`, hint: "close what is open" });
    world.traceRules = { ...TRACE_RULES, ...rules };
    return state(world);
  },
};
