/** Asks the other side whether a source could work, apart from what runs, and says what came of it. */
import { CircleAlert, CircleCheck } from "lucide-react";
import { useState } from "react";
import { usePlatform } from "@/data/platform";
import type { Probe, SourceId } from "@/generated/protocol";
import { errorWords, sentence } from "@/lib/sentence";
import { duration } from "@/lib/time";
import { toOperationError } from "@/platform";

export interface Test {
  busy: boolean;
  found: Probe | null;
  ask: () => void;
}

export function useTest(id: SourceId): Test {
  const platform = usePlatform();
  const [busy, setBusy] = useState(false);
  const [found, setFound] = useState<Probe | null>(null);
  const ask = async () => {
    setBusy(true);
    setFound(await platform.request("source.test", { id }).catch((cause: unknown) => ({ ok: false, latencyMs: 0, message: errorWords(toOperationError(cause).wire) })));
    setBusy(false);
  };
  return { busy, found, ask: () => void ask() };
}

export function TestResult({ test: { found } }: { test: Test }) {
  return (
    <div role="status" data-testid="source-told" className="empty:hidden">
      {found !== null && (
        <p className={`flex items-start gap-2 ${found.ok ? "text-good" : "text-bad"}`}>
          {found.ok ? <CircleCheck aria-hidden className="mt-0.5 size-4 shrink-0" /> : <CircleAlert aria-hidden className="mt-0.5 size-4 shrink-0" />}
          <span className="selectable">
            {sentence(found.message)} {found.latencyMs > 0 && <span className="text-faint">{duration(found.latencyMs)}</span>}
          </span>
        </p>
      )}
    </div>
  );
}
