/** Leads a person through a channel's set-up, one step after the other, as its plugin says. */
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Dialog } from "@/components/Dialog";
import { Failure, SkeletonRows } from "@/components/states";
import { remember, useAct, useRead } from "@/data/operations";
import type { SetupStep, SourceSummary } from "@/generated/protocol";
import { SetupDone } from "./SetupDone";
import { StepForm } from "./StepForm";
import { StepWait } from "./StepWait";

interface ChannelSetupProps {
  source: SourceSummary;
  onClose: () => void;
}

/** Between two looks at a step that somebody else ends: a scan, a sign-in in the browser. */
const LOOK_EVERY_MS = 2_000;

const waits = (step: SetupStep | undefined) => step?.kind === "qr" || step?.kind === "open";

export function ChannelSetup({ source, onClose }: ChannelSetupProps) {
  const client = useQueryClient();
  const { id } = source;
  const [watched, setWatched] = useState(false);
  // A step that the person answers is not asked for again while they type: the plugin may ask its platform each time.
  const asked = useRead("channel.setup", { id }, { fresh: true, ...(watched ? { refetchInterval: LOOK_EVERY_MS } : {}) });
  const answer = useAct("channel.setup", { quiet: true, onSuccess: (next) => remember(client, "channel.setup", { id }, next) });
  const shown = asked.data;
  if (waits(shown) !== watched) setWatched(!watched);
  const told = shown !== undefined && "error" in shown ? shown.error : null;
  const error = answer.error?.wire.message ?? told ?? null;
  return (
    <Dialog open onClose={onClose} title={`Set up ${source.name}`} className="w-[560px]">
      {shown === undefined ? (
        asked.isError ? (
          <Failure error={asked.error} onRetry={() => void asked.refetch()} />
        ) : (
          <SkeletonRows />
        )
      ) : shown.kind === "done" ? (
        <SetupDone source={source} name={shown.name} onClose={onClose} />
      ) : shown.kind === "qr" || shown.kind === "open" ? (
        <StepWait key={shown.kind} step={shown} error={error} onLook={() => void asked.refetch()} />
      ) : (
        <StepForm
          // A step that comes again with an error keeps what was typed.
          key={`${shown.kind}-${shown.kind === "secret" ? shown.secret : shown.field}`}
          step={shown}
          error={error}
          busy={answer.isPending}
          onAnswer={(name, value) => answer.mutate({ id, answer: { name, value } })}
        />
      )}
    </Dialog>
  );
}
