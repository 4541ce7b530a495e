/** What is wrong with a source's files, so that it is seen where the source is looked at. */
import { FileWarning } from "lucide-react";
import { Button } from "@/components/Button";

export function FileFaults({ faults, onOpen }: { faults: readonly string[]; onOpen?: () => void }) {
  return (
    <div role="alert" data-testid="file-faults" className="flex flex-wrap items-start gap-x-3 gap-y-2 rounded-lg border border-warn/40 bg-warn-soft px-3.5 py-2.5">
      <FileWarning aria-hidden className="mt-0.5 size-4 shrink-0 text-warn" strokeWidth={1.75} />
      <ul className="selectable min-w-0 flex-1 [overflow-wrap:anywhere]">
        {faults.map((fault) => (
          <li key={fault}>{fault}</li>
        ))}
      </ul>
      {onOpen !== undefined && <Button onClick={onOpen}>Open the files</Button>}
    </div>
  );
}
