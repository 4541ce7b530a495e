/** Who answers: the providers that are set up, what was found on this machine, and a form for a new one. */
import { FlaskConical, Plus } from "lucide-react";
import { useState } from "react";
import { Button } from "@/components/Button";
import { Confirm } from "@/components/Confirm";
import { Badge } from "@/components/controls";
import { Dialog } from "@/components/Dialog";
import { Section } from "@/components/layout";
import { StatusBadge } from "@/components/StatusBadge";
import { Failure, SkeletonRows } from "@/components/states";
import { useAct, useRead } from "@/data/operations";
import type { ProviderSummary } from "@/generated/protocol";
import { Detected } from "./Detected";
import { DEMO_SETTINGS, KIND_NAMES } from "./kinds";
import { ModelForm } from "./ModelForm";

type Editing = { provider: ProviderSummary | null };

export function Models() {
  const models = useRead("model.list", {});
  const [editing, setEditing] = useState<Editing | null>(null);
  const set = useAct("model.set");
  if (models.isPending) return <SkeletonRows />;
  if (models.isError) return <Failure error={models.error} onRetry={() => void models.refetch()} />;
  const hasDemo = models.data.some((model) => model.settings.kind === "demo");
  return (
    <>
      <Section
        title="Set up"
        actions={
          <Button icon={<Plus className="size-3.5" />} data-testid="add-model" onClick={() => setEditing({ provider: null })}>
            Add a model
          </Button>
        }
      >
        {models.data.length === 0 && <p className="text-faint">No model yet. Nothing can answer until there is one.</p>}
        <ul className="flex flex-col gap-2">
          {models.data.map((model) => (
            <Provider key={model.settings.id} model={model} onEdit={() => setEditing({ provider: model })} />
          ))}
        </ul>
        {!hasDemo && (
          <p className="flex items-start gap-2 text-muted">
            <FlaskConical aria-hidden className="mt-0.5 size-3.5 shrink-0" />
            <span>
              To try the app without a model:{" "}
              <button type="button" data-testid="use-demo" className="text-accent underline underline-offset-2" onClick={() => set.mutate({ settings: DEMO_SETTINGS, default: true })}>
                use the scripted demo
              </button>
            </span>
          </p>
        )}
      </Section>
      <Section title="Found on this machine">
        <Detected known={models.data} />
      </Section>
      <Dialog open={editing !== null} onClose={() => setEditing(null)} title={editing?.provider == null ? "Add a model" : "Change the model"} description="Keys go into the secret store and are never shown again.">
        {editing !== null && <ModelForm provider={editing.provider} first={models.data.length === 0} onDone={() => setEditing(null)} />}
      </Dialog>
    </>
  );
}

function Provider({ model, onEdit }: { model: ProviderSummary; onEdit: () => void }) {
  const { settings } = model;
  const set = useAct("model.set");
  const test = useAct("model.test");
  const remove = useAct("model.remove");
  const [asking, ask] = useState(false);
  const demo = settings.kind === "demo";
  const busy = set.isPending || test.isPending || remove.isPending;
  return (
    <li data-testid={`model-${settings.id}`} className="flex flex-col gap-2 rounded-lg border border-line px-3.5 py-3">
      <div className="flex flex-wrap items-center gap-2">
        <span className="min-w-52 flex-1">
          <span className="flex items-center gap-2">
            <span className="truncate font-medium">{model.label}</span>
            {model.default && <Badge tone="accent">default</Badge>}
            {demo && <Badge tone="warn">scripted, not a model</Badge>}
          </span>
          <span className="block truncate text-sm text-faint">
            {KIND_NAMES[settings.kind]} · {settings.model}
            {settings.baseUrl != null && ` · ${settings.baseUrl}`}
            {!demo && ` · ${model.hasKey ? "key stored" : "no key"}`}
          </span>
        </span>
        <span className="ml-auto flex flex-wrap justify-end gap-2">
          {!model.default && (
            <Button disabled={busy} onClick={() => set.mutate({ settings, default: true })}>
              Make default
            </Button>
          )}
          {!demo && (
            <>
              <Button disabled={busy} title="Asks for one word; costs a few tokens" onClick={() => test.mutate({ id: settings.id })}>
                {test.isPending ? "Testing" : "Test"}
              </Button>
              <Button disabled={busy} onClick={onEdit}>
                Change
              </Button>
            </>
          )}
          <Button look="danger" disabled={busy} data-testid={`remove-model-${settings.id}`} onClick={() => ask(true)}>
            Remove…
          </Button>
        </span>
      </div>
      <StatusBadge status={model.status} full className="text-sm" />
      <Confirm open={asking} onClose={() => ask(false)} title={`Remove ${model.label}?`} action="Remove" onConfirm={() => remove.mutate({ id: settings.id })}>
        {model.hasKey && "Its key is deleted from the secret store. "}
        {model.default ? "It is the default: until another one is, sessions that chose none are not answered." : "Sessions that chose it are not answered until they have another one."}
      </Confirm>
    </li>
  );
}
