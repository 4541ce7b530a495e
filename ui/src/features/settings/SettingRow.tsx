/** One setting that is changed in place: what it is for, its control, where its value comes from, the way back to the default. */
import { RotateCcw } from "lucide-react";
import { useId, useState } from "react";
import { Button } from "@/components/Button";
import { Badge, Input, Switch, Textarea } from "@/components/controls";
import { WithCode } from "@/components/WithCode";
import { type Changeable, defaultWords, draftOf, fitting, isDefault, valueOf } from "./setting";
import { type Setting, useSetting } from "./useSetting";

export function SettingRow({ row }: { row: Changeable }) {
  const { path, from, rule } = row;
  const setting = useSetting(row);
  const id = useId();
  const notes = { id, "aria-describedby": `${id}-doc${setting.error === null ? "" : ` ${id}-error`}`, "aria-invalid": setting.error === null ? undefined : (true as const) };
  return (
    <li data-testid={`setting-row-${path}`} className="flex flex-col gap-1.5 px-3.5 py-3">
      <div className="flex flex-wrap items-baseline gap-x-2 gap-y-1">
        <label htmlFor={id} className="selectable min-w-44 flex-1 font-mono text-sm [overflow-wrap:anywhere]">
          {path}
        </label>
        {rule.restart && <Badge tone="warn">counts from the next start</Badge>}
        <Badge tone={from === "default" ? "plain" : "accent"} title={`The value comes from: ${from}`}>
          {from === "default" ? "default" : `from ${from}`}
        </Badge>
      </div>
      <p id={`${id}-doc`} className="text-sm text-muted">
        <WithCode text={rule.doc} />
      </p>
      {rule.kind.kind === "bool" ? (
        <div className="flex h-7 items-center gap-3">
          <Switch id={id} describedBy={notes["aria-describedby"]} label={path} checked={setting.value === true} disabled={!setting.may} onChange={(on) => setting.set(on)} />
          <BackToDefault row={row} setting={setting} onDone={() => undefined} />
        </div>
      ) : (
        <Words key={draftOf(row)} row={row} setting={setting} notes={notes} />
      )}
      {setting.error !== null && (
        <p id={`${id}-error`} role="alert" className="text-sm text-bad">
          {setting.error}
        </p>
      )}
      {setting.overruledBy !== null && (
        <p role="status" className="text-sm text-warn">
          Kept. At present another value counts, from: {setting.overruledBy}.
        </p>
      )}
    </li>
  );
}

interface WordsProps {
  row: Changeable;
  setting: Setting;
  notes: { id: string; "aria-describedby": string; "aria-invalid": true | undefined };
}

/** A number, a text or a list. Enter keeps it, Escape takes back what was typed. */
function Words({ row, setting, notes }: WordsProps) {
  const { rule } = row;
  const kept = draftOf(row);
  const [draft, setDraft] = useState(kept);
  const discard = () => {
    setDraft(kept);
    setting.forget();
  };
  const field = {
    ...notes,
    value: draft,
    disabled: !setting.may,
    placeholder: defaultWords(rule),
    autoComplete: "off",
    onChange: (event: { target: { value: string } }) => setDraft(event.target.value),
    onKeyDown: (event: { key: string; stopPropagation: () => void }) => {
      if (event.key !== "Escape" || draft === kept) return;
      event.stopPropagation();
      discard();
    },
  };
  const range = fitting(rule);
  return (
    <form
      noValidate
      className="flex flex-wrap items-center gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        if (draft !== kept) setting.set(valueOf(rule, draft));
      }}
    >
      {rule.kind.kind === "list" ? (
        <Textarea rows={Math.min(6, Math.max(2, draft.split("\n").length))} {...field} className="max-w-md font-mono text-sm" />
      ) : (
        <Input {...field} inputMode={rule.kind.kind === "number" ? "numeric" : "text"} className={rule.kind.kind === "number" ? "w-28 tabular-nums" : "max-w-64"} />
      )}
      {draft === kept ? (
        <>
          {range !== null && <span className="text-sm text-faint">{range}.</span>}
          <BackToDefault row={row} setting={setting} onDone={discard} />
        </>
      ) : (
        <>
          <Button type="submit" look="primary" disabled={setting.busy}>
            Save
          </Button>
          <Button disabled={setting.busy} onClick={discard}>
            Discard
          </Button>
        </>
      )}
    </form>
  );
}

function BackToDefault({ row, setting, onDone }: { row: Changeable; setting: Setting; onDone: () => void }) {
  if (isDefault(row) || !setting.may) return null;
  return (
    <Button icon={<RotateCcw className="size-3.5" />} aria-label={`Put ${row.path} back to the default`} disabled={setting.busy} onClick={() => setting.set(null, onDone)}>
      Back to the default ({defaultWords(row.rule)})
    </Button>
  );
}
