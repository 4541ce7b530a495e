/** A step that somebody else ends: a code that is scanned, a sign-in in the browser. It is looked at again until it changes. */
import { ExternalLink } from "lucide-react";
import { Button } from "@/components/Button";
import { CopyButton } from "@/components/Code";
import { Markdown } from "@/components/Markdown";
import { usePlatform } from "@/data/platform";
import type { SetupStep } from "@/generated/protocol";
import { isWebUrl } from "@/platform";
import { QrCode } from "./QrCode";

interface StepWaitProps {
  step: Extract<SetupStep, { kind: "qr" | "open" }>;
  error: string | null;
  onLook: () => void;
}

export function StepWait({ step, error, onLook }: StepWaitProps) {
  const platform = usePlatform();
  return (
    <div className="flex flex-col gap-4" data-testid="setup-step" data-step={step.kind}>
      <h3 className="font-semibold" data-testid="setup-title">
        {step.title}
      </h3>
      {step.help !== "" && <Markdown text={step.help} />}
      {step.kind === "qr" ? (
        <QrCode text={step.text} />
      ) : (
        <div className="flex items-center gap-2">
          <Button look="primary" icon={<ExternalLink className="size-3.5" />} disabled={!isWebUrl(step.url)} onClick={() => void platform.openExternal(step.url)}>
            Open in the browser
          </Button>
          <CopyButton text={step.url} label="Copy the address" />
        </div>
      )}
      {error !== null && (
        <p role="alert" className="text-sm text-bad">
          {error}
        </p>
      )}
      <div className="flex items-center justify-between gap-3">
        <p role="status" className="flex items-center gap-2 text-sm text-faint">
          <span aria-hidden className="size-2 animate-pulse rounded-full bg-accent motion-reduce:animate-none" />
          {step.kind === "qr" ? "Waiting for the scan…" : "Waiting for the sign-in…"}
        </p>
        <Button look="plain" onClick={onLook}>
          Look again
        </Button>
      </div>
    </div>
  );
}
