/** Plans that wait, and what an answer does. */
import type { Plan, PlanDecision, PlanOutcome, SessionId } from "@/generated/protocol";
import { OperationError } from "../types";
import type { Table } from "./operations";
import { message } from "./sessions";
import type { World } from "./world";

/** The agent hands one in; an earlier one of the session is not asked for any more. */
export function handIn(world: World, session: SessionId, title: string, turnId: string): void {
  const plan = `# ${title}\n\n1. Look at what is there.\n2. Change it in small steps.\n3. Check that it works.`;
  const row = { ...message("plan", plan, { turnId }), timestamp: Date.now() };
  const { name, channel } = world.session(session);
  const waiting: Plan = { id: row.id, session, sessionName: name, title, plan, path: "plans/2026-11-22-plan.md", channel: channel?.slug ?? null, submittedAt: row.timestamp };
  world.plans = [...world.plans.filter((other) => other.session !== session), waiting];
  world.keep(session, row);
  world.publish({ topic: "approvals_changed" });
}

/** Somebody else was faster; the fact has not come yet. */
export function answerPlanElsewhere(world: World, id: string, decision: PlanDecision): void {
  const plan = world.plans.find((each) => each.id === id);
  if (plan === undefined) return;
  world.plans = world.plans.filter((each) => each !== plan);
  world.planOutcomes.set(id, { id, session: plan.session, decision, first: true });
}

function answer(world: World, id: string, decision: PlanDecision, text: string | null): PlanOutcome {
  const plan = world.plans.find((each) => each.id === id);
  if (plan === undefined) {
    const before = world.planOutcomes.get(id);
    if (before === undefined) throw new OperationError({ code: "not_found", message: "No plan waits under that name.", hint: "A newer one may have taken its place." });
    return { ...before, first: false };
  }
  if (decision === "refine" && (text ?? "").trim() === "") throw new OperationError({ code: "invalid", message: "“text”: say what should be different" });
  answerPlanElsewhere(world, id, decision);
  const { mode } = world.session(plan.session);
  if (decision === "accept_all") world.change(plan.session, { mode: "allow-all" });
  else if (decision === "accept" && mode === "safe") world.change(plan.session, { mode: "ask" });
  world.keep(plan.session, message("user", decision === "refine" ? (text ?? "") : `I accept “${plan.title}” (${plan.path}). Carry it out.`));
  world.publish({ topic: "approvals_changed" });
  return { id, session: plan.session, decision, first: true };
}

type PlanOperations = Pick<Table, "plan.list" | "plan.answer">;

export const PLAN_OPERATIONS: PlanOperations = {
  "plan.list": (world, { session }) => world.plans.filter((each) => session == null || each.session === session),
  "plan.answer": (world, { id, decision, text }) => answer(world, id, decision, text ?? null),
};
