/** The plus over the list: a new plugin from a template, or one that is on this machine already. */
import { FolderInput, Plus, WandSparkles } from "lucide-react";
import { useState } from "react";
import { Button, IconButton } from "@/components/Button";
import { Menu, MenuItem } from "@/components/Menu";
import { InstallPlugin } from "./InstallPlugin";
import { NewPlugin } from "./NewPlugin";

/** The plus over the list, or a button in words where the list is empty. */
export function AddPlugin({ inWords = false }: { inWords?: boolean }) {
  const [dialog, setDialog] = useState<"new" | "install" | null>(null);
  const close = () => setDialog(null);
  return (
    <>
      <Menu
        label="Add a plugin"
        align="end"
        trigger={
          inWords ? (
            <Button icon={<Plus className="size-3.5" />}>Add a plugin</Button>
          ) : (
            <IconButton label="Add a plugin" data-testid="add-plugin">
              <Plus className="size-4" />
            </IconButton>
          )
        }
      >
        <MenuItem icon={<WandSparkles className="size-3.5" />} note="Starts from a template, in development mode." onSelect={() => setDialog("new")}>
          New plugin…
        </MenuItem>
        <MenuItem icon={<FolderInput className="size-3.5" />} note="A folder or a .tgz on this machine." onSelect={() => setDialog("install")}>
          Install…
        </MenuItem>
      </Menu>
      {dialog === "new" && <NewPlugin onClose={close} />}
      {dialog === "install" && <InstallPlugin onClose={close} />}
    </>
  );
}
