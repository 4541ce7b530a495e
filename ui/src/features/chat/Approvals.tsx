/** Tool calls that wait for a person. They stand above the composer, so that they cannot scroll away. */
import { ShieldQuestion } from "lucide-react";
import { Button } from "@/components/Button";
import { CodeBlock } from "@/components/layout";
import { useAct } from "@/data/operations";
import type { Approval, ApprovalDecision, SessionId } from "@/generated/protocol";
import { jsonText } from "@/lib/format";

const CHOICES: readonly { decision: ApprovalDecision; label: string; look: "primary" | "outline" | "danger" }[] = [
  { decision: "once", label: "Allow once", look: "primary" },
  { decision: "session", label: "Allow for this session", look: "outline" },
  { decision: "deny", label: "Deny", look: "danger" },
];

export function Approvals({ id, approvals }: { id: SessionId; approvals: readonly Approval[] }) {
  const approve = useAct("session.approve");
  const first = approvals[0];
  if (first === undefined) return null;
  return (
    <div role="alertdialog" aria-label={`Allow ${first.call.name}?`} className="mb-2 rounded-xl border border-warn/40 bg-raised p-3 shadow-pop">
      <div className="flex items-start gap-2">
        <ShieldQuestion aria-hidden className="mt-0.5 size-4 shrink-0 text-warn" />
        <div className="min-w-0 flex-1">
          <p className="font-medium">
            Allow <span className="font-mono text-sm">{first.call.name}</span>?
            {approvals.length > 1 && <span className="font-normal text-faint"> {approvals.length - 1} more after it</span>}
          </p>
          <p className="text-muted">{first.reason}</p>
          <CodeBlock text={jsonText(first.call.input)} className="mt-2 max-h-40" />
          <div className="mt-2.5 flex flex-wrap gap-2">
            {CHOICES.map(({ decision, label, look }) => (
              <Button key={decision} look={look} disabled={approve.isPending} data-testid={`approve-${decision}`} onClick={() => approve.mutate({ id, callId: first.call.callId, decision })}>
                {label}
              </Button>
            ))}
          </div>
        </div>
      </div>
    </div>
  );
}
