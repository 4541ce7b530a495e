/** What tidying up would do, session by session, before it is done. */
import { Archive, Trash2 } from "lucide-react";
import { useState } from "react";
import { Button } from "@/components/Button";
import { Confirm } from "@/components/Confirm";
import { Section } from "@/components/layout";
import { titleOf } from "@/features/sessions/title";
import type { HygienePlan } from "@/generated/protocol";
import { plural } from "@/lib/format";
import { sentence } from "@/lib/sentence";

/** More would only be scrolled past. */
const SHOWN = 200;

export function Plan({ plan: { steps, lookedAt }, inForce, busy, onRun }: { plan: HygienePlan; inForce: boolean; busy: boolean; onRun: () => void }) {
  const [asking, ask] = useState(false);
  const gone = steps.filter(({ action }) => action === "delete").length;
  const kept = steps.length - gone;
  const words = [kept > 0 ? `${plural(kept, "session")} archived` : "", gone > 0 ? `${plural(gone, "session")} deleted` : ""].filter(Boolean).join(", ");
  return (
    <Section title="What would happen">
      <p role="status" className="text-muted">
        {steps.length === 0 ? "Nothing." : `${words}.`} Looked at {plural(lookedAt, "session")}.
      </p>
      {steps.length > 0 && (
        <>
          <ul aria-label="Steps" className="max-h-96 overflow-y-auto rounded-lg border border-line">
            {steps.slice(0, SHOWN).map(({ session, action, reason }) => (
              <li key={session.id} data-testid={`step-${session.id}`} className="flex items-start gap-2.5 border-line px-3 py-1.5 not-first:border-t">
                {action === "delete" ? <Trash2 aria-label="Delete" className="mt-0.5 size-4 shrink-0 text-bad" /> : <Archive aria-label="Archive" className="mt-0.5 size-4 shrink-0 text-muted" />}
                <span className="min-w-0 flex-1">
                  <span className="block truncate font-medium">{titleOf(session)}</span>
                  <span className="block text-sm text-muted">{sentence(reason)}</span>
                </span>
              </li>
            ))}
          </ul>
          {steps.length > SHOWN && <p className="text-faint">and {(steps.length - SHOWN).toLocaleString()} more</p>}
          <div className="flex items-center gap-3">
            <Button look={gone > 0 ? "danger" : "outline"} data-testid="hygiene-run" disabled={!inForce || busy} onClick={() => (gone > 0 ? ask(true) : onRun())}>
              {busy ? "Tidying up" : "Tidy up now"}
            </Button>
            {!inForce && <p className="text-muted">Save the rules first; only rules in force are run.</p>}
          </div>
        </>
      )}
      <Confirm open={asking} onClose={() => ask(false)} title={`Delete ${plural(gone, "session")}?`} action="Tidy up" onConfirm={onRun}>
        Their folders are deleted with everything in them. This cannot be taken back.
      </Confirm>
    </Section>
  );
}
