/** What the doctor found: each check with how it is, and what mends it. */
import { CircleAlert, CircleCheck, TriangleAlert } from "lucide-react";
import { Button } from "@/components/Button";
import { CodeBlock, Section } from "@/components/layout";
import { Failure, SkeletonRows } from "@/components/states";
import { useRead } from "@/data/operations";
import type { Check } from "@/generated/protocol";
import { plural } from "@/lib/format";
import { sentence } from "@/lib/sentence";

/** What mends it is a command line, or said in words. */
const COMMAND = /^(kata|chmod|chown|sudo|systemctl|loginctl|timedatectl|mkdir|apt(-get)?|brew) [^,;]*$/;

const RANK: Record<Check["outcome"], number> = { failed: 0, warning: 1, ok: 2 };

export function Checks() {
  const checks = useRead("doctor.run", {}, { fresh: true });
  const again = (
    <Button data-testid="check-again" disabled={checks.isFetching} onClick={() => void checks.refetch()}>
      Check again
    </Button>
  );
  return (
    <Section title="Checks" actions={again}>
      {checks.isPending && <SkeletonRows rows={4} />}
      {checks.isError && <Failure error={checks.error} onRetry={() => void checks.refetch()} />}
      {checks.data !== undefined && <Found checks={checks.data} />}
    </Section>
  );
}

function Found({ checks }: { checks: readonly Check[] }) {
  const bad = checks.filter(({ outcome }) => outcome !== "ok").toSorted((a, b) => RANK[a.outcome] - RANK[b.outcome]);
  const good = checks.length - bad.length;
  return (
    <>
      <p className="text-muted" data-testid="checks-summary">
        {bad.length === 0 ? `All ${plural(good, "check")} passed.` : `${plural(good, "check")} passed, ${bad.length} did not.`}
      </p>
      <ul className="flex flex-col gap-3">
        {bad.map((check) => (
          <Row key={check.id} check={check} />
        ))}
      </ul>
      <details>
        <summary className="cursor-pointer text-muted">What was looked at</summary>
        <ul className="mt-2 flex flex-col gap-1">
          {checks.map((check) => (
            <li key={check.id} className="flex items-center gap-2">
              <Mark outcome={check.outcome} />
              <span className="w-44 shrink-0">{check.title}</span>
              <span className="selectable min-w-0 truncate text-muted" title={check.detail}>{check.detail}</span>
            </li>
          ))}
        </ul>
      </details>
    </>
  );
}

function Row({ check }: { check: Check }) {
  return (
    <li data-testid={`check-${check.id}`} data-outcome={check.outcome} className="flex gap-2.5">
      <span className="pt-0.5">
        <Mark outcome={check.outcome} />
      </span>
      <div className="flex min-w-0 flex-1 flex-col gap-1">
        <p className="selectable">
          <span className="font-medium">{check.title}:</span> {check.detail}
        </p>
        {check.mend !== null && (COMMAND.test(check.mend) ? <CodeBlock text={check.mend} /> : <p className="selectable text-muted">{sentence(check.mend)}</p>)}
      </div>
    </li>
  );
}

function Mark({ outcome }: { outcome: Check["outcome"] }) {
  switch (outcome) {
    case "ok":
      return <CircleCheck role="img" aria-label="Passed" className="size-4 shrink-0 text-good" />;
    case "warning":
      return <TriangleAlert role="img" aria-label="Could be better" className="size-4 shrink-0 text-warn" />;
    case "failed":
      return <CircleAlert role="img" aria-label="Does not work" className="size-4 shrink-0 text-bad" />;
  }
}
