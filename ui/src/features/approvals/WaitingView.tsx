/** Everything that needs the person, over all sessions and sources: calls, questions and people by their cards, the rest by rows. */
import { ShieldCheck } from "lucide-react";
import { Badge } from "@/components/controls";
import { ContentPane, Scroll, Section } from "@/components/layout";
import { Empty, Failure, SkeletonRows } from "@/components/states";
import { useRead } from "@/data/operations";
import { WaitingPlans } from "@/features/plans/WaitingPlans";
import { PairingRequests } from "@/features/sources/ChannelPolicy";
import type { Attention } from "@/generated/protocol";
import { useNow } from "@/lib/time";
import { ApprovalCard } from "./ApprovalCard";
import { Elicitations } from "./Elicitations";
import { Jump } from "./Jump";
import { Need } from "./Need";
import { inOrder, NEEDS_YOU, useNeeds } from "./needs";

/** What has a card is shown by it. */
const BY_CARD: ReadonlySet<string> = new Set(["approval", "elicitation", "pairing", "plan"]);
const GROUPS: readonly { title: string; kinds: readonly string[] }[] = [
  { title: "Sources", kinds: ["source"] },
  { title: "Plugins", kinds: ["plugin"] },
  { title: "Undelivered", kinds: ["letter"] },
];
const known = new Set(GROUPS.flatMap(({ kinds }) => kinds));

export function WaitingView() {
  const needs = useNeeds();
  const approvals = useRead("approval.list", {});
  const questions = useRead("elicitation.list", {});
  const pairing = useRead("pairing.list", {});
  const plans = useRead("plan.list", {});
  const reads = [needs, approvals, questions, pairing, plans];
  const failed = reads.find((read) => read.isError);
  const rows = inOrder(needs.data ?? []).filter(({ kind }) => !BY_CARD.has(kind));
  const cards = (approvals.data?.length ?? 0) + (questions.data?.length ?? 0) + (pairing.data?.length ?? 0) + (plans.data?.length ?? 0);
  const count = needs.data?.length ?? 0;
  return (
    <ContentPane
      label={NEEDS_YOU}
      header={
        <>
          <h1 className="font-semibold">{NEEDS_YOU}</h1>
          {count > 0 && <Badge tone="warn">{count.toLocaleString()}</Badge>}
        </>
      }
    >
      {failed?.isError === true ? (
        <Failure error={failed.error} onRetry={() => reads.forEach((read) => void read.refetch())} />
      ) : reads.some((read) => read.isPending) ? (
        <SkeletonRows className="p-8" />
      ) : cards + rows.length === 0 ? (
        <Empty icon={ShieldCheck} title="Nothing needs you">
          Calls an agent may not make by itself, plans it hands in, people who want to write, sources and plugins that wait, messages that did not get through: they stand here until you have answered.
        </Empty>
      ) : (
        <Scroll>
          <div className="mx-auto flex max-w-[760px] flex-col gap-8 px-5 pt-6 pb-12 @xl:px-8">
            {approvals.data !== undefined && approvals.data.length > 0 && (
              <Section title="Tool calls">
                <ul className="flex flex-col gap-3">
                  {approvals.data.map((approval) => (
                    <li key={approval.code}>
                      <ApprovalCard approval={approval} aside={<Jump approval={approval} />} />
                    </li>
                  ))}
                </ul>
              </Section>
            )}
            <WaitingPlans plans={plans.data ?? []} />
            {questions.data !== undefined && questions.data.length > 0 && (
              <Section title="Questions of sources">
                <Elicitations questions={questions.data} />
              </Section>
            )}
            {pairing.data !== undefined && pairing.data.length > 0 && (
              <Section title="People who want to write">
                <PairingRequests requests={pairing.data} />
              </Section>
            )}
            {GROUPS.map(({ title, kinds }) => (
              <Rows key={title} title={title} rows={rows.filter(({ kind }) => kinds.includes(kind))} />
            ))}
            <Rows title="Kata Agents" rows={rows.filter(({ kind }) => !known.has(kind))} />
          </div>
        </Scroll>
      )}
    </ContentPane>
  );
}

function Rows({ title, rows }: { title: string; rows: readonly Attention[] }) {
  const now = useNow();
  if (rows.length === 0) return null;
  return (
    <Section title={title}>
      <ul className="flex flex-col gap-2">
        {rows.map((each) => (
          <li key={each.id}>
            <Need each={each} now={now} />
          </li>
        ))}
      </ul>
    </Section>
  );
}
