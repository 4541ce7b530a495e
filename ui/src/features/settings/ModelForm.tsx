/** Sets a provider up, or changes one. */
import { useState } from "react";
import { Button } from "@/components/Button";
import { Field, Input, Select, Switch } from "@/components/controls";
import { DialogFoot } from "@/components/Dialog";
import { useAct } from "@/data/operations";
import type { ProviderSummary } from "@/generated/protocol";
import { errorWords } from "@/lib/sentence";
import { PRESETS } from "./kinds";

interface FormProps {
  provider: ProviderSummary | null;
  /** The first one becomes the default. */
  first: boolean;
  onDone: () => void;
}

type Preset = (typeof PRESETS)[number];

export function ModelForm({ provider, first, onDone }: FormProps) {
  const [preset, setPreset] = useState<Preset>(PRESETS.find((each) => each.kind === provider?.settings.kind) ?? PRESETS[0]);
  const [baseUrl, setBaseUrl] = useState(provider?.settings.baseUrl ?? preset.baseUrl);
  const [model, setModel] = useState(provider?.settings.model ?? preset.model);
  const [id, setId] = useState(provider?.settings.id ?? preset.id);
  const [key, setKey] = useState("");
  const [isDefault, setDefault] = useState(provider?.default ?? first);
  const set = useAct("model.set", { quiet: true, onSuccess: onDone });

  const choose = (next: Preset) => {
    setPreset(next);
    setBaseUrl(next.baseUrl);
    setModel(next.model);
    setId(next.id);
  };
  const needsUrl = preset.kind === "openai-chat";
  const ready = model.trim() !== "" && id.trim() !== "" && (!needsUrl || /^https?:\/\/./.test(baseUrl));
  const save = () =>
    set.mutate({
      settings: { id: id.trim(), kind: preset.kind, model: model.trim(), ...(baseUrl.trim() === "" ? {} : { baseUrl: baseUrl.trim() }) },
      default: isDefault,
      ...(key === "" ? {} : { apiKey: key }),
    });

  return (
    <form
      className="flex flex-col gap-3.5"
      onSubmit={(event) => {
        event.preventDefault();
        if (ready) save();
      }}
    >
      {provider === null && (
        <Field label="Provider">
          {(ids) => (
            <Select {...ids} value={preset.id} onChange={(event) => choose(PRESETS.find((each) => each.id === event.target.value) ?? PRESETS[0])}>
              {PRESETS.map((each) => (
                <option key={each.id} value={each.id}>
                  {each.name}
                </option>
              ))}
            </Select>
          )}
        </Field>
      )}
      <Field label="Model" hint="The name the provider knows it by.">
        {(ids) => <Input {...ids} value={model} data-testid="model-name" placeholder={preset.id === "ollama" ? "qwen3:14b" : undefined} onChange={(event) => setModel(event.target.value)} />}
      </Field>
      <Field label={needsUrl ? "Base URL" : "Base URL (optional)"} hint={needsUrl ? "Ends in /v1 for most." : "Only for a gateway of your own."}>
        {(ids) => <Input {...ids} value={baseUrl} data-testid="model-base-url" inputMode="url" placeholder="https://" onChange={(event) => setBaseUrl(event.target.value)} />}
      </Field>
      <Field label={preset.key ? "Key" : "Key (if it asks for one)"} hint={provider?.hasKey === true ? "Leave it empty to keep the present one." : null}>
        {(ids) => <Input {...ids} type="password" autoComplete="off" data-testid="model-key" value={key} onChange={(event) => setKey(event.target.value)} />}
      </Field>
      {provider === null && (
        <Field label="Name here" hint="Sessions refer to it by this name.">
          {(ids) => <Input {...ids} value={id} onChange={(event) => setId(event.target.value)} />}
        </Field>
      )}
      <div className="flex items-center gap-3">
        <span className="flex-1">New sessions use it</span>
        <Switch label="New sessions use it" checked={isDefault} onChange={setDefault} />
      </div>
      {set.isError && (
        <p role="alert" className="text-bad">
          {errorWords(set.error.wire)}
        </p>
      )}
      <DialogFoot>
        <Button onClick={onDone}>Cancel</Button>
        <Button type="submit" look="primary" data-testid="model-save" disabled={!ready || set.isPending}>
          {set.isPending ? "Saving" : "Save"}
        </Button>
      </DialogFoot>
    </form>
  );
}
