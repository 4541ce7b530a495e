/** A new source is there and has been tried: how it stands, and what it still needs. */
import { LogIn } from "lucide-react";
import { useState } from "react";
import { Button } from "@/components/Button";
import { Dialog, DialogFoot } from "@/components/Dialog";
import { StatusBadge } from "@/components/StatusBadge";
import { Failure, SkeletonRows } from "@/components/states";
import { useAct, useRead } from "@/data/operations";
import { FIGURES_EVERY_MS } from "@/data/series";
import { SignIn } from "@/features/accounts/SignIn";
import { useProviderName } from "@/features/accounts/useProviderName";
import type { SourceDetail, SourceId } from "@/generated/protocol";
import { plural } from "@/lib/format";
import { go } from "@/lib/route";
import { toneOf } from "@/lib/status";
import { EditSource } from "./EditSource";
import { Secrets } from "./Secrets";
import { TestResult, useTest } from "./TestResult";

export function AddDone({ id, onClose }: { id: SourceId; onClose: () => void }) {
  const detail = useRead("source.get", { id }, { refetchInterval: FIGURES_EVERY_MS });
  return (
    <Dialog open onClose={onClose} title={detail.data === undefined ? "Added" : `${detail.data.summary.name} is added`}>
      {detail.data !== undefined ? <Body detail={detail.data} onClose={onClose} /> : detail.isError ? <Failure error={detail.error} onRetry={() => void detail.refetch()} /> : <SkeletonRows rows={2} />}
    </Dialog>
  );
}

function Body({ detail, onClose }: { detail: SourceDetail; onClose: () => void }) {
  const { summary, secrets, signsInAt, tools } = detail;
  const { id, status } = summary;
  const test = useTest(id);
  const secret = useAct("source.secret");
  const provider = useProviderName(signsInAt, summary.name);
  const [signingIn, setSigningIn] = useState(false);
  const [changing, setChanging] = useState(false);
  const wantsSignIn = signsInAt !== null && status.state.kind === "needs_user" && status.state.action.kind === "relogin";
  const open = () => {
    onClose();
    go({ view: "sources", source: id });
  };
  return (
    <div data-testid="add-done" className="flex flex-col gap-4">
      <div className="rounded-lg border border-line bg-list px-3.5 py-2.5">
        <StatusBadge status={status} full wrap testId="added-state" />
        {tools.length > 0 && <p className="pl-3.5 text-sm text-faint">It brings {plural(tools.length, "tool")}.</p>}
      </div>
      {secrets.length > 0 && <Secrets secrets={secrets} onStore={(name, value) => secret.mutateAsync({ id, name, value })} />}
      {wantsSignIn && (
        <Button look="primary" data-testid="added-sign-in" icon={<LogIn className="size-3.5" />} className="self-start" onClick={() => setSigningIn(true)}>
          Sign in at {provider}
        </Button>
      )}
      <TestResult test={test} />
      <DialogFoot>
        {toneOf(status.state) !== "good" && (
          <Button data-testid="added-change" onClick={() => setChanging(true)}>
            Change…
          </Button>
        )}
        <Button data-testid="added-test" disabled={test.busy} onClick={test.ask}>
          {test.busy ? "Testing" : "Test"}
        </Button>
        <Button look={wantsSignIn ? "outline" : "primary"} data-testid="added-open" onClick={open}>
          Open it
        </Button>
      </DialogFoot>
      {changing && <EditSource source={summary} onClose={() => setChanging(false)} />}
      {signingIn && signsInAt !== null && <SignIn source={summary} at={signsInAt} name={provider ?? summary.name} onClose={() => setSigningIn(false)} />}
    </div>
  );
}
