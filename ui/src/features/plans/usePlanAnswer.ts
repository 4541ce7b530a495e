/** Answers a plan. The first answer counts; whoever comes later is told which one that was. */
import { notify } from "@/data/notify";
import { useAct } from "@/data/operations";
import type { MessageId, PlanDecision, PlanOutcome } from "@/generated/protocol";

export const DECISIONS: Record<PlanDecision, string> = { accept: "accepted", accept_all: "accepted, in mode allow all", refine: "to be refined" };

function tellLate({ decision, first }: PlanOutcome): void {
  if (first) return;
  if (decision === null) notify({ tone: "info", message: "A newer plan has taken the place of this one.", hint: "Yours changed nothing; look at the newer one." });
  else notify({ tone: "info", message: `Somebody answered before you: ${DECISIONS[decision]}.`, hint: "That answer counts; yours changed nothing." });
}

export function usePlanAnswer(): { answer: (id: MessageId, decision: PlanDecision, text?: string) => void; pending: boolean } {
  const act = useAct("plan.answer", { onSuccess: tellLate });
  return { answer: (id, decision, text) => act.mutate({ id, decision, text: text ?? null }), pending: act.isPending };
}
