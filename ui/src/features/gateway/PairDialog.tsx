/** Offers a place to a device: what it may do, then the code to scan, until it is there or the time is over. */
import { CircleCheck } from "lucide-react";
import { useEffect, useState } from "react";
import { Button } from "@/components/Button";
import { CopyButton } from "@/components/Code";
import { Field, Input, Select } from "@/components/controls";
import { Dialog, DialogFoot } from "@/components/Dialog";
import { useAct, useRead } from "@/data/operations";
import { QrCode } from "@/features/channels/QrCode";
import type { DeviceOffer, Scope } from "@/generated/protocol";
import { fromItsTop } from "@/lib/focus";
import { errorWords } from "@/lib/sentence";
import { capital } from "@/lib/words";
import { minutes, OFFERED, SCOPES } from "./words";

interface PairDialogProps {
  /** Devices that were there before. */
  known: readonly string[];
  onClose: () => void;
}

export function PairDialog({ known, onClose }: PairDialogProps) {
  const [before] = useState(known);
  const pair = useAct("device.pair", { quiet: true });
  const arrived = useRead("device.list", {}).data?.find(({ id }) => !before.includes(id));
  const offer = pair.data;
  return (
    <Dialog open onClose={onClose} title="Pair a device" {...(offer === undefined ? { description: "A phone, a tablet, another browser, or a program." } : {})}>
      {offer === undefined ? (
        <Wanted failure={pair.isError ? errorWords(pair.error.wire) : null} pending={pair.isPending} onOffer={(name, scope, days) => pair.mutate({ name, scope, expiresAfterDays: days })} onClose={onClose} />
      ) : arrived !== undefined ? (
        <div className="flex flex-col items-center gap-2 py-4 text-center" role="status" data-testid="paired">
          <CircleCheck aria-hidden className="size-8 text-good" />
          <p className="text-lg font-semibold">{arrived.name} is paired</p>
          <p className="text-muted">It {SCOPES[arrived.scope].name}.</p>
          <Button look="primary" className="mt-2" onClick={onClose}>
            Done
          </Button>
        </div>
      ) : (
        <Offer offer={offer} onAgain={() => pair.reset()} />
      )}
    </Dialog>
  );
}

interface WantedProps {
  failure: string | null;
  pending: boolean;
  onOffer: (name: string, scope: Scope, days: number | null) => void;
  onClose: () => void;
}

function Wanted({ failure, pending, onOffer, onClose }: WantedProps) {
  const [name, setName] = useState("Phone");
  const [scope, setScope] = useState<Scope>("approve");
  const [days, setDays] = useState("");
  return (
    <form
      className="flex flex-col gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        onOffer(name, scope, days === "" ? null : Number(days));
      }}
    >
      <Field label="Name" error={failure}>
        {(ids) => <Input {...ids} data-testid="pair-name" maxLength={64} value={name} onChange={(event) => setName(event.target.value)} />}
      </Field>
      <Field label="What it may do" hint={SCOPES[scope].note}>
        {(ids) => (
          <Select {...ids} data-testid="pair-scope" value={scope} onChange={(event) => setScope(OFFERED.find((each) => each === event.target.value) ?? "approve")}>
            {OFFERED.map((each) => (
              <option key={each} value={each}>
                {capital(SCOPES[each].name)}
              </option>
            ))}
          </Select>
        )}
      </Field>
      <Field label="Days it stays paired" hint="Empty: until you shut it out.">
        {(ids) => <Input {...ids} type="number" min={1} max={3650} data-testid="pair-days" className="w-32" value={days} onChange={(event) => setDays(event.target.value)} />}
      </Field>
      <DialogFoot>
        <Button onClick={onClose}>Cancel</Button>
        <Button type="submit" look="primary" data-testid="pair-offer" disabled={pending || name.trim() === ""}>
          Show the code
        </Button>
      </DialogFoot>
    </form>
  );
}

function Offer({ offer, onAgain }: { offer: DeviceOffer; onAgain: () => void }) {
  const left = useCountdown(offer.expiresAt);
  if (left <= 0) {
    return (
      <div className="flex flex-col items-center gap-3 py-4 text-center">
        <p role="status">Nobody showed the code in ten minutes; it is no longer good.</p>
        <Button look="primary" onClick={onAgain}>
          Offer again
        </Button>
      </div>
    );
  }
  return (
    <div ref={fromItsTop} className="flex flex-col items-center gap-3 text-center">
      <QrCode text={offer.url} />
      <p className="text-muted">Scan it with the device’s camera, or open the address there.</p>
      <p className="flex max-w-full items-center gap-1">
        <code className="selectable min-w-0 truncate rounded border border-line bg-sunken px-1.5 py-px font-mono text-sm" data-testid="pair-url">
          {offer.url}
        </code>
        <CopyButton text={offer.url} />
      </p>
      <p>
        Code <code className="selectable font-mono text-lg font-semibold tracking-widest" data-testid="pair-code">{offer.code}</code>
      </p>
      <p className="text-sm text-faint" role="timer" aria-label="Time left">
        Good for one device, for {minutes(left)}
      </p>
      {offer.reach === "loopback" && (
        <p className="rounded-lg bg-warn-soft px-3 py-2 text-left text-sm text-warn">
          This address is this machine’s own: it works for a browser here. For a phone, bring a tunnel here (Tailscale, ssh) and name it in <code className="font-mono">gateway.hosts</code>.
        </p>
      )}
    </div>
  );
}

/** Milliseconds that are left, by the second. */
function useCountdown(end: number): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  return end - now;
}
