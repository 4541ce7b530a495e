/** Updates of the program: how they stand, what is offered, when they are put in, how the last one ended. */
import { useQueryClient } from "@tanstack/react-query";
import { CheckCircle2, Download, RefreshCw, TriangleAlert } from "lucide-react";
import { Button } from "@/components/Button";
import { Section } from "@/components/layout";
import { Markdown } from "@/components/Markdown";
import { Failure, SkeletonRows } from "@/components/states";
import { remember, useAct, useRead } from "@/data/operations";
import type { UpdateOffer, UpdateOutcome, UpdateState } from "@/generated/protocol";
import { bytes } from "@/lib/format";
import { agoWords, dateTime, useNow } from "@/lib/time";
import { UpdateRulesForm } from "./UpdateRulesForm";
import { atWork, stageWords } from "./updateWords";

export function Updates() {
  const state = useRead("update.get", {}, { fresh: true });
  if (state.isPending) return <SkeletonRows />;
  if (state.isError) return <Failure error={state.error} onRetry={() => void state.refetch()} />;
  const { unavailable, offer, last, rules } = state.data;
  return (
    <>
      <Section title={`Version ${state.data.current}`}>
        {unavailable === null ? <Now state={state.data} /> : <p data-testid="update-unavailable" className="text-muted">{unavailable}</p>}
        {last !== null && <Last last={last} />}
      </Section>
      {offer !== null && unavailable === null && <Offer offer={offer} state={state.data} />}
      <UpdateRulesForm rules={rules} />
    </>
  );
}

function Now({ state }: { state: UpdateState }) {
  const now = useNow();
  const client = useQueryClient();
  const check = useAct("update.check", { onSuccess: (next) => remember(client, "update.get", {}, next) });
  const { stage, checkedAt } = state;
  return (
    <div className="flex flex-col gap-2.5">
      <div className="flex items-center gap-3">
        <p role="status" data-testid="update-stage" className={stage.stage === "failed" ? "flex-1 text-bad" : "flex-1"}>
          {stageWords(state)}
        </p>
        <Button icon={<RefreshCw className="size-3.5" />} data-testid="update-check" disabled={check.isPending || atWork(stage)} onClick={() => check.mutate({})}>
          Look now
        </Button>
      </div>
      {stage.stage === "downloading" && stage.total !== null && stage.total > 0 && (
        <>
          <progress aria-label="Fetched" max={stage.total} value={stage.done} className="h-1.5 w-full accent-accent" />
          <p className="text-sm text-faint tabular-nums">
            {bytes(stage.done)} of {bytes(stage.total)}
          </p>
        </>
      )}
      <p className="text-sm text-faint">{checkedAt === null ? "It has not looked since it started." : `It looked ${agoWords(checkedAt, now)}.`}</p>
    </div>
  );
}

function Offer({ offer, state }: { offer: UpdateOffer; state: UpdateState }) {
  const client = useQueryClient();
  const keep = { onSuccess: (next: UpdateState) => remember(client, "update.get", {}, next) };
  const install = useAct("update.install", keep);
  const dismiss = useAct("update.dismiss", keep);
  const busy = install.isPending || dismiss.isPending || atWork(state.stage);
  return (
    <Section title={`New: version ${offer.version}`}>
      {offer.publishedAt !== null && <p className="text-sm text-faint">Published {dateTime(offer.publishedAt)}</p>}
      {offer.notes !== null && (
        <div data-testid="update-notes" className="selectable max-h-80 overflow-y-auto rounded-lg border border-line px-3.5 py-2.5">
          <Markdown text={offer.notes} />
        </div>
      )}
      <div className="flex flex-wrap items-center gap-2">
        <Button look="primary" icon={<Download className="size-3.5" />} data-testid="update-install" disabled={busy} onClick={() => install.mutate({ version: offer.version })}>
          Install and start again
        </Button>
        {offer.dismissed ? (
          <span className="text-faint">Put off; it is not installed by itself.</span>
        ) : (
          <Button data-testid="update-dismiss" disabled={busy} onClick={() => dismiss.mutate({ version: offer.version })}>
            Not this one
          </Button>
        )}
      </div>
      <p className="text-sm text-faint">Sessions finish their turns first; settings and messages are copied; if the new version does not become ready, this one comes back.</p>
    </Section>
  );
}

function Last({ last }: { last: UpdateOutcome }) {
  const Icon = last.ok ? CheckCircle2 : TriangleAlert;
  return (
    <p data-testid="update-last" className="flex items-start gap-2">
      <Icon aria-hidden className={last.ok ? "mt-0.5 size-4 shrink-0 text-good" : "mt-0.5 size-4 shrink-0 text-bad"} strokeWidth={1.75} />
      <span className="selectable">
        {last.message} <span className="text-faint">{dateTime(last.at)}</span>
      </span>
    </p>
  );
}
