/** The first steps: a line that holds nobody up, and behind it a channel, somebody who writes, an answer. */
import { Footprints, X } from "lucide-react";
import { useState } from "react";
import { Button, IconButton } from "@/components/Button";
import { Dialog, DialogFoot } from "@/components/Dialog";
import { ChannelSetup } from "@/features/channels/ChannelSetup";
import type { SourceSummary } from "@/generated/protocol";
import { endTour, goTour, showTour, type Tour as Steps, type TourStep, useTour } from "./tour";
import { AnswerStep, ChannelStep, DoneStep, WriteStep } from "./TourSteps";

const TITLES: Record<TourStep, string> = { channel: "Where shall people write?", write: "Write to it", answer: "Write again", done: "It works" };
const ORDER: readonly TourStep[] = ["channel", "write", "answer", "done"];
const place = (step: TourStep) => `${ORDER.indexOf(step) + 1} of ${ORDER.length}`;

export function Tour() {
  const tour = useTour();
  const [setting, setSetting] = useState<SourceSummary | null>(null);
  if (tour === null) return null;
  return (
    <>
      <aside data-testid="tour" aria-label="First steps" className="flex h-9 shrink-0 items-center gap-2 border-t border-line bg-list px-3">
        <Footprints aria-hidden className="size-4 text-muted" strokeWidth={1.75} />
        <p className="min-w-0 flex-1 truncate">
          First steps: {TITLES[tour.step]} <span className="text-faint">{place(tour.step)}</span>
        </p>
        <Button data-testid="tour-open" onClick={() => showTour(tour, true)}>
          Go on
        </Button>
        <IconButton label="Leave the first steps" onClick={endTour}>
          <X className="size-4" />
        </IconButton>
      </aside>
      {/* One dialog at a time: the channel's own set-up stands in for this one. */}
      {setting === null ? tour.open && <StepDialog tour={tour} onSetUp={setSetting} /> : <ChannelSetup source={setting} onClose={() => setSetting(null)} />}
    </>
  );
}

function StepDialog({ tour, onSetUp }: { tour: Steps; onSetUp: (source: SourceSummary) => void }) {
  const { step, channel } = tour;
  const at = ORDER.indexOf(step);
  const next = ORDER[at + 1] ?? "done";
  return (
    <Dialog open onClose={() => showTour(tour, false)} title={TITLES[step]} description={`First steps, ${place(step)}`}>
      <div className="flex flex-col gap-3 pb-4">
        {step === "channel" && <ChannelStep onChoose={onSetUp} onReady={(ready) => goTour("write", ready)} />}
        {step === "write" && <WriteStep channel={channel} onLetIn={() => goTour("answer", channel)} />}
        {step === "answer" && <AnswerStep channel={channel} onCame={() => goTour("done", channel)} />}
        {step === "done" && <DoneStep channel={channel} onOpen={endTour} />}
      </div>
      <DialogFoot>
        {at > 0 && step !== "done" && (
          <Button look="plain" onClick={() => goTour(ORDER[at - 1] ?? "channel", channel)}>
            Back
          </Button>
        )}
        {step === "done" ? (
          <Button look="primary" data-testid="tour-end" onClick={endTour}>
            Done
          </Button>
        ) : (
          <Button look="plain" data-testid="tour-skip" onClick={() => (step === "channel" ? endTour() : goTour(next, channel))}>
            {step === "channel" ? "Not now" : "Skip"}
          </Button>
        )}
      </DialogFoot>
    </Dialog>
  );
}
