/** What a person does with a channel's account: set it up, ask the platform, look for dangers, sign out. */
import { Activity, ShieldCheck, Wand2 } from "lucide-react";
import { useState } from "react";
import { Button } from "@/components/Button";
import { usePlatform } from "@/data/platform";
import type { Probe, SecurityWarning, SourceSummary } from "@/generated/protocol";
import { toOperationError } from "@/platform";
import { ChannelSetup } from "./ChannelSetup";

type Found = { of: "probe"; probe: Probe } | { of: "audit"; warnings: SecurityWarning[] } | { of: "failed"; message: string };

export function ChannelActions({ source, needsSetup }: { source: SourceSummary; needsSetup: boolean }) {
  const platform = usePlatform();
  const [open, setOpen] = useState(false);
  const [busy, setBusy] = useState(false);
  const [found, setFound] = useState<Found>();
  const ask = async (what: () => Promise<Found>) => {
    setBusy(true);
    setFound(await what().catch((cause: unknown) => ({ of: "failed" as const, message: toOperationError(cause).wire.message })));
    setBusy(false);
  };
  const { id } = source;
  return (
    <div className="flex flex-col gap-2">
      <div className="flex flex-wrap gap-2">
        <Button look={needsSetup ? "primary" : "outline"} icon={<Wand2 className="size-3.5" />} data-testid="setup-open" onClick={() => setOpen(true)}>
          {needsSetup ? "Set up" : "Set up again"}
        </Button>
        <Button disabled={busy} icon={<Activity className="size-3.5" />} data-testid="channel-test" onClick={() => void ask(async () => ({ of: "probe", probe: await platform.request("channel.probe", { id }) }))}>
          Test
        </Button>
        <Button disabled={busy} icon={<ShieldCheck className="size-3.5" />} data-testid="channel-audit" onClick={() => void ask(async () => ({ of: "audit", warnings: await platform.request("channel.audit", { id }) }))}>
          Check for risks
        </Button>
      </div>
      {found !== undefined && <Outcome found={found} />}
      {open && <ChannelSetup source={source} onClose={() => setOpen(false)} />}
    </div>
  );
}

function Outcome({ found }: { found: Found }) {
  if (found.of === "failed" || (found.of === "probe" && !found.probe.ok)) {
    return (
      <p role="status" data-testid="channel-told" className="text-bad">
        {found.of === "failed" ? found.message : found.probe.message}
      </p>
    );
  }
  if (found.of === "probe") {
    return (
      <p role="status" data-testid="channel-told" className="text-good">
        {found.probe.message} <span className="text-faint">{found.probe.latencyMs} ms</span>
      </p>
    );
  }
  if (found.warnings.length === 0) {
    return (
      <p role="status" data-testid="channel-told" className="text-good">
        Nothing to worry about was found.
      </p>
    );
  }
  return (
    <ul role="status" data-testid="channel-told" className="flex list-disc flex-col gap-1 pl-5 text-warn">
      {found.warnings.map((warning) => (
        <li key={warning.code}>{warning.message}</li>
      ))}
    </ul>
  );
}
