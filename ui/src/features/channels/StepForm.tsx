/** A step that a person answers: a setting, a secret, a choice. */
import { type FormEvent, useEffect, useRef, useState } from "react";
import { Button } from "@/components/Button";
import { CopyButton } from "@/components/Code";
import { Field, Input } from "@/components/controls";
import { DialogFoot } from "@/components/Dialog";
import { CodeBlock } from "@/components/layout";
import { Markdown } from "@/components/Markdown";
import type { SetupStep } from "@/generated/protocol";

type Asking = Extract<SetupStep, { kind: "input" | "secret" | "choice" }>;

interface StepFormProps {
  step: Asking;
  error: string | null;
  busy: boolean;
  onAnswer: (name: string, value: string) => void;
}

export function StepForm({ step, error, busy, onAnswer }: StepFormProps) {
  const [value, setValue] = useState("");
  const field = useRef<HTMLInputElement>(null);
  // A new step is what the person came for; without this the focus stays on a button that is gone.
  useEffect(() => field.current?.focus(), []);
  const name = step.kind === "secret" ? step.secret : step.field;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (value !== "" && !busy) onAnswer(name, value);
  };
  const copy = step.kind === "choice" ? null : (step.copy ?? null);
  return (
    <form onSubmit={submit} className="flex flex-col gap-4" data-testid="setup-step" data-step={name}>
      <h3 className="font-semibold" data-testid="setup-title">
        {step.title}
      </h3>
      {step.help !== undefined && step.help !== "" && <Markdown text={step.help} />}
      {copy !== null && <ToCopy text={copy} />}
      {step.kind === "choice" ? (
        <Choices step={step} value={value} onChange={setValue} error={error} />
      ) : (
        <Field label={step.kind === "secret" ? "Paste it here" : "Your answer"} hint={step.kind === "secret" ? "It is kept in the system's keychain and never shown again." : null} error={error}>
          {(ids) => <Input {...ids} ref={field} type={step.kind === "secret" ? "password" : "text"} autoComplete="off" spellCheck={false} value={value} data-testid="setup-value" onChange={(event) => setValue(event.target.value)} />}
        </Field>
      )}
      <DialogFoot>
        <Button type="submit" look="primary" data-testid="setup-next" disabled={value === "" || busy}>
          {busy ? "Checking…" : "Continue"}
        </Button>
      </DialogFoot>
    </form>
  );
}

function ToCopy({ text }: { text: string }) {
  return (
    <div className="relative">
      <CodeBlock text={text} className="max-h-44 pr-10" />
      <span className="absolute top-1.5 right-1.5 rounded-md bg-sunken">
        <CopyButton text={text} />
      </span>
    </div>
  );
}

interface ChoicesProps {
  step: Extract<SetupStep, { kind: "choice" }>;
  value: string;
  onChange: (value: string) => void;
  error: string | null;
}

function Choices({ step, value, onChange, error }: ChoicesProps) {
  return (
    <fieldset className="flex flex-col gap-2">
      <legend className="sr-only">{step.title}</legend>
      {step.options.map((option) => (
        <label key={option.value} className="flex cursor-pointer items-start gap-2.5 rounded-lg border border-line px-3 py-2.5 hover:bg-hover has-checked:border-accent has-checked:bg-accent-soft">
          <input type="radio" name={step.field} value={option.value} checked={value === option.value} data-testid={`setup-choice-${option.value}`} onChange={() => onChange(option.value)} className="mt-0.5 accent-accent" />
          <span className="min-w-0">{option.label}</span>
        </label>
      ))}
      {error !== null && (
        <p role="alert" className="text-sm text-bad">
          {error}
        </p>
      )}
    </fieldset>
  );
}
