/** Devices that may come in: how each stands, and shutting one out. */
import { Plus, Smartphone } from "lucide-react";
import { useState } from "react";
import { Button } from "@/components/Button";
import { Confirm } from "@/components/Confirm";
import { Badge } from "@/components/controls";
import { Section } from "@/components/layout";
import { Failure, SkeletonRows } from "@/components/states";
import { useAct, useRead } from "@/data/operations";
import { useMay } from "@/data/platform";
import type { Device } from "@/generated/protocol";
import { dateTime, until, useNow } from "@/lib/time";
import { PairDialog } from "./PairDialog";
import { SCOPES, since } from "./words";

export function Devices() {
  const devices = useRead("device.list", {}, { fresh: true });
  const may = useMay("device.pair");
  const [pairing, setPairing] = useState(false);
  return (
    <Section
      title="Devices"
      actions={
        <Button icon={<Plus className="size-3.5" />} data-testid="pair-device" disabled={!may} onClick={() => setPairing(true)}>
          Pair a device
        </Button>
      }
    >
      {!may && <p className="text-muted">This device may see the others, not change who comes in.</p>}
      {devices.isPending ? (
        <SkeletonRows rows={2} />
      ) : devices.isError ? (
        <Failure error={devices.error} onRetry={() => void devices.refetch()} />
      ) : devices.data.length === 0 ? (
        <p className="text-faint">None yet. A phone or another browser is paired once, and shut out here at any time.</p>
      ) : (
        <ul className="overflow-hidden rounded-lg border border-line">
          {devices.data.map((device) => (
            <Row key={device.id} device={device} may={may} />
          ))}
        </ul>
      )}
      {pairing && <PairDialog known={devices.data?.map(({ id }) => id) ?? []} onClose={() => setPairing(false)} />}
    </Section>
  );
}

function Row({ device, may }: { device: Device; may: boolean }) {
  const { id, name, scope, keyed, connected, seenAt, expiresAt, pairedAt } = device;
  const now = Math.max(useNow(), seenAt ?? 0, pairedAt);
  const [asking, setAsking] = useState(false);
  const revoke = useAct("device.revoke");
  const over = expiresAt !== null && expiresAt <= now;
  const here = connected ? "here now" : seenAt === null ? "never here yet" : `last here ${since(seenAt, now)}`;
  return (
    <li data-testid={`device-${id}`} className="flex min-h-12 items-center gap-3 border-b border-line px-3 py-2 last:border-b-0">
      <Smartphone aria-hidden className={connected ? "size-4 shrink-0 text-good" : "size-4 shrink-0 text-faint"} strokeWidth={1.75} />
      <div className="min-w-0 flex-1">
        <p className="flex flex-wrap items-center gap-x-2 gap-y-0.5">
          <span className="selectable font-medium [overflow-wrap:anywhere]">{name}</span>
          <Badge title={SCOPES[scope].note}>{SCOPES[scope].name}</Badge>
          {!keyed && <Badge title="It has a token, not a key of its own.">token</Badge>}
          {over && <Badge tone="warn">its time is over</Badge>}
        </p>
        <p className="text-sm text-faint">
          <span title={seenAt === null ? "" : dateTime(seenAt)}>{here}</span> · <span title={dateTime(pairedAt)}>paired {since(pairedAt, now)}</span>
          {expiresAt !== null && !over && <span title={dateTime(expiresAt)}> · ends {until(expiresAt, now)}</span>}
        </p>
      </div>
      <Button look="danger" data-testid={`revoke-${id}`} disabled={!may || revoke.isPending} onClick={() => setAsking(true)}>
        Shut out
      </Button>
      <Confirm open={asking} onClose={() => setAsking(false)} title={`Shut ${name} out?`} action="Shut out" onConfirm={() => revoke.mutate({ id })}>
        Its connections end at once, and it has to be paired again to come back.
      </Confirm>
    </li>
  );
}
