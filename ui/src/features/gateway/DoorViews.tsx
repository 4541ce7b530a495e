/** What a browser shows while it is paired, and when it may not come in any longer. */
import { LoaderCircle, Unplug } from "lucide-react";
import { ConnectForms } from "./ConnectView";
import { DoorFrame } from "./DoorFrame";

export function PairingView() {
  return (
    <DoorFrame testId="pairing">
      <LoaderCircle aria-hidden className="size-6 animate-spin text-accent" />
      <h1 className="text-xl font-semibold">Pairing this device</h1>
      <p role="status" className="text-muted">A key is made here that never leaves this device.</p>
    </DoorFrame>
  );
}

export function ShutOutView({ reason }: { reason: string }) {
  return (
    <DoorFrame testId="shut-out">
      <Unplug aria-hidden className="size-8 text-bad" />
      <h1 className="text-xl font-semibold">This device was shut out</h1>
      <p role="alert" className="text-muted">{reason} To come back, pair it again.</p>
      <ConnectForms reason={null} />
    </DoorFrame>
  );
}
