/** How far a plugin is trusted, in one word. */
import { FlaskConical, KeyRound, PencilLine, ShieldCheck, ShieldQuestion } from "lucide-react";
import { Badge } from "@/components/controls";
import type { TrustState } from "@/generated/protocol";
import { TRUST } from "./words";

const ICONS = { bundled: ShieldCheck, untrusted: ShieldQuestion, trusted: ShieldCheck, development: FlaskConical, changed: PencilLine, token: KeyRound };

/** `compact` leaves the sign alone where the window is narrow. */
export function TrustBadge({ trust, compact = false }: { trust: TrustState; compact?: boolean }) {
  const { label, tone, sentence } = TRUST[trust];
  const Icon = ICONS[trust];
  return (
    <Badge tone={tone} title={sentence}>
      <Icon aria-hidden className="size-3" />
      <span data-testid="trust" data-trust={trust} className={compact ? "max-[960px]:sr-only" : undefined}>
        {label}
      </span>
    </Badge>
  );
}
