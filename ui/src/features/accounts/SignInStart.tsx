/** Asks how: in the browser of this machine, or with a code on any device. */
import { Globe, Smartphone } from "lucide-react";
import type { ReactNode } from "react";
import { usePlatform } from "@/data/platform";
import type { OauthMethod } from "@/generated/protocol";
import { errorWords } from "@/lib/sentence";
import type { OperationError } from "@/platform";

interface StartProps {
  name: string;
  /** Whether the provider has codes for devices. */
  device: boolean;
  error: OperationError | null;
  busy: boolean;
  onStart: (method: OauthMethod) => void;
}

const HERE = /^(localhost|127\.|\[::1\])/;

export function SignInStart({ name, device, error, busy, onStart }: StartProps) {
  // The browser comes back to a loopback address, which must be the engine's machine.
  const elsewhere = usePlatform().kind === "socket" && !HERE.test(window.location.hostname);
  return (
    <div className="flex flex-col gap-3">
      <Way testId="sign-in-browser" icon={<Globe className="size-4" />} title="In the browser" busy={busy} onChoose={() => onStart("browser")}>
        {elsewhere ? `Only where the engine runs on the machine you look from; ${device ? "else take a code" : `else sign in there with “kata sources login”`}.` : `${name} opens in the browser of this machine. You sign in there and come back.`}
      </Way>
      {device && (
        <Way testId="sign-in-device" icon={<Smartphone className="size-4" />} title="With a code, on any device" busy={busy} onChoose={() => onStart("device")}>
          You type a short code at {name}, on a phone or another computer. For an engine that runs elsewhere.
        </Way>
      )}
      {error !== null && (
        <p role="alert" className="text-bad">
          {errorWords(error.wire)}
        </p>
      )}
    </div>
  );
}

function Way({ icon, title, children, busy, testId, onChoose }: { icon: ReactNode; title: string; children: ReactNode; busy: boolean; testId: string; onChoose: () => void }) {
  return (
    <button type="button" data-testid={testId} disabled={busy} onClick={onChoose} className="flex items-start gap-3 rounded-lg border border-line px-3.5 py-3 text-left hover:border-accent hover:bg-hover disabled:opacity-50">
      <span aria-hidden className="mt-0.5 text-accent">
        {icon}
      </span>
      <span>
        <span className="block font-medium">{title}</span>
        <span className="block text-sm text-muted">{children}</span>
      </span>
    </button>
  );
}
