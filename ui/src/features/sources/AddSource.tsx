/** The plus over the list: an MCP server, an API or a folder. Channels and services come with plugins. */
import { FolderOpen, Globe, Network, Plug, Plus } from "lucide-react";
import { useState } from "react";
import { Button, IconButton } from "@/components/Button";
import { Dialog, DialogFoot } from "@/components/Dialog";
import { Menu, MenuItem, MenuSeparator } from "@/components/Menu";
import { useAct } from "@/data/operations";
import { useWorkspace } from "@/data/workspace";
import type { SourceId } from "@/generated/protocol";
import { go } from "@/lib/route";
import { AddDone } from "./AddDone";
import { DraftFields, TextField } from "./DraftFields";
import { configOf, type FileKind, newDraft } from "./draft";
import { KINDS } from "./kinds";
import { useDraft } from "./useDraft";

/** The plus over the list, or a button in words where the list is empty. */
export function AddSource({ inWords = false }: { inWords?: boolean }) {
  const [kind, setKind] = useState<FileKind | null>(null);
  return (
    <>
      <Menu
        label="Add a source"
        align="end"
        trigger={
          inWords ? (
            <Button icon={<Plus className="size-3.5" />}>Add a source</Button>
          ) : (
            <IconButton label="Add a source" data-testid="add-source">
              <Plus className="size-4" />
            </IconButton>
          )
        }
      >
        <MenuItem testId="add-mcp" icon={<Network className="size-3.5" />} note="Tools of a program or a service that speaks MCP." onSelect={() => setKind("mcp")}>
          MCP server…
        </MenuItem>
        <MenuItem testId="add-api" icon={<Globe className="size-3.5" />} note="An HTTP API the agent may ask." onSelect={() => setKind("api")}>
          API…
        </MenuItem>
        <MenuItem testId="add-local" icon={<FolderOpen className="size-3.5" />} note="A folder or an Obsidian vault to read." onSelect={() => setKind("local")}>
          Local folder…
        </MenuItem>
        <MenuSeparator />
        <MenuItem icon={<Plug className="size-3.5" />} note="They come with plugins." onSelect={() => go({ view: "plugins", plugin: null })}>
          Channels and services
        </MenuItem>
      </Menu>
      {kind !== null && <AddDialog key={kind} kind={kind} onClose={() => setKind(null)} />}
    </>
  );
}

const WORDS: Record<FileKind, string> = {
  mcp: "Its tools are there for the sessions of this workspace as soon as it runs.",
  api: "The agent gets one tool that asks this API, and nothing else on the web.",
  local: "The agent can search and read in it.",
};

function AddDialog({ kind, onClose }: { kind: FileKind; onClose: () => void }) {
  const { workspace } = useWorkspace();
  const [added, setAdded] = useState<SourceId | null>(null);
  const add = useAct("source.add", { quiet: true, onSuccess: (detail) => setAdded(detail.summary.id) });
  const form = useDraft(newDraft(kind), (draft) =>
    add.mutateAsync({ config: configOf(draft), ...(draft.guide.trim() === "" ? {} : { guide: draft.guide }), ...(workspace === null ? {} : { workspace: workspace.id }) }),
  );
  if (added !== null) return <AddDone id={added} onClose={onClose} />;
  return (
    <Dialog open onClose={onClose} title={`Add ${kind === "local" ? "a local folder" : kind === "api" ? "an API" : "an MCP server"}`} description={WORDS[kind]}>
      <form
        noValidate
        aria-label={KINDS[kind].one}
        className="flex flex-col gap-3.5"
        onSubmit={(event) => {
          event.preventDefault();
          form.submit(event.currentTarget);
        }}
      >
        <DraftFields form={form} />
        <TextField form={form} name="guide" label="Guide (optional)" lines={2} hint="What the agent should know before it uses it. You can write it later." />
        {form.note !== null && (
          <p role="alert" className="text-bad">
            {form.note}
          </p>
        )}
        <DialogFoot>
          {workspace !== null && <span className="min-w-0 flex-1 truncate text-sm text-faint">In the workspace {workspace.name}</span>}
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" data-testid="draft-submit" disabled={form.busy}>
            {form.busy ? "Adding" : "Add and try"}
          </Button>
        </DialogFoot>
      </form>
    </Dialog>
  );
}
