/** One call that waits for a person: what would run, who asks, what each answer means. */
import { Radio, ShieldQuestion } from "lucide-react";
import { type ReactNode, useId } from "react";
import { Button } from "@/components/Button";
import { CopyButton } from "@/components/Code";
import { Badge } from "@/components/controls";
import { useMay } from "@/data/platform";
import type { Approval, ApprovalDecision } from "@/generated/protocol";
import { useOriginName } from "@/features/sources/useOriginName";
import { ago, dateTime, until, useNow } from "@/lib/time";
import { toolName } from "@/lib/tools";
import { CallArguments } from "./CallArguments";
import { useAnswer } from "./useAnswer";
import { alwaysWords } from "./words";

interface CardProps {
  approval: Approval;
  /** Beside the question: how many follow, or the session it belongs to. */
  aside?: ReactNode;
  className?: string;
}

export function ApprovalCard({ approval, aside, className = "" }: CardProps) {
  const { code, call, reason, always, channel } = approval;
  const { tool, source } = toolName(call.name);
  const { answer, pending } = useAnswer();
  const rule = useId();
  const nameOf = useOriginName();
  const may = useMay("approval.answer");
  const choose = (decision: ApprovalDecision) => ({ disabled: pending || !may, className: "max-sm:h-11 max-sm:grow", "data-testid": `approve-${decision}`, onClick: () => answer(code, decision) });
  return (
    <div role="group" aria-label={`Allow ${call.name}?`} data-testid={`approval-${code}`} className={`rounded-xl border border-warn/40 bg-raised p-3.5 ${className}`}>
      <div className="flex items-start gap-2.5">
        <ShieldQuestion aria-hidden className="mt-0.5 size-4 shrink-0 text-warn" />
        <div className="min-w-0 flex-1">
          <p className="flex flex-wrap items-center gap-x-2 gap-y-0.5 font-medium">
            <span>
              Allow{" "}
              <span className="font-mono text-sm" title={call.name}>
                {tool}
              </span>
              {source !== null && ` of ${source}`}?
            </span>
            {channel !== null && (
              <Badge tone="accent" title={`Asked in ${nameOf(channel)}`}>
                <Radio aria-hidden className="size-3" />
                {nameOf(channel)}
              </Badge>
            )}
            {aside}
          </p>
          <p className="mb-2 text-muted">{reason}</p>
          <CallArguments call={call} />
          <div className="mt-3 flex flex-wrap gap-2">
            <Button look="primary" {...choose("once")}>
              Once
            </Button>
            {always !== null && (
              <>
                <Button aria-describedby={rule} {...choose("session")}>
                  For this session
                </Button>
                <Button aria-describedby={rule} {...choose("always")}>
                  Always
                </Button>
              </>
            )}
            <Button look="danger" {...choose("deny")}>
              Deny
            </Button>
          </div>
          {!may && <p className="mt-2 text-sm text-muted">This device may not answer: it was paired without the right to approve.</p>}
          {always !== null && (
            <p id={rule} className="mt-2 text-sm text-muted [overflow-wrap:anywhere]">
              Always: {alwaysWords(always).before} <code className="rounded bg-sunken px-1 font-mono text-ink">{alwaysWords(always).exact}</code>, in this workspace from now on.
            </p>
          )}
          <Foot approval={approval} />
        </div>
      </div>
    </div>
  );
}

function Foot({ approval: { code, requestedAt, expiresAt } }: { approval: Approval }) {
  // The clock of the page may be some seconds late.
  const now = Math.max(useNow(), requestedAt);
  const asked = ago(requestedAt, now);
  return (
    <p className="mt-1.5 flex flex-wrap items-center gap-x-1.5 text-sm text-faint">
      <span title={dateTime(requestedAt)}>{asked === "now" ? "Asked just now" : `Asked ${asked} ago`} ·</span>
      <span title={dateTime(expiresAt)}>{expiresAt > now ? `counts as denied ${until(expiresAt, now)}` : "its time is over"} ·</span>
      <span className="flex items-center">
        Code <code className="selectable ml-1 font-mono font-semibold tracking-wider text-muted">{code}</code>
        <CopyButton text={code} label="Copy the code" />
      </span>
    </p>
  );
}
