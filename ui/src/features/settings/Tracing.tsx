/** What is traced, what never stands in a trace, how many are kept, and where they are sent. */
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Button } from "@/components/Button";
import { Field, Input, Switch } from "@/components/controls";
import { Section } from "@/components/layout";
import { StatusDot } from "@/components/StatusBadge";
import { Failure, SkeletonRows } from "@/components/states";
import { notify } from "@/data/notify";
import { useAct, useRead } from "@/data/operations";
import { useWorkspace } from "@/data/workspace";
import type { TraceRules, TraceState } from "@/generated/protocol";
import { plural } from "@/lib/format";
import { errorAtField, errorWords, fieldOf, sentence } from "@/lib/sentence";

const STATE_EVERY_MS = 5_000;
const AREA = "selectable w-full resize-y rounded-md border border-line-strong bg-ground px-2 py-1.5 font-mono text-sm text-ink aria-invalid:border-bad";

export function Tracing() {
  const state = useRead("trace.rules", {}, { refetchInterval: STATE_EVERY_MS });
  if (state.isPending) return <SkeletonRows />;
  if (state.isError) return <Failure error={state.error} onRetry={() => void state.refetch()} />;
  return <Rules state={state.data} />;
}

const linesOf = (text: string): string[] => text.split("\n").map((line) => line.trim()).filter(Boolean);

function Rules({ state }: { state: TraceState }) {
  const { workspaces } = useWorkspace();
  const client = useQueryClient();
  const [edited, setEdited] = useState<TraceRules | null>(null);
  const rules = edited ?? state.rules;
  const { off = [], redact = [], redactFields = [], keep = 2_000, otlp = null } = rules;
  const configure = useAct("trace.configure", {
    quiet: true,
    onSuccess: (next) => {
      client.setQueryData(["trace.rules", {}], next);
      setEdited(null);
      notify({ tone: "info", message: "The rules of tracing are in force.", hint: null });
    },
  });
  const wire = configure.error?.wire ?? null;
  const field = wire === null ? "" : fieldOf(wire);
  const errorAt = (name: string) => (wire !== null && (field === name || field.startsWith(`${name}[`) || field.startsWith(`${name}.`)) ? errorAtField(wire) : null);
  const placed = ["redact", "redactFields", "keep", "otlp", "off"].some((name) => errorAt(name) !== null);
  const set = (next: TraceRules) => {
    setEdited({ ...rules, ...next });
    configure.reset();
  };
  const save = () => configure.mutate({ off, redact: redact.map((line) => line.trim()).filter(Boolean), redactFields: linesOf(redactFields.join("\n")), keep, otlp: otlp?.trim() === "" ? null : otlp });
  return (
    <form
      noValidate
      className="flex flex-col gap-8"
      onSubmit={(event) => {
        event.preventDefault();
        save();
      }}
    >
      <Section title="Workspaces">
        <p className="text-muted">Messages of a workspace that is off leave no trace.</p>
        <ul className="flex flex-col gap-1.5">
          {workspaces.map(({ id, name }) => (
            <li key={id} className="flex items-center gap-3">
              <span className="flex-1">{name}</span>
              <Switch label={`Trace ${name}`} checked={!off.includes(id)} onChange={(on) => set({ off: on ? off.filter((each) => each !== id) : [...off, id] })} />
            </li>
          ))}
        </ul>
      </Section>
      <Section title="Left out">
        <Field label="Whatever these find" hint="Regular expressions, one a line. What they find in a note or a diff is replaced by [redacted]." error={errorAt("redact")}>
          {(ids) => <textarea {...ids} rows={3} spellCheck={false} className={AREA} value={redact.join("\n")} onChange={(event) => set({ redact: event.target.value === "" ? [] : event.target.value.split("\n") })} />}
        </Field>
        <Field label="These fields" hint="JSON pointers, one a line, like /params/password." error={errorAt("redactFields")}>
          {(ids) => <textarea {...ids} rows={3} spellCheck={false} className={AREA} value={redactFields.join("\n")} onChange={(event) => set({ redactFields: event.target.value === "" ? [] : event.target.value.split("\n") })} />}
        </Field>
      </Section>
      <Section title="Kept and sent">
        <Field label="Traces kept" hint={`100 to 100,000; ${state.kept.toLocaleString()} now.`} error={errorAt("keep")}>
          {(ids) => <Input {...ids} type="number" min={100} max={100_000} className="max-w-40" value={Number.isNaN(keep) ? "" : keep} onChange={(event) => set({ keep: event.target.valueAsNumber })} />}
        </Field>
        <Field label="OpenTelemetry collector" hint="Gets every trace over OTLP/HTTP. Empty: none." error={errorAt("otlp")}>
          {(ids) => <Input {...ids} inputMode="url" placeholder="http://127.0.0.1:4318" value={otlp ?? ""} onChange={(event) => set({ otlp: event.target.value === "" ? null : event.target.value })} />}
        </Field>
        <Export state={state} />
      </Section>
      <div className="flex items-center gap-3">
        <Button type="submit" look="primary" data-testid="tracing-save" disabled={edited === null || configure.isPending}>
          Save
        </Button>
        {edited !== null && <Button onClick={() => { setEdited(null); configure.reset(); }}>Discard</Button>}
        {wire !== null && !placed && (
          <p role="alert" className="text-bad">
            {errorWords(wire)}
          </p>
        )}
      </div>
    </form>
  );
}

function Export({ state: { rules, exported, failed, error } }: { state: TraceState }) {
  if (rules.otlp == null) return null;
  return (
    <p role="status" className="flex items-start gap-2 text-muted">
      <StatusDot tone={failed > 0 ? "warn" : "good"} className="mt-1.5" />
      <span>
        {plural(exported, "trace")} sent since the start{failed > 0 && `, ${failed.toLocaleString()} could not be. ${error === null ? "" : sentence(error)}`}
        {failed === 0 && "."}
      </span>
    </p>
  );
}
