/** What other programs left on this machine: the earlier app's home, which is open already, and what can be taken over. */
import { FolderCheck, Import } from "lucide-react";
import { useState } from "react";
import { Button } from "@/components/Button";
import { Skeleton } from "@/components/states";
import { useRead } from "@/data/operations";
import type { ImportCandidate } from "@/generated/protocol";
import { sentence } from "@/lib/sentence";
import { ImportDialog } from "./ImportDialog";

/** `quiet`: where nothing was found, nothing is shown. */
export function Found({ quiet = false }: { quiet?: boolean }) {
  const found = useRead("import.find", {}, { fresh: true });
  const [open, setOpen] = useState<string | null>(null);
  if (found.isPending) {
    return quiet ? null : (
      <div role="status" aria-label="Looking for other programs">
        <Skeleton className="h-12" />
      </div>
    );
  }
  if (found.isError) {
    // A configuration that cannot be read is the person's to know, also at the first run.
    return (
      <p role="alert" className="text-bad selectable">
        {sentence(found.error.wire.message)}
      </p>
    );
  }
  if (found.data.length === 0) return quiet ? null : <p className="text-faint">No other program left anything here.</p>;
  return (
    <div className="flex flex-col gap-2">
      {found.data.map((candidate) =>
        candidate.from === "kata-electron" ? <Earlier key={candidate.path} candidate={candidate} /> : <Other key={candidate.path} candidate={candidate} onOpen={() => setOpen(candidate.path)} />,
      )}
      {found.data.map((candidate) => candidate.path === open && <ImportDialog key={candidate.path} candidate={candidate} onClose={() => setOpen(null)} />)}
    </div>
  );
}

const BOX = "flex items-center gap-3 rounded-lg border border-line bg-raised px-3.5 py-2.5";

function Earlier({ candidate }: { candidate: ImportCandidate }) {
  const counts = candidate.items.filter(({ id }) => id !== "backup").map(({ label }) => label);
  const copy = candidate.items.find(({ id }) => id === "backup");
  return (
    <div data-testid="found-earlier" className={BOX}>
      <FolderCheck aria-hidden className="size-4 shrink-0 text-good" strokeWidth={1.75} />
      <div className="min-w-0 flex-1">
        <p className="font-medium">{candidate.title} is opened where it lies</p>
        <p className="text-sm text-faint">{counts.join(" · ")}</p>
        {copy !== undefined && <p className="text-sm text-faint [overflow-wrap:anywhere]">A copy of your settings from before is in {copy.detail}.</p>}
      </div>
    </div>
  );
}

function Other({ candidate, onOpen }: { candidate: ImportCandidate; onOpen: () => void }) {
  const count = candidate.items.filter(({ importable }) => importable).length;
  const channels = candidate.items.filter(({ id, importable }) => importable && id.startsWith("channel:")).map(({ label }) => label);
  return (
    <div data-testid={`found-${candidate.from}`} className={BOX}>
      <Import aria-hidden className="size-4 shrink-0 text-muted" strokeWidth={1.75} />
      <div className="min-w-0 flex-1">
        <p className="font-medium">{candidate.title} was found</p>
        <p className="truncate text-sm text-faint">{count === 0 ? "Everything that can be taken over is here." : channels.length > 0 ? channels.join(", ") : `${count} things can be taken over.`}</p>
      </div>
      <Button onClick={onOpen}>{count === 0 ? "Show" : "Take over…"}</Button>
    </div>
  );
}
