/** Writes a new plugin from a template into the extensions folder. */
import { Cog, type LucideIcon, Radio, Webhook, Wrench } from "lucide-react";
import { useState } from "react";
import { Button } from "@/components/Button";
import { Field, Input } from "@/components/controls";
import { Dialog, DialogFoot } from "@/components/Dialog";
import { useAct } from "@/data/operations";
import type { PluginTemplate } from "@/generated/protocol";
import { cn } from "@/lib/cn";
import { focusOnMount } from "@/lib/focus";
import { go } from "@/lib/route";
import { errorAtField } from "@/lib/sentence";

const TEMPLATES: Record<PluginTemplate, { title: string; note: string; icon: LucideIcon }> = {
  tool: { title: "Tool", note: "Something the agent can call.", icon: Wrench },
  hook: { title: "Hook", note: "Sees messages and may change them.", icon: Webhook },
  channel: { title: "Channel", note: "People write in from another place.", icon: Radio },
  service: { title: "Service", note: "Works in the background.", icon: Cog },
};

/** What is wrong with an id; the engine says the rest. */
export const idProblem = (id: string): string | null => (id === "" || /^[a-z0-9-]+$/.test(id) ? null : "Small letters, digits and hyphens only.");

export function NewPlugin({ onClose }: { onClose: () => void }) {
  const create = useAct("plugin.create", { quiet: true });
  const [template, setTemplate] = useState<PluginTemplate>("tool");
  const [id, setId] = useState("");
  const [name, setName] = useState("");
  const failure = create.error?.wire ?? null;
  const problem = idProblem(id) ?? (failure === null ? null : errorAtField(failure));
  const submit = () => {
    create.mutate(
      { id, template, ...(name.trim() === "" ? {} : { name: name.trim() }) },
      {
        onSuccess: (detail) => {
          onClose();
          go({ view: "plugins", plugin: detail.summary.id });
        },
      },
    );
  };
  return (
    <Dialog open onClose={onClose} title="New plugin" description="A folder with a manifest and one TypeScript file. It is yours, in development mode: save the file, and it is loaded again.">
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          if (id !== "" && idProblem(id) === null) submit();
        }}
      >
        <fieldset>
          <legend className="mb-1 font-medium">What it starts as</legend>
          <div className="grid grid-cols-2 gap-2">
            {(Object.keys(TEMPLATES) as PluginTemplate[]).map((each) => (
              <TemplateChoice key={each} template={each} chosen={each === template} onChoose={() => setTemplate(each)} />
            ))}
          </div>
        </fieldset>
        <Field label="Id" hint="Its folder is called so. Small letters, digits and hyphens." error={problem}>
          {(ids) => <Input {...ids} data-testid="new-plugin-id" ref={focusOnMount} spellCheck={false} placeholder="weather" className="font-mono" value={id} onChange={(event) => setId(event.target.value)} />}
        </Field>
        <Field label="Name (optional)" hint="Made from the id when left empty.">
          {(ids) => <Input {...ids} value={name} onChange={(event) => setName(event.target.value)} />}
        </Field>
        <DialogFoot>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" data-testid="new-plugin-create" disabled={id === "" || idProblem(id) !== null || create.isPending}>
            {create.isPending ? "Writing" : "Create"}
          </Button>
        </DialogFoot>
      </form>
    </Dialog>
  );
}

function TemplateChoice({ template, chosen, onChoose }: { template: PluginTemplate; chosen: boolean; onChoose: () => void }) {
  const { title, note, icon: Icon } = TEMPLATES[template];
  return (
    <label className={cn("flex items-start gap-2.5 rounded-lg border px-3 py-2 focus-within:outline-2 focus-within:outline-accent", chosen ? "border-accent bg-accent-soft" : "border-line hover:bg-hover")}>
      <input type="radio" name="template" value={template} checked={chosen} onChange={onChoose} className="sr-only" />
      <Icon aria-hidden className={cn("mt-0.5 size-4 shrink-0", chosen ? "text-accent" : "text-faint")} strokeWidth={1.75} />
      <span>
        <span className="block font-medium">{title}</span>
        <span className="block text-sm text-faint">{note}</span>
      </span>
    </label>
  );
}
