/** Which versions, and when they are put in. Each change is in force at once. */
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Button } from "@/components/Button";
import { Field, Input, Select, SwitchRow } from "@/components/controls";
import { Section } from "@/components/layout";
import { remember, useAct } from "@/data/operations";
import type { UpdateRules } from "@/generated/protocol";
import { errorWords } from "@/lib/sentence";

const NIGHT = { from: "02:00", until: "05:00" };

export function UpdateRulesForm({ rules }: { rules: UpdateRules }) {
  const client = useQueryClient();
  const configure = useAct("update.configure", { quiet: true, onSuccess: (next) => remember(client, "update.get", {}, next) });
  const set = (change: Partial<UpdateRules>) => configure.mutate({ ...rules, ...change });
  return (
    <Section title="How it is done">
      <Field label="Versions" hint="Versions before a release may have faults that nobody has met yet.">
        {(ids) => (
          <Select {...ids} data-testid="update-channel" value={rules.channel} onChange={(event) => set({ channel: event.target.value === "beta" ? "beta" : "stable" })}>
            <option value="stable">Released ones</option>
            <option value="beta">Those before a release, too</option>
          </Select>
        )}
      </Field>
      <SwitchRow label="Look, fetch and install without asking" checked={rules.automatic} onChange={(automatic) => set({ automatic })} />
      {rules.automatic && (
        <SwitchRow
          label="Only in certain hours"
          note={rules.quietHours === null ? "At present whenever nothing is busy." : undefined}
          checked={rules.quietHours !== null}
          onChange={(on) => set({ quietHours: on ? NIGHT : null })}
        />
      )}
      {rules.automatic && rules.quietHours !== null && <Hours key={`${rules.quietHours.from}${rules.quietHours.until}`} hours={rules.quietHours} onSave={(quietHours) => set({ quietHours })} />}
      {configure.isError && (
        <p role="alert" className="text-bad">
          {errorWords(configure.error.wire)}
        </p>
      )}
    </Section>
  );
}

type HoursOf = NonNullable<UpdateRules["quietHours"]>;

function Hours({ hours, onSave }: { hours: HoursOf; onSave: (hours: HoursOf) => void }) {
  const [edited, setEdited] = useState(hours);
  const changed = edited.from !== hours.from || edited.until !== hours.until;
  return (
    <form
      className="flex items-end gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        onSave(edited);
      }}
    >
      <Field label="From">{(ids) => <Input {...ids} placeholder="02:00" className="w-24" value={edited.from} onChange={(event) => setEdited({ ...edited, from: event.target.value })} />}</Field>
      <Field label="Until">{(ids) => <Input {...ids} placeholder="05:00" className="w-24" value={edited.until} onChange={(event) => setEdited({ ...edited, until: event.target.value })} />}</Field>
      <Button type="submit" disabled={!changed}>
        Set
      </Button>
    </form>
  );
}
