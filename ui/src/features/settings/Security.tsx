/** What a person should know before they leave it running; each finding with what mends it. */
import { CircleAlert, CircleCheck, Info, RefreshCw, TriangleAlert } from "lucide-react";
import { Button } from "@/components/Button";
import { WithCode } from "@/components/WithCode";
import { Empty, Failure, SkeletonRows } from "@/components/states";
import { useRead } from "@/data/operations";
import { Signers } from "@/features/plugins/Signers";
import type { Finding, Severity } from "@/generated/protocol";
import { sentence } from "@/lib/sentence";

const LOOKS: Record<Severity, { name: string; icon: typeof Info; color: string }> = {
  critical: { name: "Somebody can do harm now", icon: CircleAlert, color: "text-bad" },
  warning: { name: "Somebody could do more than you may think", icon: TriangleAlert, color: "text-warn" },
  info: { name: "Good to know", icon: Info, color: "text-muted" },
};
const ORDER: readonly Severity[] = ["critical", "warning", "info"];

export function Security() {
  return (
    <>
      <Findings />
      <Signers />
    </>
  );
}

function Findings() {
  const audit = useRead("security.audit", {}, { fresh: true });
  if (audit.isPending) return <SkeletonRows />;
  if (audit.isError) return <Failure error={audit.error} onRetry={() => void audit.refetch()} />;
  return (
    <>
      <div className="flex flex-wrap items-center gap-3">
        <p className="min-w-60 flex-1 text-muted">Channels, plugins, rules, files, devices: looked at now, on this machine. Nothing is changed.</p>
        <Button icon={<RefreshCw aria-hidden className={audit.isFetching ? "size-3.5 animate-spin" : "size-3.5"} />} onClick={() => void audit.refetch()}>
          Look again
        </Button>
      </div>
      {audit.data.length === 0 && (
        <Empty icon={CircleCheck} title="Nothing that you should know">
          No door is open wider than it has to be.
        </Empty>
      )}
      {ORDER.map((severity) => {
        const findings = audit.data.filter((finding) => finding.severity === severity);
        return findings.length > 0 && <Group key={severity} severity={severity} findings={findings} />;
      })}
    </>
  );
}

function Group({ severity, findings }: { severity: Severity; findings: readonly Finding[] }) {
  const { name, icon: Icon, color } = LOOKS[severity];
  return (
    <section aria-label={name} className="flex flex-col gap-2.5">
      <h2 className="flex items-center gap-2 font-semibold">
        <Icon aria-hidden className={`size-4 ${color}`} />
        {name}
      </h2>
      <ul className="flex flex-col gap-2">
        {findings.map((finding) => (
          <li key={`${finding.code} ${finding.about}`} data-testid={`finding-${finding.code}`} className="rounded-lg border border-line bg-raised px-3.5 py-2.5">
            <p className="flex items-baseline gap-2">
              <span className="selectable min-w-0 flex-1 font-medium [overflow-wrap:anywhere]">{finding.about}</span>
              <code className="font-mono text-sm text-faint">{finding.code}</code>
            </p>
            <p className="text-muted">{sentence(finding.message)}</p>
            {finding.mend != null && <p className="selectable mt-1 text-sm text-faint [overflow-wrap:anywhere]">To mend it: <WithCode text={finding.mend} /></p>}
          </li>
        ))}
      </ul>
    </section>
  );
}
