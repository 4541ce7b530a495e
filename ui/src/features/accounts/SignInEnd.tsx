/** How a sign-in ended. */
import { CircleAlert, CircleCheck } from "lucide-react";
import { Button } from "@/components/Button";
import type { OauthProgress, SourceSummary } from "@/generated/protocol";
import { focusOnMount } from "@/lib/focus";
import { sentence } from "@/lib/sentence";
import { FAILED } from "./words";

interface EndProps {
  source: SourceSummary;
  progress: Exclude<OauthProgress, { kind: "waiting" }>;
  onAgain: () => void;
  onClose: () => void;
}

export function SignInEnd({ source, progress, onAgain, onClose }: EndProps) {
  const done = progress.kind === "done";
  return (
    <div role="status" data-testid="sign-in-end" className="flex flex-col items-center gap-1 pt-2 text-center">
      {done ? <CircleCheck aria-hidden className="mb-1.5 size-7 text-good" strokeWidth={1.5} /> : <CircleAlert aria-hidden className="mb-1.5 size-7 text-bad" strokeWidth={1.5} />}
      <p className="selectable font-medium">{done ? (progress.account === null ? "Signed in." : `Signed in as ${progress.account}.`) : sentence(progress.message)}</p>
      <p className="max-w-80 text-muted">{done ? `${source.name} is starting.` : (FAILED[progress.code] ?? "Begin again.")}</p>
      <div className="mt-3 flex gap-2">
        {!done && (
          <Button look="primary" data-testid="sign-in-again" onClick={onAgain}>
            Begin again
          </Button>
        )}
        <Button look={done ? "primary" : "outline"} data-testid="sign-in-close" ref={done ? focusOnMount : undefined} onClick={onClose}>
          {done ? "Done" : "Close"}
        </Button>
      </div>
    </div>
  );
}
