/** Copies a plugin from somewhere on this machine into the extensions folder. It waits there until it is trusted. */
import { useState } from "react";
import { Button } from "@/components/Button";
import { Field, Input } from "@/components/controls";
import { Dialog, DialogFoot } from "@/components/Dialog";
import { useAct } from "@/data/operations";
import { isRecord } from "@/features/sources/schema";
import { focusOnMount } from "@/lib/focus";
import { errorAtField } from "@/lib/sentence";
import { go } from "@/lib/route";

export function InstallPlugin({ onClose }: { onClose: () => void }) {
  const install = useAct("plugin.install", { quiet: true });
  const [path, setPath] = useState("");
  const failure = install.error?.wire ?? null;
  // Replacing another plugin is asked for, never assumed.
  const taken = isRecord(failure?.details) && "installed" in failure.details;
  const run = (replace: boolean) =>
    install.mutate(
      { path: path.trim(), ...(replace ? { replace } : {}) },
      {
        onSuccess: (detail) => {
          onClose();
          go({ view: "plugins", plugin: detail.summary.id });
        },
      },
    );
  return (
    <Dialog open onClose={onClose} title="Install a plugin" description="It is copied into your extensions folder and does not run before you have looked at it.">
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          if (path.trim() !== "") run(false);
        }}
      >
        <Field label="Folder or .tgz" hint="The whole path on this machine." error={failure === null ? null : taken ? "A plugin of this id is installed already. Replace it?" : errorAtField(failure)}>
          {(ids) => (
            <Input
              {...ids}
              data-testid="install-path"
              ref={focusOnMount}
              spellCheck={false}
              placeholder="/home/you/Downloads/weather-1.0.0.tgz"
              className="font-mono text-sm"
              value={path}
              onChange={(event) => {
                setPath(event.target.value);
                install.reset();
              }}
            />
          )}
        </Field>
        <DialogFoot>
          <Button onClick={onClose}>Cancel</Button>
          {taken && (
            <Button look="danger" data-testid="install-replace" disabled={install.isPending} onClick={() => run(true)}>
              Replace it
            </Button>
          )}
          <Button type="submit" look="primary" data-testid="install-run" disabled={path.trim() === "" || install.isPending || taken}>
            {install.isPending ? "Copying" : "Install"}
          </Button>
        </DialogFoot>
      </form>
    </Dialog>
  );
}
