/** What one needs to say when something is wrong. */
import { Facts, Section } from "@/components/layout";
import { Failure, SkeletonRows } from "@/components/states";
import { useRead } from "@/data/operations";
import { Checks } from "@/features/life/Checks";
import { Crashes } from "@/features/life/Crashes";
import { LogTail } from "@/features/services/LogTail";
import type { Ledger } from "@/generated/protocol";
import { cn } from "@/lib/cn";
import { dateTime, duration } from "@/lib/time";

const LOG_EVERY_MS = 5_000;

export function Diagnostics() {
  const status = useRead("system.status", {});
  const log = useRead("log.tail", { limit: 500, level: "debug" }, { refetchInterval: LOG_EVERY_MS });
  if (status.isPending) return <SkeletonRows />;
  if (status.isError) return <Failure error={status.error} onRetry={() => void status.refetch()} />;
  const { version, home, startedAt, readyAfterMs, secretStore, ledger } = status.data;
  return (
    <>
      <Section title="Engine">
        <Facts
          rows={[
            ["Version", version],
            ["Runs since", dateTime(startedAt)],
            ["Ready after", duration(readyAfterMs)],
            ["Home", <code key="h" className="font-mono text-sm">{home}</code>],
            ["Secrets", secretStore],
          ]}
        />
      </Section>
      <Checks />
      <Crashes />
      <Section title="Messages">
        <LedgerView ledger={ledger} />
      </Section>
      <Section title="Log">
        <LogTail records={log.data ?? []} />
      </Section>
    </>
  );
}

const PARTS: readonly { key: Exclude<keyof Ledger, "accepted">; name: string; color: string }[] = [
  { key: "delivered", name: "Answered", color: "bg-dot-good" },
  { key: "pending", name: "On the way", color: "bg-accent" },
  { key: "refused", name: "Refused", color: "bg-dot-warn" },
  { key: "dead", name: "Given up", color: "bg-dot-bad" },
];

function LedgerView({ ledger }: { ledger: Ledger }) {
  const total = Math.max(1, ledger.accepted);
  return (
    <div className="flex flex-col gap-2">
      <div aria-hidden className="flex h-2 gap-px overflow-hidden rounded-full bg-hover">
        {PARTS.map(({ key, color }) => ledger[key] > 0 && <span key={key} className={cn(color, "min-w-1")} style={{ width: `${(ledger[key] / total) * 100}%` }} />)}
      </div>
      <ul className="flex flex-wrap gap-x-5 gap-y-1">
        <li className="text-muted">
          <span className="font-semibold text-ink tabular-nums">{ledger.accepted.toLocaleString()}</span> taken in
        </li>
        {PARTS.map(({ key, name, color }) => (
          <li key={key} className="flex items-center gap-1.5 text-muted">
            <span aria-hidden className={cn("size-2 rounded-full", color)} />
            <span className="font-semibold text-ink tabular-nums">{ledger[key].toLocaleString()}</span> {name.toLowerCase()}
          </li>
        ))}
      </ul>
    </div>
  );
}
