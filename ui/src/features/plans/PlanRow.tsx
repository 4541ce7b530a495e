/** A plan in the transcript: whole, and with the answers while it waits. Those of old sessions wait for nothing. */
import { ListChecks } from "lucide-react";
import { Markdown } from "@/components/Markdown";
import { useRead } from "@/data/operations";
import type { Message } from "@/generated/protocol";
import { PlanAnswers } from "./PlanAnswers";

export function PlanRow({ message: { id, content } }: { message: Message }) {
  const plan = (useRead("plan.list", {}).data ?? []).find((each) => each.id === id);
  return (
    <div role="group" aria-label="Plan" data-testid={`plan-${id}`} className={plan === undefined ? "rounded-lg border border-line" : "rounded-lg border border-warn/40"}>
      <p className="flex items-center gap-2 border-b border-line px-3 py-2 font-medium">
        <ListChecks aria-hidden className="size-4 text-accent" />
        {plan === undefined ? "Plan" : "This plan waits for your answer"}
      </p>
      <div className="px-3 py-2.5">
        <Markdown text={content} />
      </div>
      {plan !== undefined && (
        <div className="border-t border-line px-3 py-2.5">
          <PlanAnswers plan={plan} />
        </div>
      )}
    </div>
  );
}
