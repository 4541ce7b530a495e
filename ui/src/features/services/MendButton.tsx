/** The one action that mends a state, as a button. */
import { Button } from "@/components/Button";
import { useAct } from "@/data/operations";
import type { SourceSummary, UserAction } from "@/generated/protocol";
import { go } from "@/lib/route";
import { mendOf } from "@/lib/status";

interface MendProps {
  source: SourceSummary;
  /** Brings the part of the detail view that mends it into sight. */
  onShow: (part: "settings" | "pairing") => void;
}

export function MendButton({ source, onShow }: MendProps) {
  const restart = useAct("source.restart");
  const mend = source.enabled ? mendOf(source.status.state, source.name) : null;
  if (mend === null) return null;
  const act = () => {
    if (mend.kind === "restart") restart.mutate({ id: source.id });
    else follow(mend.action, source, onShow, () => restart.mutate({ id: source.id }));
  };
  return (
    <Button look="primary" data-testid="mend" disabled={restart.isPending} onClick={act}>
      {mend.label}
    </Button>
  );
}

function follow(action: UserAction, source: SourceSummary, onShow: MendProps["onShow"], restart: () => void): void {
  switch (action.kind) {
    case "configure":
      onShow("settings");
      return;
    case "pair":
      onShow("pairing");
      return;
    case "trust":
      go({ view: "plugins", plugin: source.plugin });
      return;
    case "add_model":
      go({ view: "settings", section: "models" });
      return;
    case "relogin":
      // Signing in again begins at the source itself: a start without a valid sign-in asks for one.
      restart();
  }
}
