/** One binding: which messages it takes, and what becomes of them. */
import { useRead } from "@/data/operations";
import type { Binding, BindingMatch, ChatType } from "@/generated/protocol";
import { Grid, Part } from "./Entry";
import { Choice, entriesOf, NumberField, TextField, useChannels } from "./fields";
import { type FullTable, OVERLAP } from "./table";
import { CHAT_TYPES, OVERLAPS, SCOPES, WHEN_FULL } from "./words";

interface FormProps {
  binding: Binding;
  table: FullTable;
  /** The engine's word on one field. */
  errorAt: (field: string) => string | null;
  onChange: (binding: Binding) => void;
}

export function BindingForm({ binding, table, errorAt, onChange }: FormProps) {
  const channels = useChannels();
  const workspaces = useRead("workspace.list", {}).data ?? [];
  const match = binding.match ?? {};
  const overlap = { ...OVERLAP, ...binding.overlap };
  const scope = binding.scope ?? "thread";
  const named = (next: Partial<BindingMatch>) => onChange({ ...binding, match: { ...match, ...next } });
  const part = (field: "account" | "conversation" | "thread" | "sender", label: string, hint?: string) => (
    <TextField label={label} value={match[field]} error={errorAt(`match/${field}`)} placeholder="any" {...(hint === undefined ? {} : { hint })} onChange={(value) => named({ [field]: value })} />
  );
  return (
    <>
      <TextField label="Name" value={binding.id} error={errorAt("id")} hint="a–z, 0–9 and -" onChange={(value) => onChange({ ...binding, id: value ?? "" })} />
      <Part title="Takes messages that are">
        <Grid>
          <Choice label="From channel" none="any" value={match.channel ?? null} options={channels} error={errorAt("match/channel")} onChange={(channel) => named({ channel })} />
          {part("account", "Account")}
          <Choice label="Kind" none="any" value={match.chatType ?? null} options={Object.entries(CHAT_TYPES) as [ChatType, string][]} error={errorAt("match/chatType")} onChange={(chatType) => named({ chatType })} />
          {part("conversation", "Conversation", "The platform’s id.")}
          {part("thread", "Thread")}
          {part("sender", "Sender")}
          <Choice label="Known person" none="any" value={match.person ?? null} options={table.people.map(({ id, name }) => [id, name ?? id] as const)} error={errorAt("match/person")} onChange={(person) => named({ person })} />
        </Grid>
      </Part>
      <Part title="New sessions">
        <Grid>
          <Choice label="Workspace" none="The usual one" value={binding.workspace ?? null} options={workspaces.map(({ id, name }) => [id, name] as const)} error={errorAt("workspace")} onChange={(workspace) => onChange({ ...binding, workspace })} />
          <Choice label="Profile" none="The usual one" value={binding.profile ?? null} options={table.profiles.map(({ id = "", name }) => [id, name ?? id] as const)} error={errorAt("profile")} onChange={(profile) => onChange({ ...binding, profile })} />
          <Choice label="A session for" value={scope} options={entriesOf(SCOPES)} hint={SCOPES[scope].note} error={errorAt("scope")} onChange={(value) => onChange({ ...binding, scope: value ?? "thread" })} />
        </Grid>
      </Part>
      <Part title="While the agent works">
        <Grid>
          <Choice label="A message" value={overlap.policy} options={entriesOf(OVERLAPS)} hint={OVERLAPS[overlap.policy].note} error={errorAt("overlap/policy")} onChange={(value) => onChange({ ...binding, overlap: { ...overlap, policy: value ?? "queue" } })} />
          {overlap.policy === "collect" && <NumberField label="Pause, in milliseconds" value={overlap.collectMs} error={errorAt("overlap/collectMs")} onChange={(collectMs) => onChange({ ...binding, overlap: { ...overlap, collectMs } })} />}
          <NumberField label="At most waiting" value={overlap.most} error={errorAt("overlap/most")} onChange={(most) => onChange({ ...binding, overlap: { ...overlap, most } })} />
          <Choice label="Beyond that" value={overlap.whenFull} options={Object.entries(WHEN_FULL) as ["refuse_new" | "refuse_old", string][]} error={errorAt("overlap/whenFull")} onChange={(value) => onChange({ ...binding, overlap: { ...overlap, whenFull: value ?? "refuse_new" } })} />
        </Grid>
      </Part>
    </>
  );
}
