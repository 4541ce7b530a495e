/** The end of the set-up: switch it on, and say how a conversation begins. */
import { CircleCheck } from "lucide-react";
import { Button } from "@/components/Button";
import { DialogFoot } from "@/components/Dialog";
import { StatusBadge } from "@/components/StatusBadge";
import { useAct, useRead } from "@/data/operations";
import type { SourceSummary } from "@/generated/protocol";

interface SetupDoneProps {
  source: SourceSummary;
  /** Account, as its platform calls it. */
  name: string;
  onClose: () => void;
}

export function SetupDone({ source, name, onClose }: SetupDoneProps) {
  const enable = useAct("source.enable");
  const now = useRead("source.get", { id: source.id }).data?.summary ?? source;
  return (
    <div className="flex flex-col gap-4" data-testid="setup-done">
      <p className="flex items-center gap-2 font-medium">
        <CircleCheck aria-hidden className="size-5 text-good" />
        Signed in as {name}
      </p>
      {now.enabled ? (
        <>
          <StatusBadge status={now.status} full wrap />
          <p className="text-muted">
            Write to <strong className="font-medium text-ink">{name}</strong> from your own account. You get a code there, and a request to let you in appears here.
          </p>
          <DialogFoot>
            <Button look="primary" data-testid="setup-close" onClick={onClose}>
              Done
            </Button>
          </DialogFoot>
        </>
      ) : (
        <>
          <p className="text-muted">Everything is there. The channel is still switched off.</p>
          <DialogFoot>
            <Button look="plain" onClick={onClose}>
              Later
            </Button>
            <Button look="primary" data-testid="setup-enable" disabled={enable.isPending} onClick={() => enable.mutate({ id: source.id, enabled: true })}>
              Switch it on
            </Button>
          </DialogFoot>
        </>
      )}
    </div>
  );
}
