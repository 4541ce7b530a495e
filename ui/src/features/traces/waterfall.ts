/** Where the bars of a waterfall stand. Steps range from microseconds to seconds, so a bar is never thinner than a hair. */
import type { Gate, StepOutcome, Trace, TraceStep } from "@/generated/protocol";

export interface Bar {
  step: TraceStep;
  /** Percent of the width. */
  left: number;
  width: number;
}

const MIN_PERCENT = 0.6;

export function bars(trace: Trace): { totalUs: number; bars: Bar[] } {
  const totalUs = Math.max(1, ...trace.steps.map((step) => step.startUs + step.durationUs));
  return {
    totalUs,
    bars: trace.steps.map((step) => {
      const width = Math.max(MIN_PERCENT, (step.durationUs / totalUs) * 100);
      return { step, width, left: Math.min((step.startUs / totalUs) * 100, 100 - width) };
    }),
  };
}

const WORST: Record<StepOutcome, number> = { ok: 0, changed: 1, blocked: 2, timeout: 3, error: 4 };

/** The outcome that says most about the trace. */
export function outcomeOf(trace: Trace): StepOutcome {
  return trace.steps.reduce<StepOutcome>((worst, { outcome }) => (WORST[outcome] > WORST[worst] ? outcome : worst), "ok");
}

export const OUTCOMES: Record<StepOutcome, { words: string; tone: "plain" | "accent" | "good" | "warn" | "bad"; bar: string }> = {
  ok: { words: "passed", tone: "good", bar: "bg-dot-good" },
  changed: { words: "changed", tone: "accent", bar: "bg-accent" },
  blocked: { words: "blocked", tone: "warn", bar: "bg-dot-warn" },
  error: { words: "failed", tone: "bad", bar: "bg-dot-bad" },
  timeout: { words: "timed out", tone: "bad", bar: "bg-dot-bad" },
};

export const GATES: Record<Gate, string> = {
  ingress: "Ingress",
  router: "Router",
  hook: "Hook",
  mailbox: "Mailbox",
  model: "Model",
  tool: "Tool",
  outbox: "Outbox",
  send: "Send",
};

/** One line of an RFC 6902 patch, with what stood there before where the patch tests for it. */
export interface PatchLine {
  op: string;
  path: string;
  value: unknown;
  before?: unknown;
}

export function patchLines(diff: unknown): PatchLine[] {
  if (!Array.isArray(diff)) return [];
  const lines: PatchLine[] = [];
  const tested = new Map<string, unknown>();
  for (const each of diff as unknown[]) {
    if (typeof each !== "object" || each === null) continue;
    const { op, path, value } = each as Partial<PatchLine>;
    if (typeof op !== "string" || typeof path !== "string") continue;
    // A test before a change names what it replaces.
    if (op === "test") tested.set(path, value);
    else lines.push({ op, path, value, ...(tested.has(path) ? { before: tested.get(path) } : {}) });
  }
  return lines;
}
