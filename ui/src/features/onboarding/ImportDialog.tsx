/** What can be taken over from another program, as a list to tick; and afterwards, what was done. */
import { useState } from "react";
import { Button } from "@/components/Button";
import { Dialog, DialogFoot } from "@/components/Dialog";
import { useAct } from "@/data/operations";
import type { ImportCandidate, ImportItem, ImportReport } from "@/generated/protocol";
import { sentence } from "@/lib/sentence";

export function ImportDialog({ candidate, onClose }: { candidate: ImportCandidate; onClose: () => void }) {
  const run = useAct("import.run", { quiet: true });
  return (
    <Dialog open onClose={onClose} title={`Take over from ${candidate.title}`} description={`Nothing in ${candidate.path} is changed, and no channel is switched on.`} className="w-[640px]">
      {run.data === undefined ? (
        <Choose candidate={candidate} busy={run.isPending} error={run.error?.wire.message ?? null} onRun={(items) => run.mutate({ from: candidate.from, path: candidate.path, items })} onClose={onClose} />
      ) : (
        <Done report={run.data} onClose={onClose} />
      )}
    </Dialog>
  );
}

interface ChooseProps {
  candidate: ImportCandidate;
  busy: boolean;
  error: string | null;
  onRun: (items: string[]) => void;
  onClose: () => void;
}

function Choose({ candidate, busy, error, onRun, onClose }: ChooseProps) {
  const can = candidate.items.filter(({ importable }) => importable);
  const cannot = candidate.items.filter(({ importable }) => !importable);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(() => new Set(can.filter(({ proposed }) => proposed).map(({ id }) => id)));
  const toggle = (id: string) => setChosen((now) => new Set(now.has(id) ? [...now].filter((each) => each !== id) : [...now, id]));
  return (
    <div className="flex flex-col gap-4">
      {can.length === 0 && <p className="text-muted">There is nothing to take over, or it is here already.</p>}
      <ul className="flex flex-col gap-3">
        {can.map((item) => (
          <li key={item.id}>
            <label className="flex items-start gap-2.5">
              <input type="checkbox" data-testid={`import-${item.id}`} className="mt-1 accent-accent" checked={chosen.has(item.id)} disabled={busy} onChange={() => toggle(item.id)} />
              <Words item={item} />
            </label>
          </li>
        ))}
      </ul>
      {cannot.length > 0 && (
        <details>
          <summary className="cursor-pointer text-muted">What is left there, and why ({cannot.length})</summary>
          <Rows items={cannot} />
        </details>
      )}
      {error !== null && (
        <p role="alert" className="text-bad selectable">
          {sentence(error)}
        </p>
      )}
      <DialogFoot>
        <Button look="plain" onClick={onClose}>
          {can.length === 0 ? "Close" : "Not now"}
        </Button>
        {can.length > 0 && (
          <Button look="primary" data-testid="import-run" disabled={busy || chosen.size === 0} onClick={() => onRun([...chosen])}>
            {busy ? "Taking over…" : `Take over ${chosen.size} ${chosen.size === 1 ? "thing" : "things"}`}
          </Button>
        )}
      </DialogFoot>
    </div>
  );
}

function Done({ report, onClose }: { report: ImportReport; onClose: () => void }) {
  const failed = report.left.filter(({ importable, reason }) => importable && reason !== "It was not chosen.");
  return (
    <div className="flex flex-col gap-4" data-testid="import-done">
      <p>{report.done.length === 0 ? "Nothing was taken over." : `${report.done.length} ${report.done.length === 1 ? "thing was" : "things were"} taken over.`}</p>
      <Rows items={report.done} />
      {failed.length > 0 && (
        <div role="alert">
          <p className="text-bad">Not taken over:</p>
          <Rows items={failed} />
        </div>
      )}
      {report.backup != null && <p className="text-sm text-faint [overflow-wrap:anywhere]">Your settings as they were: {report.backup}</p>}
      <DialogFoot>
        <Button look="primary" onClick={onClose}>
          Close
        </Button>
      </DialogFoot>
    </div>
  );
}

function Rows({ items }: { items: readonly ImportItem[] }) {
  return (
    <ul className="mt-2 flex flex-col gap-3">
      {items.map((item) => (
        <li key={item.id}>
          <Words item={item} />
        </li>
      ))}
    </ul>
  );
}

function Words({ item }: { item: ImportItem }) {
  return (
    <span className="min-w-0 flex-1">
      <span className="block font-medium">{item.label}</span>
      <span className="block text-sm text-muted [overflow-wrap:anywhere]">{item.detail}</span>
      {item.reason != null && <span className="block text-sm text-faint">{item.reason}</span>}
    </span>
  );
}
