/** What a workspace is called and what its new sessions begin with. */
import { useState } from "react";
import { Button } from "@/components/Button";
import { Field, Input, Select } from "@/components/controls";
import { Section } from "@/components/layout";
import { useAct, useRead } from "@/data/operations";
import { MODES } from "@/features/chat/ComposerFooter";
import type { PermissionMode, WorkspaceSettings } from "@/generated/protocol";
import { errorAtField } from "@/lib/sentence";

export function WorkspaceForm({ settings }: { settings: WorkspaceSettings }) {
  const models = useRead("model.list", {}).data ?? [];
  const update = useAct("workspace.update", { quiet: true });
  const [name, setName] = useState(settings.name);
  const [mode, setMode] = useState<PermissionMode>(settings.mode ?? "safe");
  const [model, setModel] = useState(settings.model ?? "");
  const [folder, setFolder] = useState(settings.workingDirectory ?? "");
  const change = {
    name: name === settings.name ? null : name,
    mode: mode === (settings.mode ?? "safe") ? null : mode,
    model: model === (settings.model ?? "") ? null : model,
    workingDirectory: folder === (settings.workingDirectory ?? "") ? null : folder,
  };
  const dirty = Object.values(change).some((value) => value !== null);
  const error = update.error === null ? null : errorAtField(update.error.wire);
  const at = (field: string) => (error !== null && update.error?.wire.message.startsWith(field) === true ? error : null);
  const elsewhere = error !== null && at("name") === null && at("workingDirectory") === null;
  return (
    <Section title="New sessions">
      <form
        className="flex max-w-md flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          if (dirty) update.mutate({ id: settings.id, ...change, statuses: null, labels: null });
        }}
      >
        <Field label="Name" error={at("name")}>
          {(ids) => <Input {...ids} data-testid="workspace-name" value={name} onChange={(event) => setName(event.target.value)} />}
        </Field>
        <Field label="Permission" hint={MODES[mode].note}>
          {(ids) => (
            <Select {...ids} value={mode} onChange={(event) => setMode(event.target.value as PermissionMode)}>
              {(Object.keys(MODES) as PermissionMode[]).map((each) => (
                <option key={each} value={each}>
                  {MODES[each].label}
                </option>
              ))}
            </Select>
          )}
        </Field>
        <Field label="Model" hint="Sessions of channels follow their profile first.">
          {(ids) => (
            <Select {...ids} value={model} onChange={(event) => setModel(event.target.value)}>
              <option value="">The default of all workspaces</option>
              {models.map(({ settings: { id }, label }) => (
                <option key={id} value={id}>
                  {label}
                </option>
              ))}
              {model !== "" && !models.some(({ settings: { id } }) => id === model) && <option value={model}>{model} (not set up here)</option>}
            </Select>
          )}
        </Field>
        <Field label="Folder" hint="Where their tools work. The workspace’s own folder when it is empty." error={at("workingDirectory")}>
          {(ids) => <Input {...ids} data-testid="workspace-folder" className="font-mono text-sm" spellCheck={false} placeholder="/home/you/project" value={folder} onChange={(event) => setFolder(event.target.value)} />}
        </Field>
        {elsewhere && (
          <p role="alert" className="text-bad">
            {error}
          </p>
        )}
        <Button type="submit" look="primary" data-testid="workspace-save" className="self-start" disabled={!dirty || update.isPending}>
          {update.isPending ? "Saving" : "Save"}
        </Button>
      </form>
    </Section>
  );
}
