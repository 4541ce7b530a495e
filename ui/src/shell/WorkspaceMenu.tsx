/** Which workspace the window looks at, a new one, and the settings of this one. */
import { Check, ChevronsUpDown, Plus, Settings2 } from "lucide-react";
import { useState } from "react";
import { Menu, MenuItem, MenuSeparator } from "@/components/Menu";
import { useWorkspace } from "@/data/workspace";
import { NewWorkspace } from "@/features/workspaces/NewWorkspace";
import { go } from "@/lib/route";

export function WorkspaceMenu() {
  const { workspace, workspaces, choose } = useWorkspace();
  const [making, setMaking] = useState(false);
  return (
    <>
    <Menu
      label="Workspace"
      trigger={
        <button type="button" data-testid="workspace-switcher" className="flex h-8 w-full items-center gap-2 rounded-md px-2 hover:bg-hover">
          <span aria-hidden className="flex size-5 items-center justify-center rounded bg-accent text-xs font-semibold text-accent-ink">
            {(workspace?.name ?? "K").slice(0, 1).toUpperCase()}
          </span>
          <span className="min-w-0 flex-1 truncate text-left font-semibold">{workspace?.name ?? "Kata Agents"}</span>
          <ChevronsUpDown aria-hidden className="size-3.5 text-faint" />
        </button>
      }
    >
      {workspaces.map((each) => (
        <MenuItem key={each.id} icon={each.id === workspace?.id ? <Check className="size-3.5" /> : undefined} note={each.path} onSelect={() => choose(each.id)}>
          {each.name}
        </MenuItem>
      ))}
      <MenuSeparator />
      <MenuItem icon={<Plus className="size-3.5" />} testId="workspace-new" onSelect={() => setMaking(true)}>
        New workspace…
      </MenuItem>
      <MenuItem icon={<Settings2 className="size-3.5" />} testId="workspace-settings" onSelect={() => go({ view: "settings", section: "workspace" })}>
        Workspace settings
      </MenuItem>
    </Menu>
    <NewWorkspace open={making} onClose={() => setMaking(false)} />
    </>
  );
}
