/** What a person may answer a plan that waits: accept it, accept it with everything allowed, or say what should be different. */
import { useId, useState } from "react";
import { Button } from "@/components/Button";
import { useMay } from "@/data/platform";
import type { Plan } from "@/generated/protocol";
import { usePlanAnswer } from "./usePlanAnswer";

export function PlanAnswers({ plan: { id, path, channel } }: { plan: Plan }) {
  const { answer, pending } = usePlanAnswer();
  const [refining, setRefining] = useState(false);
  const may = useMay("plan.answer");
  const off = pending || !may;
  const touch = "max-sm:h-11 max-sm:grow";
  return (
    <div data-testid={`plan-answers-${id}`} className="flex flex-col gap-2">
      {refining ? (
        <Refine onCancel={() => setRefining(false)} disabled={off} onSend={(text) => answer(id, "refine", text)} />
      ) : (
        <div className="flex flex-wrap gap-2">
          <Button look="primary" className={touch} data-testid="plan-accept" disabled={off} title="The agent carries it out; what changes something asks you" onClick={() => answer(id, "accept")}>
            Accept
          </Button>
          {channel === null && (
            <Button className={touch} data-testid="plan-accept-all" disabled={off} title="The agent carries it out without asking; the session stays in mode allow all" onClick={() => answer(id, "accept_all")}>
              Accept and allow all
            </Button>
          )}
          <Button className={touch} data-testid="plan-refine" disabled={off} onClick={() => setRefining(true)}>
            Refine
          </Button>
        </div>
      )}
      {!may && <p className="text-sm text-muted">This device may not answer: it was paired without the right to approve.</p>}
      <p className="text-sm text-faint [overflow-wrap:anywhere]">
        Nothing of it is done yet. Kept as <code className="font-mono">{path}</code>
        {channel !== null && <>; asked for in {channel}, where nobody can accept it</>}.
      </p>
    </div>
  );
}

function Refine({ disabled, onSend, onCancel }: { disabled: boolean; onSend: (text: string) => void; onCancel: () => void }) {
  const [text, setText] = useState("");
  const field = useId();
  const words = text.trim();
  return (
    <form
      className="flex flex-col gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        if (words !== "" && !disabled) onSend(words);
      }}
    >
      <label htmlFor={field} className="font-medium">
        What should be different?
      </label>
      <textarea
        id={field}
        data-testid="plan-note"
        rows={3}
        value={text}
        // oxlint-disable-next-line jsx-a11y/no-autofocus -- it was asked for by the button before
        autoFocus
        onChange={(event) => setText(event.target.value)}
        className="w-full rounded-lg border border-line-strong bg-ground px-3 py-2"
      />
      <div className="flex flex-wrap gap-2">
        <Button look="primary" type="submit" data-testid="plan-send" disabled={disabled || words === ""}>
          Send
        </Button>
        <Button onClick={onCancel}>Back</Button>
      </div>
    </form>
  );
}
