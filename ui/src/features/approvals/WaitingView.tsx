/** Everything that waits for the person, over all sessions: tool calls, questions of sources, and people who want to write. */
import { ArrowRight, ShieldCheck } from "lucide-react";
import { ContentPane, Scroll, Section } from "@/components/layout";
import { Empty, Failure, SkeletonRows } from "@/components/states";
import { useRead } from "@/data/operations";
import { WaitingPlans } from "@/features/plans/WaitingPlans";
import { PairingRequests } from "@/features/sources/ChannelPolicy";
import type { Approval } from "@/generated/protocol";
import { go } from "@/lib/route";
import { ApprovalCard } from "./ApprovalCard";
import { Elicitations } from "./Elicitations";

export function WaitingView() {
  const approvals = useRead("approval.list", {});
  const questions = useRead("elicitation.list", {}).data ?? [];
  const pairing = useRead("pairing.list", {}).data ?? [];
  const plans = useRead("plan.list", {}).data ?? [];
  return (
    <ContentPane label="Waits for you" header={<h1 className="font-semibold">Waits for you</h1>}>
      {approvals.isPending ? (
        <SkeletonRows className="p-8" />
      ) : approvals.isError ? (
        <Failure error={approvals.error} onRetry={() => void approvals.refetch()} />
      ) : approvals.data.length === 0 && plans.length === 0 && questions.length === 0 && pairing.length === 0 ? (
        <Empty icon={ShieldCheck} title="Nothing waits for you">
          When the agent wants to do something it may not do by itself, in whatever session, the question stands here until you answer.
        </Empty>
      ) : (
        <Scroll>
          <div className="mx-auto flex max-w-[760px] flex-col gap-8 px-5 pt-6 pb-12 @xl:px-8">
            {approvals.data.length > 0 && (
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
            <WaitingPlans plans={plans} />
            {questions.length > 0 && (
              <Section title="Questions of sources">
                <Elicitations questions={questions} />
              </Section>
            )}
            {pairing.length > 0 && (
              <Section title="People who want to write">
                <PairingRequests requests={pairing} />
              </Section>
            )}
          </div>
        </Scroll>
      )}
    </ContentPane>
  );
}

function Jump({ approval: { session, sessionName, channel } }: { approval: Approval }) {
  const name = sessionName ?? "a session";
  return (
    <button
      type="button"
      data-testid={`jump-${session}`}
      onClick={() => go({ view: "sessions", filter: { by: channel === null ? "all" : "channels" }, session })}
      className="ml-auto flex min-w-0 items-center gap-1 rounded px-1 font-normal text-muted hover:bg-hover hover:text-ink"
    >
      <span className="truncate">in {name}</span>
      <ArrowRight aria-hidden className="size-3.5 shrink-0" />
    </button>
  );
}
