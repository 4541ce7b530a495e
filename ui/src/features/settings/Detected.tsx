/** Models found on this machine. Looking costs nothing, and nothing is used before a click. */
import { KeyRound, MonitorSmartphone, RefreshCw } from "lucide-react";
import { Button } from "@/components/Button";
import { Skeleton } from "@/components/states";
import { useAct, useRead } from "@/data/operations";
import type { DetectedModel, ProviderSummary } from "@/generated/protocol";

interface DetectedProps {
  known: readonly ProviderSummary[];
  onUsed?: () => void;
}

export function Detected({ known, onUsed }: DetectedProps) {
  const found = useRead("model.detect", {});
  if (found.isPending) {
    return (
      <div role="status" aria-label="Looking for models" className="flex flex-col gap-2">
        <Skeleton className="h-12" />
        <Skeleton className="h-12" />
      </div>
    );
  }
  const fresh = (found.data ?? []).filter((model) => !known.some(({ settings }) => settings.kind === model.settings.kind && settings.model === model.settings.model));
  return (
    <div className="flex flex-col gap-2">
      {found.isError && <p className="text-bad">{found.error.wire.message}</p>}
      {!found.isError && fresh.length === 0 && <p className="text-faint">{known.length > 0 && (found.data?.length ?? 0) > 0 ? "Nothing that is not set up already." : "No key in the environment, and neither Ollama nor LM Studio answers."}</p>}
      {fresh.map((model) => (
        <FoundRow key={`${model.settings.id}-${model.found}`} model={model} onUsed={onUsed} />
      ))}
      <button type="button" className="flex h-6 items-center gap-1.5 self-start rounded text-sm text-muted hover:text-ink" onClick={() => void found.refetch()}>
        <RefreshCw aria-hidden className={found.isFetching ? "size-3.5 animate-spin" : "size-3.5"} />
        Look again
      </button>
    </div>
  );
}

function FoundRow({ model, onUsed }: { model: DetectedModel; onUsed: (() => void) | undefined }) {
  const set = useAct("model.set", { onSuccess: () => onUsed?.() });
  const { settings, keyEnv } = model;
  const Icon = keyEnv === null ? MonitorSmartphone : KeyRound;
  return (
    <div data-testid={`detected-${settings.id}`} className="flex items-center gap-3 rounded-lg border border-line bg-raised px-3.5 py-2.5">
      <Icon aria-hidden className="size-4 shrink-0 text-muted" strokeWidth={1.75} />
      <div className="min-w-0 flex-1">
        <p className="truncate font-medium">{settings.model}</p>
        <p className="truncate text-sm text-faint">{model.found}</p>
      </div>
      <Button look="primary" disabled={set.isPending} onClick={() => set.mutate({ settings, default: true, ...(keyEnv === null ? {} : { keyEnv }) })}>
        {keyEnv === null ? "Use it" : "Use this key"}
      </Button>
    </div>
  );
}
