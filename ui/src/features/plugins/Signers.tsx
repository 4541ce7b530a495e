/** Signing keys that were remembered: which plugins' updates each carries over, and forgetting one. */
import { KeyRound } from "lucide-react";
import { useState } from "react";
import { Button } from "@/components/Button";
import { CopyButton } from "@/components/Code";
import { Confirm } from "@/components/Confirm";
import { Section } from "@/components/layout";
import { Failure, SkeletonRows } from "@/components/states";
import { remember, useAct, useRead } from "@/data/operations";
import { useMay } from "@/data/platform";
import type { PluginSigner } from "@/generated/protocol";
import { go } from "@/lib/route";
import { ago, dateTime, useNow } from "@/lib/time";
import { useQueryClient } from "@tanstack/react-query";

export function Signers() {
  const signers = useRead("plugin.signers", {}, { fresh: true });
  return (
    <Section title="Signers of plugins">
      <p className="text-muted">An update that one of these keys has signed, and that asks for nothing new, is taken without asking you.</p>
      {signers.isPending ? (
        <SkeletonRows rows={2} />
      ) : signers.isError ? (
        <Failure error={signers.error} onRetry={() => void signers.refetch()} />
      ) : signers.data.length === 0 ? (
        <p className="text-faint">None is remembered. Where a plugin is signed, you can remember its key when you trust it.</p>
      ) : (
        <ul className="overflow-hidden rounded-lg border border-line">
          {signers.data.map((signer) => (
            <Row key={signer.keyId} signer={signer} />
          ))}
        </ul>
      )}
    </Section>
  );
}

function Row({ signer: { keyId, key, rememberedAt, plugins } }: { signer: PluginSigner }) {
  const client = useQueryClient();
  const now = Math.max(useNow(), rememberedAt);
  const since = ago(rememberedAt, now);
  const [asking, setAsking] = useState(false);
  const may = useMay("plugin.forget_signer");
  const forget = useAct("plugin.forget_signer", { onSuccess: (left) => remember(client, "plugin.signers", {}, left) });
  return (
    <li data-testid={`signer-${keyId}`} className="flex min-h-12 items-center gap-3 border-b border-line px-3 py-2 last:border-b-0">
      <KeyRound aria-hidden className="size-4 shrink-0 text-faint" strokeWidth={1.75} />
      <div className="min-w-0 flex-1">
        <p className="flex flex-wrap items-center gap-x-2">
          <code className="selectable font-mono text-sm font-medium">{keyId}</code>
          <CopyButton text={key} label="Copy the public key" />
        </p>
        <p className="text-sm text-faint">
          {plugins.length === 0 ? "no plugin" : plugins.map((id, i) => <PluginLink key={id} id={id} first={i === 0} />)} · <span title={dateTime(rememberedAt)}>remembered {since === "now" ? "just now" : `${since} ago`}</span>
        </p>
      </div>
      <Button look="danger" data-testid={`forget-${keyId}`} disabled={!may || forget.isPending} onClick={() => setAsking(true)}>
        Forget
      </Button>
      <Confirm open={asking} onClose={() => setAsking(false)} title={`Forget the key ${keyId}?`} action="Forget" onConfirm={() => forget.mutate({ keyId })}>
        The next update that it signs asks you, as one by a signer you do not know. What you trust now goes on as it is.
      </Confirm>
    </li>
  );
}

function PluginLink({ id, first }: { id: string; first: boolean }) {
  return (
    <>
      {!first && ", "}
      <button type="button" onClick={() => go({ view: "plugins", plugin: id })} className="text-muted underline-offset-2 hover:underline">
        {id}
      </button>
    </>
  );
}
