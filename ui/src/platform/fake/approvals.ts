/** Tool calls that wait for a person, and what a person answered “always”. */
import type { AlwaysRule, Approval, ApprovalDecision, ApprovalOutcome, ToolCall } from "@/generated/protocol";
import { OperationError } from "../types";
import { minutesAgo } from "./clock";
import type { Table } from "./operations";
import type { World } from "./world";

const HOURS_24 = 24 * 3_600_000;
const LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789";

const pending = (callId: string, name: string, input: unknown): ToolCall => ({ callId, name, input, result: null, status: "pending", durationMs: null });

export function newCode(): string {
  return Array.from({ length: 6 }, () => LETTERS.charAt(Math.floor(Math.random() * LETTERS.length))).join("");
}

/** What “always” would allow; nothing where it cannot be said exactly. */
export function alwaysOf(call: ToolCall): AlwaysRule | null {
  const input = call.input as { command?: string; path?: string };
  if (call.name === "bash") {
    const command = input.command ?? "";
    return /[|&;<>$`\\(]/.test(command) ? null : { tool: "bash", prefix: command.trim().split(/\s+/).slice(0, 1), folder: null };
  }
  if (typeof input.path === "string") return { tool: call.name, prefix: [], folder: input.path.split("/").slice(0, -1).join("/") };
  return { tool: call.name, prefix: [], folder: null };
}

export function covers(rule: AlwaysRule, call: ToolCall): boolean {
  const own = alwaysOf(call);
  return own !== null && own.tool === rule.tool && own.folder === rule.folder && JSON.stringify(own.prefix) === JSON.stringify(rule.prefix);
}

export const APPROVALS: Approval[] = [
  {
    code: "T4W8KE",
    session: "261120-swift-crane",
    sessionName: "Flaky login test",
    turn: "turn-flaky",
    call: pending("call-flaky", "bash", { command: "npx vitest run src/login --repeats 40", timeoutMs: 240_000 }),
    reason: "This workspace asks before it runs a command.",
    always: { tool: "bash", prefix: ["npx", "vitest", "run"], folder: null },
    channel: null,
    requestedAt: minutesAgo(12),
    expiresAt: minutesAgo(12) + HOURS_24,
  },
  {
    code: "Q7M2RD",
    session: "261122-channel-ops",
    sessionName: "#ops",
    turn: "turn-ops",
    call: pending("call-ops", "bash", { command: "kubectl rollout restart deploy/export-worker && kubectl rollout status deploy/export-worker" }),
    reason: "Two commands in one; each must be looked at.",
    always: null,
    channel: "slack",
    requestedAt: minutesAgo(51),
    expiresAt: minutesAgo(51) + HOURS_24,
  },
];

function answer(world: World, approval: Approval | undefined, callId: string, decision: ApprovalDecision): ApprovalOutcome {
  if (approval === undefined) {
    const before = world.outcomes.get(callId);
    if (before === undefined) throw new OperationError({ code: "not_found", message: "No call waits under that name.", hint: "It may have been answered, or its time is over." });
    return { ...before, first: false };
  }
  const outcome: ApprovalOutcome = { session: approval.session, callId: approval.call.callId, decision, first: true };
  settle(world, approval, outcome);
  return outcome;
}

function settle(world: World, approval: Approval, outcome: ApprovalOutcome): void {
  const { session, call } = approval;
  world.approvals = world.approvals.filter((other) => other !== approval);
  world.outcomes.set(call.callId, outcome);
  world.outcomes.set(approval.code, outcome);
  if (outcome.decision === "always" && approval.always !== null) world.always = [...world.always, approval.always];
  const waiting = world.answers.get(call.callId);
  world.answers.delete(call.callId);
  world.publish({ topic: "approvals_changed" });
  world.say(session, { kind: "approval_resolved", callId: call.callId, decision: outcome.decision });
  if (waiting !== undefined) waiting(outcome.decision);
  else if (world.sessions.has(session)) world.change(session, { state: "idle" });
}

/** The turn they belong to was stopped. */
export function withdraw(world: World, session: string): void {
  for (const approval of world.approvals.filter((each) => each.session === session)) settle(world, approval, { session, callId: approval.call.callId, decision: "deny", first: true });
}

/** Somebody else was faster. */
export function answerElsewhere(world: World, code: string, decision: ApprovalDecision): void {
  const approval = world.approvals.find((each) => each.code === code);
  if (approval === undefined) return;
  // Quietly: the fact has not come yet when the person here presses the button.
  world.approvals = world.approvals.filter((other) => other !== approval);
  const outcome = { session: approval.session, callId: approval.call.callId, decision, first: true };
  world.outcomes.set(approval.call.callId, outcome);
  world.outcomes.set(code, outcome);
}

type ApprovalOperations = Pick<Table, "session.approve" | "approval.list" | "approval.answer">;

export const APPROVAL_OPERATIONS: ApprovalOperations = {
  "approval.list": (world, { session }) => world.approvals.filter((each) => session == null || each.session === session).toSorted((a, b) => a.requestedAt - b.requestedAt),
  "approval.answer": (world, { code, decision }) => answer(world, world.approvals.find((each) => each.code === code), code, decision),
  "session.approve": (world, { callId, decision }) => answer(world, world.approvals.find((each) => each.call.callId === callId), callId, decision),
};
