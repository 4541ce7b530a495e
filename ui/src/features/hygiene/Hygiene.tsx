/** Rules for tidying up sessions, what they would do, and doing it. Nothing is done before it was shown. */
import { useState } from "react";
import { useQueryClient } from "@tanstack/react-query";
import { Button } from "@/components/Button";
import { Section } from "@/components/layout";
import { Failure, SkeletonRows } from "@/components/states";
import { notify } from "@/data/notify";
import { useAct, useRead } from "@/data/operations";
import type { HygieneRules } from "@/generated/protocol";
import { plural } from "@/lib/format";
import { errorWords } from "@/lib/sentence";
import { Plan } from "./Plan";
import { RulesForm } from "./RulesForm";

export function Hygiene() {
  const rules = useRead("hygiene.get", {});
  if (rules.isPending) return <SkeletonRows />;
  if (rules.isError) return <Failure error={rules.error} onRetry={() => void rules.refetch()} />;
  return <Rules stored={rules.data} />;
}

function Rules({ stored }: { stored: HygieneRules }) {
  const client = useQueryClient();
  const [edited, setEdited] = useState<HygieneRules | null>(null);
  const rules = edited ?? stored;
  const preview = useAct("hygiene.preview", { quiet: true });
  const set = useAct("hygiene.set", {
    quiet: true,
    onSuccess: (next) => {
      client.setQueryData(["hygiene.get", {}], next);
      setEdited(null);
      notify({ tone: "info", message: "The rules are in force.", hint: null });
    },
  });
  const run = useAct("hygiene.run", {
    onSuccess: ({ steps }) => {
      preview.reset();
      notify({ tone: "info", message: steps.length === 0 ? "There was nothing to tidy up." : `Tidied up: ${plural(steps.length, "session")}.`, hint: null });
    },
  });
  const change = (next: HygieneRules) => {
    setEdited(next);
    // What was shown was for other rules.
    preview.reset();
    set.reset();
  };
  const error = set.error ?? preview.error;
  return (
    <>
      <p className="text-muted">Flagged sessions and those at work are left alone. Archived sessions are kept and found by search. An empty field does nothing.</p>
      <RulesForm rules={rules} error={error?.wire ?? null} onChange={change} />
      <div className="flex flex-wrap items-center gap-2">
        <Button look="primary" data-testid="hygiene-save" disabled={edited === null || set.isPending} onClick={() => set.mutate(rules)}>
          Save the rules
        </Button>
        <Button data-testid="hygiene-preview" disabled={preview.isPending} onClick={() => preview.mutate({ rules })}>
          {preview.isPending ? "Looking" : "What would happen?"}
        </Button>
        {edited !== null && <Button look="plain" onClick={() => { setEdited(null); preview.reset(); set.reset(); }}>Discard</Button>}
        {error !== null && (
          <p role="alert" className="w-full text-bad">
            {errorWords(error.wire)}
          </p>
        )}
      </div>
      {preview.data !== undefined && <Plan plan={preview.data} inForce={edited === null} busy={run.isPending} onRun={() => run.mutate({})} />}
      <Section title="Index">
        <Rebuild />
      </Section>
    </>
  );
}

function Rebuild() {
  const rebuild = useAct("index.rebuild", { onSuccess: ({ sessions, keys }) => notify({ tone: "info", message: `Read anew: ${plural(sessions, "session")}, ${plural(keys, "conversation")}.`, hint: null }) });
  return (
    <div className="flex flex-wrap items-center gap-3">
      <p className="min-w-60 flex-1 text-muted">The list, the conversations and the search index can be read anew from the session files, when something is missing.</p>
      <Button disabled={rebuild.isPending} onClick={() => rebuild.mutate({})}>
        {rebuild.isPending ? "Reading" : "Read anew"}
      </Button>
    </div>
  );
}
