/** An update's stage in words. */
import type { UpdateStage, UpdateState } from "@/generated/protocol";
import { plural } from "@/lib/format";

/** It cannot be interrupted by another piece of work. */
export const atWork = ({ stage }: UpdateStage): boolean => stage === "checking" || stage === "downloading" || stage === "draining" || stage === "installing";

export function stageWords({ stage, offer }: UpdateState): string {
  switch (stage.stage) {
    case "idle":
      return offer === null ? "Nothing newer is known." : `Version ${offer.version} can be installed.`;
    case "checking":
      return "Asking the server…";
    case "downloading":
      return "Fetching the new version…";
    case "ready":
      return `The new version is here and waits for ${stage.waitsFor}.`;
    case "draining":
      return stage.busy === 0 ? "About to be installed…" : `Waits until ${plural(stage.busy, "session has", "sessions have")} finished…`;
    case "installing":
      return "Being installed; the app starts again in a moment.";
    case "failed":
      return stage.message;
  }
}

/** What stands at the foot of the window; nothing where there is nothing to say. */
export function footWords(state: UpdateState): string | null {
  if (state.unavailable !== null) return null;
  const { stage, offer } = state;
  if (stage.stage === "draining" || stage.stage === "installing") return stageWords(state);
  if (offer === null || offer.dismissed) return null;
  return stage.stage === "ready" ? `Version ${offer.version} is ready` : `Version ${offer.version} is there`;
}
