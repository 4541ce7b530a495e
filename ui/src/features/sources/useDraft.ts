/** One form for a source by files: what is typed, what is wrong with it, and sending it off. */
import { useState } from "react";
import { errorWords } from "@/lib/sentence";
import { toOperationError } from "@/platform";
import { type Draft, type DraftErrors, type DraftKey, errorsOf, problemsOf } from "./draft";

export interface DraftForm {
  draft: Draft;
  errors: DraftErrors;
  /** What is wrong as a whole. */
  note: string | null;
  busy: boolean;
  set: <K extends DraftKey>(key: K, value: Draft[K]) => void;
  submit: (form: HTMLFormElement) => void;
}

export function useDraft(initial: Draft, send: (draft: Draft) => Promise<unknown>): DraftForm {
  const [draft, setDraft] = useState(initial);
  const [errors, setErrors] = useState<DraftErrors>({});
  const [note, setNote] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);

  const fail = (found: DraftErrors, form: HTMLFormElement) => {
    setErrors(found);
    // After the fields have been drawn as wrong.
    requestAnimationFrame(() => form.querySelector<HTMLElement>("[aria-invalid=true]")?.focus());
  };
  const submit = async (form: HTMLFormElement) => {
    setNote(null);
    const found = problemsOf(draft);
    if (Object.keys(found).length > 0) return fail(found, form);
    setErrors({});
    setBusy(true);
    try {
      await send(draft);
    } catch (cause) {
      const { wire } = toOperationError(cause);
      const named = errorsOf(wire);
      if (Object.keys(named).length === 0) setNote(errorWords(wire));
      else fail(named, form);
    } finally {
      setBusy(false);
    }
  };
  return {
    draft,
    errors,
    note,
    busy,
    set: (key, value) => {
      setDraft({ ...draft, [key]: value });
      if (errors[key] !== undefined) setErrors(Object.fromEntries(Object.entries(errors).filter(([name]) => name !== key)));
    },
    submit: (form) => void submit(form),
  };
}
