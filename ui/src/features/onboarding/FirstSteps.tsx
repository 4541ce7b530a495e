/** Settings → First steps: the tour again, what other programs left, and copies of the home folder. */
import { Button } from "@/components/Button";
import { Section } from "@/components/layout";
import { Failure, SkeletonRows } from "@/components/states";
import { useAct, useRead } from "@/data/operations";
import { dateTime } from "@/lib/time";
import { Found } from "./Found";
import { showTour, startTour, useTour } from "./tour";

const WHY: Record<string, string> = { asked: "Asked for", "first-open": "Before the earlier app's home was opened", import: "Before something was taken over", update: "Before an update" };

export function FirstSteps() {
  const tour = useTour();
  return (
    <>
      <Section title="The first steps">
        <p className="text-muted">From a channel to an answered message, in four steps. Each can be skipped.</p>
        <Button className="self-start" data-testid="tour-start" onClick={() => (tour === null ? startTour() : showTour(tour, true))}>
          {tour === null ? "Begin" : "Go on"}
        </Button>
      </Section>
      <Section title="Other programs">
        <Found />
      </Section>
      <Backups />
    </>
  );
}

function Backups() {
  const backups = useRead("backup.list", {}, { fresh: true });
  const create = useAct("backup.create", { onSuccess: () => void backups.refetch() });
  return (
    <Section
      title="Copies of your home folder"
      actions={
        <Button data-testid="backup-create" disabled={create.isPending} onClick={() => create.mutate({})}>
          {create.isPending ? "Copying…" : "Make one now"}
        </Button>
      }
    >
      {backups.isPending ? (
        <SkeletonRows rows={2} className="p-0" />
      ) : backups.isError ? (
        <Failure error={backups.error} onRetry={() => void backups.refetch()} />
      ) : backups.data.length === 0 ? (
        <p className="text-faint">There is none yet.</p>
      ) : (
        <ul className="flex flex-col gap-2">
          {backups.data.map((backup) => (
            <li key={backup.path} className="flex flex-col">
              <span>
                {dateTime(backup.at)} · {WHY[backup.why] ?? backup.why} · {(backup.bytes / 1e6).toFixed(1)} MB
              </span>
              <code className="selectable font-mono text-sm text-faint [overflow-wrap:anywhere]">{backup.path}</code>
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}
