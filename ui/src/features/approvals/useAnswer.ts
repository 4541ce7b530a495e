/** Answers a call that waits. The first answer counts; whoever comes later is told which one that was. */
import { notify } from "@/data/notify";
import { useAct } from "@/data/operations";
import { useChats } from "@/features/chat/useChat";
import type { ApprovalDecision, ApprovalOutcome } from "@/generated/protocol";
import { OUTCOMES } from "./words";

export function useAnswer(): { answer: (code: string, decision: ApprovalDecision) => void; pending: boolean } {
  const chats = useChats();
  const onSuccess = ({ session, callId, decision, first }: ApprovalOutcome) => {
    // The fact may not have come yet; the card must not offer what is decided.
    chats.take(session, { kind: "approval_resolved", callId, decision });
    if (!first) notify({ tone: "info", message: `Somebody answered before you: ${OUTCOMES[decision]}.`, hint: "That answer counts; yours changed nothing." });
  };
  const act = useAct("approval.answer", { onSuccess });
  return { answer: (code, decision) => act.mutate({ code, decision }), pending: act.isPending };
}
