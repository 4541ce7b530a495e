/** What agents know of the person. Kept in preferences.json, told with every turn. */
import { useState } from "react";
import { Button } from "@/components/Button";
import { Field, Input, Textarea } from "@/components/controls";
import { Failure, SkeletonRows } from "@/components/states";
import { notify } from "@/data/notify";
import { useAct, useRead } from "@/data/operations";
import type { Preferences } from "@/generated/protocol";
import { errorWords } from "@/lib/sentence";

type Key = keyof Preferences;
const FIELDS: readonly { key: Exclude<Key, "notes">; label: string; hint: string; placeholder: string }[] = [
  { key: "name", label: "Name", hint: "How you want to be called.", placeholder: "Mara" },
  { key: "language", label: "Language", hint: "Answers are written in it.", placeholder: "English" },
  { key: "timezone", label: "Time zone", hint: "As in Europe/Stockholm.", placeholder: "Europe/Stockholm" },
  { key: "city", label: "City", hint: "For weather, ways and opening hours.", placeholder: "Malmö" },
  { key: "country", label: "Country", hint: "For dates, money and holidays.", placeholder: "Sweden" },
];

const HERE = new Intl.DateTimeFormat().resolvedOptions().timeZone;

export function PreferencesForm() {
  const told = useRead("preference.get", {}, { fresh: true });
  if (told.isPending) return <SkeletonRows />;
  if (told.isError) return <Failure error={told.error} onRetry={() => void told.refetch()} />;
  return <Form key={JSON.stringify(told.data)} saved={told.data} />;
}

function Form({ saved }: { saved: Preferences }) {
  const [draft, setDraft] = useState<Partial<Record<Key, string>>>({});
  const set = useAct("preference.set", { quiet: true, onSuccess: () => notify({ tone: "info", message: "Saved. The next turn knows it.", hint: null }) });
  const changed = (Object.keys(draft) as Key[]).filter((key) => draft[key] !== (saved[key] ?? ""));
  const change = (key: Key) => (event: { target: { value: string } }) => setDraft({ ...draft, [key]: event.target.value });
  const value = (key: Key) => draft[key] ?? saved[key] ?? "";
  return (
    <form
      className="flex max-w-md flex-col gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        if (changed.length === 0) return;
        const nothing: Preferences = { name: null, timezone: null, language: null, city: null, country: null, notes: null };
        set.mutate({ ...nothing, ...Object.fromEntries(changed.map((key) => [key, draft[key] ?? ""])) });
      }}
    >
      <p className="text-muted">Every agent on this machine is told this, in channels too. Leave out what it need not know.</p>
      {FIELDS.map(({ key, label, hint, placeholder }) => (
        <Field key={key} label={label} hint={hint}>
          {(ids) => <Input {...ids} data-testid={`preference-${key}`} placeholder={placeholder} value={value(key)} onChange={change(key)} />}
        </Field>
      ))}
      {value("timezone") === "" && (
        <Button className="self-start" onClick={() => setDraft({ ...draft, timezone: HERE })}>
          Use {HERE}
        </Button>
      )}
      <Field label="Anything else" hint="How you like answers, what you work on." error={set.error === null ? null : errorWords(set.error.wire)}>
        {(ids) => <Textarea {...ids} data-testid="preference-notes" rows={5} value={value("notes")} onChange={change("notes")} />}
      </Field>
      <div className="flex gap-2">
        <Button type="submit" look="primary" data-testid="preferences-save" disabled={changed.length === 0 || set.isPending}>
          {set.isPending ? "Saving" : "Save"}
        </Button>
        {changed.length > 0 && <Button onClick={() => setDraft({})}>Discard</Button>}
      </div>
    </form>
  );
}
