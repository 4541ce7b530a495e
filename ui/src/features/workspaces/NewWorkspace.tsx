/** Asks for the name of a new workspace and goes to it. */
import { useState } from "react";
import { Button } from "@/components/Button";
import { Field, Input } from "@/components/controls";
import { Dialog, DialogFoot } from "@/components/Dialog";
import { useAct } from "@/data/operations";
import { useWorkspace } from "@/data/workspace";
import { HOME, go } from "@/lib/route";
import { errorAtField } from "@/lib/sentence";

export function NewWorkspace({ open, onClose }: { open: boolean; onClose: () => void }) {
  return (
    <Dialog open={open} onClose={onClose} title="New workspace" description="Sessions, statuses, labels, skills and sources of their own.">
      <Form onClose={onClose} />
    </Dialog>
  );
}

function Form({ onClose }: { onClose: () => void }) {
  const { choose } = useWorkspace();
  const [name, setName] = useState("");
  const create = useAct("workspace.create", {
    quiet: true,
    onSuccess: ({ id }) => {
      choose(id);
      onClose();
      go(HOME);
    },
  });
  return (
    <form
      className="flex flex-col gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        if (name.trim() !== "") create.mutate({ name });
      }}
    >
      <Field label="Name" error={create.error === null ? null : errorAtField(create.error.wire)}>
        {(ids) => <Input {...ids} data-testid="new-workspace-name" placeholder="Home" value={name} onChange={(event) => setName(event.target.value)} />}
      </Field>
      <DialogFoot>
        <Button onClick={onClose}>Cancel</Button>
        <Button type="submit" look="primary" data-testid="new-workspace-create" disabled={name.trim() === "" || create.isPending}>
          {create.isPending ? "Making it" : "Make it"}
        </Button>
      </DialogFoot>
    </form>
  );
}
