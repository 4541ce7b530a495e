/** A workspace: what it is called, what new sessions begin with, its statuses and labels. */
import { IndentDecrease, IndentIncrease } from "lucide-react";
import type { ReactNode } from "react";
import { Button, IconButton } from "@/components/Button";
import { Badge, Input, Select } from "@/components/controls";
import { Failure, SkeletonRows } from "@/components/states";
import { useRead, useAct } from "@/data/operations";
import { usePlatform } from "@/data/platform";
import { useWorkspace } from "@/data/workspace";
import type { WorkspaceSettings as Settings, WorkspaceSummary } from "@/generated/protocol";
import { Editor } from "./Editor";
import { deepestAt, FIXED, freeId, type LabelEntry, labelsJson, labelsOf, moved, settled, type StatusEntry, statusesJson, statusesOf } from "./entries";
import { ColorSelect, MoveButtons } from "./EntryControls";
import { WorkspaceForm } from "./WorkspaceForm";

export function WorkspaceSettings() {
  const { workspace } = useWorkspace();
  const id = workspace?.id ?? "";
  const settings = useRead("workspace.get", { id }, { enabled: workspace !== null });
  if (settings.isPending || workspace === null) return <SkeletonRows />;
  if (settings.isError) return <Failure error={settings.error} onRetry={() => void settings.refetch()} />;
  return (
    <>
      <Standing workspace={workspace} />
      <WorkspaceForm key={JSON.stringify([id, settings.data.name, settings.data.mode, settings.data.model, settings.data.workingDirectory])} settings={settings.data} />
      <Statuses key={`statuses ${id}`} settings={settings.data} />
      <Labels key={`labels ${id}`} settings={settings.data} />
    </>
  );
}

function Standing({ workspace }: { workspace: WorkspaceSummary }) {
  const activate = useAct("workspace.activate");
  return (
    <div className="flex flex-wrap items-center gap-3 rounded-lg border border-line bg-list px-3.5 py-3">
      <span className="min-w-48 flex-1">
        <span className="flex items-center gap-2 font-medium">
          {workspace.name}
          {workspace.active && <Badge tone="accent">new conversations come here</Badge>}
        </span>
        <code className="block font-mono text-sm text-faint [overflow-wrap:anywhere]">{workspace.path}</code>
      </span>
      {!workspace.active && (
        <Button data-testid="workspace-activate" disabled={activate.isPending} onClick={() => activate.mutate({ id: workspace.id })}>
          Take new conversations here
        </Button>
      )}
    </div>
  );
}

const nothing = { name: null, mode: null, model: null, workingDirectory: null, statuses: null, labels: null };

function Statuses({ settings }: { settings: Settings }) {
  const platform = usePlatform();
  return (
    <Editor<StatusEntry>
      title="Statuses"
      add="Add a status"
      saved={statusesOf(settings)}
      note="Where a session stands. Closed ones count as done."
      keyOf={({ id }) => id}
      fresh={(entries) => ({ id: freeId("new", entries.map(({ id }) => id)), label: "New", color: "foreground/50", closed: false })}
      onSave={(entries) => platform.request("workspace.update", { ...nothing, id: settings.id, statuses: statusesJson(entries) })}
      row={statusRow}
    />
  );
}

function Labels({ settings }: { settings: Settings }) {
  const platform = usePlatform();
  return (
    <Editor<LabelEntry>
      title="Labels"
      add="Add a label"
      saved={labelsOf(settings)}
      note="Marks of a session, as many as you like. One with a value asks for it."
      keyOf={({ id }) => id}
      fresh={(entries) => ({ id: freeId("new", entries.map(({ id }) => id)), name: "New", color: "accent", valueType: null, depth: 0 })}
      onSave={(entries) => platform.request("workspace.update", { ...nothing, id: settings.id, labels: labelsJson(entries) })}
      row={labelRow}
    />
  );
}

function statusRow(entries: readonly StatusEntry[], at: number, change: (entries: readonly StatusEntry[]) => void): ReactNode {
  const entry = entries[at];
  if (entry === undefined) return null;
  const set = (part: Partial<StatusEntry>) => change(entries.with(at, { ...entry, ...part }));
  return (
    <>
      <Input aria-label={`Name of ${entry.label}`} className="min-w-32 flex-1" value={entry.label} onChange={(event) => set({ label: event.target.value })} />
      <Select aria-label={`${entry.label} counts as`} className="w-24" value={entry.closed ? "closed" : "open"} onChange={(event) => set({ closed: event.target.value === "closed" })}>
        <option value="open">Open</option>
        <option value="closed">Closed</option>
      </Select>
      <ColorSelect of={entry.label} color={entry.color} onChange={(color) => set({ color })} />
      <MoveButtons of={entry.label} at={at} count={entries.length} onMove={(step) => change(moved(entries, at, step))} onRemove={FIXED.includes(entry.id) ? undefined : () => change(entries.filter((_, i) => i !== at))} />
    </>
  );
}

function labelRow(entries: readonly LabelEntry[], at: number, change: (entries: readonly LabelEntry[]) => void): ReactNode {
  const entry = entries[at];
  if (entry === undefined) return null;
  const set = (part: Partial<LabelEntry>) => change(settled(entries.with(at, { ...entry, ...part })));
  return (
    <>
      <span aria-hidden style={{ width: entry.depth * 18 }} />
      <Input aria-label={`Name of ${entry.name}`} className="min-w-32 flex-1" value={entry.name} onChange={(event) => set({ name: event.target.value })} />
      <Select aria-label={`Value of ${entry.name}`} className="w-24" value={entry.valueType ?? ""} onChange={(event) => set({ valueType: event.target.value === "" ? null : event.target.value })}>
        <option value="">No value</option>
        <option value="string">Text</option>
        <option value="number">Number</option>
        <option value="date">Date</option>
      </Select>
      <ColorSelect of={entry.name} color={entry.color} onChange={(color) => set({ color })} />
      <span className="flex shrink-0">
        <IconButton label={`${entry.name} out`} disabled={entry.depth === 0} onClick={() => set({ depth: entry.depth - 1 })}>
          <IndentDecrease className="size-3.5" />
        </IconButton>
        <IconButton label={`${entry.name} in`} disabled={entry.depth >= deepestAt(entries, at)} onClick={() => set({ depth: entry.depth + 1 })}>
          <IndentIncrease className="size-3.5" />
        </IconButton>
      </span>
      <MoveButtons of={entry.name} at={at} count={entries.length} onMove={(step) => change(settled(moved(entries, at, step)))} onRemove={() => change(settled(entries.filter((_, i) => i !== at)))} />
    </>
  );
}
