/** First run: somebody has to answer. What was found is offered, nothing is used before a click. */
import { FlaskConical, Plus } from "lucide-react";
import { useState } from "react";
import { Button } from "@/components/Button";
import { Dialog } from "@/components/Dialog";
import { Mark } from "@/components/Mark";
import { useAct } from "@/data/operations";
import { Detected } from "@/features/settings/Detected";
import { DEMO_SETTINGS } from "@/features/settings/kinds";
import { ModelForm } from "@/features/settings/ModelForm";
import { Found } from "./Found";
import { offerTour } from "./tour";

export function Onboarding() {
  const set = useAct("model.set", { onSuccess: offerTour });
  const [adding, setAdding] = useState(false);
  return (
    <main data-testid="onboarding" className="flex h-full flex-col overflow-y-auto bg-list">
      <div className="m-auto flex w-[460px] max-w-[92vw] flex-col gap-7 px-2 py-10">
        <header className="flex flex-col items-center gap-2 text-center">
          <Mark className="mb-2 size-16" />
          <h1 className="text-xl font-semibold">Who shall answer?</h1>
          <p className="max-w-88 text-muted">Kata Agents needs a model. It uses one only after you choose it, and a key it finds stays untouched until then.</p>
        </header>
        <Found quiet />
        <section aria-label="Found on this machine" className="flex flex-col gap-2">
          <h2 className="font-semibold">Found on this machine</h2>
          <Detected known={[]} onUsed={offerTour} />
        </section>
        <section aria-label="Other ways" className="flex flex-col gap-2">
          <h2 className="font-semibold">Or</h2>
          <Choice icon={<Plus className="size-4" />} title="Add a model by hand" note="Anthropic, OpenAI, Ollama, LM Studio, or any compatible address." label="Add" onClick={() => setAdding(true)} />
          <Choice
            icon={<FlaskConical className="size-4" />}
            title="Try the demo"
            note="Scripted answers, no model and no cost. It says so everywhere."
            label="Use the demo"
            testId="use-demo"
            disabled={set.isPending}
            onClick={() => set.mutate({ settings: DEMO_SETTINGS, default: true })}
          />
        </section>
      </div>
      <Dialog open={adding} onClose={() => setAdding(false)} title="Add a model" description="Keys go into the secret store and are never shown again.">
        <ModelForm provider={null} first onDone={() => {
            setAdding(false);
            offerTour();
          }} />
      </Dialog>
    </main>
  );
}

interface ChoiceProps {
  icon: React.ReactNode;
  title: string;
  note: string;
  label: string;
  onClick: () => void;
  testId?: string;
  disabled?: boolean;
}

function Choice({ icon, title, note, label, onClick, testId, disabled }: ChoiceProps) {
  return (
    <div className="flex items-center gap-3 rounded-lg border border-line bg-raised px-3.5 py-2.5">
      <span aria-hidden className="text-muted">
        {icon}
      </span>
      <div className="min-w-0 flex-1">
        <p className="font-medium">{title}</p>
        <p className="text-sm text-faint">{note}</p>
      </div>
      <Button data-testid={testId} disabled={disabled} onClick={onClick}>
        {label}
      </Button>
    </div>
  );
}
