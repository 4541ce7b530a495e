/** The one action that mends a state, as a button. */
import { Button } from "@/components/Button";
import { useAct } from "@/data/operations";
import type { SourceSummary, UserAction } from "@/generated/protocol";
import { go } from "@/lib/route";
import { mendOf } from "@/lib/status";

export type MendPart = "settings" | "pairing" | "log";

interface MendProps {
  source: SourceSummary;
  /** Name of the provider it signs in at; null where it signs in by itself. */
  signsInAt: string | null;
  /** Brings the part of the detail view that mends it into sight. */
  onShow: (part: MendPart) => void;
  onSignIn: () => void;
}

export function MendButton({ source, signsInAt, onShow, onSignIn }: MendProps) {
  const restart = useAct("source.restart");
  // Signing in is named after the provider; everything else after the source.
  const { state } = source.status;
  const name = state.kind === "needs_user" && state.action.kind === "relogin" ? (signsInAt ?? source.name) : source.name;
  const mend = source.enabled ? mendOf(state, name) : null;
  if (mend === null) return null;
  const again = () => restart.mutate({ id: source.id });
  const act = () => (mend.kind === "action" ? follow(mend.action) : mend.kind === "log" ? onShow("log") : again());
  const follow = (action: UserAction) => {
    switch (action.kind) {
      case "configure":
        return onShow("settings");
      case "pair":
        return onShow("pairing");
      case "trust":
        return go({ view: "plugins", plugin: source.plugin });
      case "add_model":
        return go({ view: "settings", section: "models" });
      case "relogin":
        // A source that signs in by itself asks for it when it starts without a valid sign-in.
        return signsInAt === null ? again() : onSignIn();
    }
  };
  return (
    <Button look="primary" data-testid="mend" disabled={restart.isPending} onClick={act}>
      {mend.label}
    </Button>
  );
}
