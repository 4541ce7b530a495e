/** What the signature beside the manifest says. */
import { BadgeCheck, BadgeX } from "lucide-react";
import type { PluginSignature } from "@/generated/protocol";

export function SignatureLine({ signature }: { signature: PluginSignature }) {
  switch (signature.kind) {
    case "none":
      return <span className="text-muted">Not signed.</span>;
    case "invalid":
      return (
        <span className="inline-flex items-start gap-1.5 text-bad">
          <BadgeX aria-hidden className="mt-0.5 size-4 shrink-0" />
          <span>Does not fit: {signature.reason}</span>
        </span>
      );
    case "valid":
      return (
        <span className="inline-flex items-start gap-1.5">
          <BadgeCheck aria-hidden className={signature.known ? "mt-0.5 size-4 shrink-0 text-good" : "mt-0.5 size-4 shrink-0 text-faint"} />
          <span className="min-w-0">
            Fits the files; {signature.known ? "you have remembered its key" : "its key is new to you"} <code className="font-mono text-sm whitespace-nowrap">{signature.keyId}</code>
            {signature.comment !== "" && <span className="block text-sm text-faint">“{signature.comment}”</span>}
          </span>
        </span>
      );
  }
}
