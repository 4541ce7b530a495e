/** How the agent is in the sessions of a binding. */
import { Field } from "@/components/controls";
import { useRead } from "@/data/operations";
import type { AgentProfile, PermissionMode } from "@/generated/protocol";
import { Grid } from "./Entry";
import { Choice, namesOf, TextField } from "./fields";
import { MODE_NAMES } from "./words";

interface FormProps {
  profile: AgentProfile;
  errorAt: (field: string) => string | null;
  onChange: (profile: AgentProfile) => void;
}

export function ProfileForm({ profile, errorAt, onChange }: FormProps) {
  const models = useRead("model.list", {}).data ?? [];
  return (
    <>
      <Grid>
        <TextField label="Name" value={profile.name} error={errorAt("name")} onChange={(name) => onChange({ ...profile, name })} />
        <TextField label="Id" value={profile.id} hint="Bindings name it; a–z, 0–9 and -" error={errorAt("id")} onChange={(id) => onChange({ ...profile, id: id ?? "" })} />
        <Choice label="Model" none="The usual one" value={profile.model ?? null} options={models.map(({ settings, label }) => [settings.id, label] as const)} error={errorAt("model")} onChange={(model) => onChange({ ...profile, model })} />
        <Choice label="Permission" none="Read only, unless said" value={profile.mode ?? null} options={Object.entries(MODE_NAMES) as [PermissionMode, string][]} error={errorAt("mode")} onChange={(mode) => onChange({ ...profile, mode })} />
        <TextField label="Tools" placeholder="all" hint="Names, or beginnings with a * (send_*)." value={profile.tools?.join(" ")} error={errorAt("tools")} onChange={(text) => onChange({ ...profile, tools: text === null ? null : keepSpace(text) })} />
        <TextField label="Without" placeholder="none" hint="Wins over the tools beside it." value={profile.withoutTools?.join(" ")} error={errorAt("withoutTools")} onChange={(text) => onChange({ ...profile, withoutTools: text === null ? [] : keepSpace(text) })} />
      </Grid>
      <Field label="Added to what it is told" error={errorAt("systemPrompt")}>
        {(ids) => (
          <textarea
            {...ids}
            rows={4}
            value={profile.systemPrompt ?? ""}
            onChange={(event) => onChange({ ...profile, systemPrompt: event.target.value === "" ? null : event.target.value })}
            className="selectable w-full resize-y rounded-md border border-line-strong bg-ground px-2 py-1.5 text-ink aria-invalid:border-bad"
          />
        )}
      </Field>
    </>
  );
}

/** A space at the end stays while one types; it becomes nothing when the table is stored. */
const keepSpace = (text: string): string[] => (text.endsWith(" ") ? [...namesOf(text), ""] : namesOf(text));
