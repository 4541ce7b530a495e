/** How far a plugin is trusted, in one word. */
import { FlaskConical, PencilLine, ShieldCheck, ShieldQuestion } from "lucide-react";
import { Badge } from "@/components/controls";
import type { TrustState } from "@/generated/protocol";
import { TRUST } from "./words";

const ICONS = { bundled: ShieldCheck, untrusted: ShieldQuestion, trusted: ShieldCheck, development: FlaskConical, changed: PencilLine };

export function TrustBadge({ trust }: { trust: TrustState }) {
  const { label, tone, sentence } = TRUST[trust];
  const Icon = ICONS[trust];
  return (
    <Badge tone={tone} title={sentence}>
      <Icon aria-hidden className="size-3" />
      <span data-testid="trust" data-trust={trust}>
        {label}
      </span>
    </Badge>
  );
}
