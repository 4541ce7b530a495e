/** Where a source that serves every workspace is seen: its tools are there for the sessions of the workspaces that are on. */
import { Switch } from "@/components/controls";
import { useAct } from "@/data/operations";
import { useWorkspace } from "@/data/workspace";
import type { SourceId, WorkspaceSwitch } from "@/generated/protocol";

export function WorkspaceSwitches({ id, name, switches }: { id: SourceId; name: string; switches: readonly WorkspaceSwitch[] }) {
  const { workspaces } = useWorkspace();
  const enable = useAct("source.enable");
  return (
    <ul className="overflow-hidden rounded-lg border border-line">
      {switches.map(({ workspace, enabled }) => {
        const known = workspaces.find((each) => each.id === workspace);
        return (
          <li key={workspace} className="flex min-h-9 items-center gap-3 border-line px-3 py-1.5 not-first:border-t">
            <span className="min-w-0 flex-1">
              <span className="block truncate">{known?.name ?? workspace}</span>
            </span>
            <Switch label={`${name} in ${known?.name ?? workspace}`} checked={enabled} disabled={enable.isPending} onChange={(next) => enable.mutate({ id, enabled: next, workspace })} />
          </li>
        );
      })}
    </ul>
  );
}
