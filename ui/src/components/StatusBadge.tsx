/** The one way a state is shown, everywhere. */
import type { Status } from "@/generated/protocol";
import { cn } from "@/lib/cn";
import { statusWords, type Tone } from "@/lib/status";
import { useNow } from "@/lib/time";

const DOTS: Record<Tone, string> = {
  good: "bg-dot-good",
  warn: "bg-dot-warn",
  bad: "bg-dot-bad",
  busy: "bg-accent animate-[shimmer_1.2s_ease-in-out_infinite]",
  idle: "border-[1.5px] border-dot-idle",
};

const WORDS: Record<Tone, string> = { good: "text-muted", warn: "text-warn", bad: "text-bad", busy: "text-muted", idle: "text-faint" };

export function StatusDot({ tone, className }: { tone: Tone; className?: string }) {
  return <span aria-hidden className={cn("inline-block size-2 shrink-0 rounded-full", DOTS[tone], className)} />;
}

interface StatusBadgeProps {
  status: Status;
  /** With the sentence behind the words. */
  full?: boolean;
  /** Over several lines, where the sentence must be read whole. */
  wrap?: boolean;
  testId?: string;
  className?: string;
}

export function StatusBadge({ status, full = false, wrap = false, testId, className }: StatusBadgeProps) {
  const { tone, label, sentence } = statusWords(status, useNow());
  return (
    <span
      data-testid={testId}
      data-state={status.state.kind}
      title={sentence === "" ? label : `${label}: ${sentence}`}
      className={cn("inline-flex min-w-0 gap-1.5", wrap ? "items-start" : "items-center", WORDS[tone], className)}
    >
      <StatusDot tone={tone} className={wrap ? "mt-1.5" : ""} />
      <span className={wrap ? "[overflow-wrap:anywhere]" : "truncate"}>
        {label}
        {full && sentence !== "" && <span className="text-muted"> — {sentence}</span>}
      </span>
    </span>
  );
}
