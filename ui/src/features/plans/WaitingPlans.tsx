/** Plans that wait, of all sessions. */
import { ArrowRight, ChevronRight, ListChecks } from "lucide-react";
import { useState } from "react";
import { Markdown } from "@/components/Markdown";
import { Section } from "@/components/layout";
import type { Plan } from "@/generated/protocol";
import { cn } from "@/lib/cn";
import { go } from "@/lib/route";
import { ago, dateTime, useNow } from "@/lib/time";
import { PlanAnswers } from "./PlanAnswers";

export function WaitingPlans({ plans }: { plans: readonly Plan[] }) {
  if (plans.length === 0) return null;
  return (
    <Section title="Plans">
      <ul className="flex flex-col gap-3">
        {plans.map((plan) => (
          <li key={plan.id}>
            <Card plan={plan} />
          </li>
        ))}
      </ul>
    </Section>
  );
}

function Card({ plan }: { plan: Plan }) {
  const { id, title, session, sessionName, channel, submittedAt } = plan;
  const [open, setOpen] = useState(false);
  const since = ago(submittedAt, Math.max(useNow(), submittedAt));
  return (
    <div role="group" aria-label={`Plan: ${title}`} data-testid={`waiting-plan-${id}`} className="flex flex-col gap-2.5 rounded-xl border border-warn/40 bg-raised p-3.5">
      <p className="flex flex-wrap items-center gap-x-2 gap-y-0.5 font-medium">
        <ListChecks aria-hidden className="size-4 shrink-0 text-warn" />
        <span className="min-w-0 [overflow-wrap:anywhere]">{title}</span>
        <span title={dateTime(submittedAt)} className="text-sm font-normal text-faint">
          {since === "now" ? "just now" : `${since} ago`}
        </span>
        <button
          type="button"
          onClick={() => go({ view: "sessions", filter: { by: channel === null ? "all" : "channels" }, session })}
          className="ml-auto flex min-w-0 items-center gap-1 rounded px-1 font-normal text-muted hover:bg-hover hover:text-ink"
        >
          <span className="truncate">in {sessionName ?? "a session"}</span>
          <ArrowRight aria-hidden className="size-3.5 shrink-0" />
        </button>
      </p>
      <button type="button" aria-expanded={open} onClick={() => setOpen(!open)} className="-ml-1 flex h-6 items-center gap-1 self-start rounded px-1 text-sm text-muted hover:text-ink">
        <ChevronRight aria-hidden className={cn("size-3.5 transition-transform", open && "rotate-90")} />
        {open ? "Hide the plan" : "Read the plan"}
      </button>
      {open && <Markdown text={plan.plan} />}
      <PlanAnswers plan={plan} />
    </div>
  );
}
