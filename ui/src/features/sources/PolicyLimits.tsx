/** How much a channel takes in, and when. */
import { useState } from "react";
import { Button } from "@/components/Button";
import { Field, Input, Switch } from "@/components/controls";
import { notify } from "@/data/notify";
import { useAct } from "@/data/operations";
import type { ChannelPolicyState, QuietHours, SourceId } from "@/generated/protocol";
import { errorAtField, errorWords, fieldOf } from "@/lib/sentence";

type NumberKey = "perMinuteSender" | "perMinuteConversation" | "maxText";

const NUMBERS: readonly { key: NumberKey; label: string; hint: string; max: number }[] = [
  { key: "perMinuteSender", label: "Messages a minute from one person", hint: "Beyond that they are refused, 1 to 10,000.", max: 10_000 },
  { key: "perMinuteConversation", label: "Messages a minute in one conversation", hint: "1 to 10,000.", max: 10_000 },
  { key: "maxText", label: "Longest message, in bytes", hint: "1 to 262,144.", max: 262_144 },
];
const NIGHT: QuietHours = { from: "22:00", until: "07:00" };

export function PolicyLimits({ id, policy }: { id: SourceId; policy: ChannelPolicyState }) {
  const [numbers, setNumbers] = useState<Record<NumberKey, number>>(() => ({ perMinuteSender: policy.perMinuteSender, perMinuteConversation: policy.perMinuteConversation, maxText: policy.maxText }));
  const [quiet, setQuiet] = useState<QuietHours | null>(policy.quietHours);
  const change = useAct("channel.policy", { quiet: true, onSuccess: () => notify({ tone: "info", message: "The limits are in force.", hint: null }) });
  const wire = change.error?.wire;
  const field = wire === undefined ? "" : fieldOf(wire);
  const wrong = ({ key, max }: (typeof NUMBERS)[number]): string | null => {
    const value = numbers[key];
    if (!Number.isInteger(value) || value < 1) return "A whole number, at least 1.";
    if (value > max) return `At most ${max.toLocaleString()}.`;
    return wire !== undefined && field === key ? errorAtField(wire) : null;
  };
  const ready = NUMBERS.every((each) => wrong(each) === null || field === each.key) && (quiet === null || (quiet.from !== "" && quiet.until !== ""));
  return (
    <form
      noValidate
      aria-label="Limits"
      className="flex flex-col gap-3.5"
      onSubmit={(event) => {
        event.preventDefault();
        if (ready) change.mutate({ id, ...numbers, quietHours: quiet === null ? [] : [quiet] });
      }}
    >
      {NUMBERS.map((each) => (
        <Field key={each.key} label={each.label} hint={each.hint} error={wrong(each)}>
          {(ids) => (
            <Input
              {...ids}
              type="number"
              min={1}
              max={each.max}
              value={Number.isNaN(numbers[each.key]) ? "" : numbers[each.key]}
              onChange={(event) => setNumbers({ ...numbers, [each.key]: event.target.valueAsNumber })}
            />
          )}
        </Field>
      ))}
      <div className="flex items-start gap-3">
        <div className="flex-1">
          <p className="font-medium">Quiet hours</p>
          <p className="text-sm text-faint">No turn starts; what comes in waits until they end.</p>
        </div>
        <Switch label="Quiet hours" checked={quiet !== null} onChange={(on) => setQuiet(on ? NIGHT : null)} />
      </div>
      {quiet !== null && (
        <div className="grid grid-cols-2 gap-3">
          <Field label="From">{(ids) => <Input {...ids} type="time" value={quiet.from} onChange={(event) => setQuiet({ ...quiet, from: event.target.value })} />}</Field>
          <Field label="Until">{(ids) => <Input {...ids} type="time" value={quiet.until} onChange={(event) => setQuiet({ ...quiet, until: event.target.value })} />}</Field>
        </div>
      )}
      <div className="flex items-center gap-3">
        <Button type="submit" disabled={!ready || change.isPending}>
          Save the limits
        </Button>
        {wire !== undefined && !NUMBERS.some(({ key }) => key === field) && (
          <p role="alert" className="text-bad">
            {errorWords(wire)}
          </p>
        )}
      </div>
    </form>
  );
}
