/** Begins a skill: its name, what it is for, and the first words of how it is done. */
import { useState } from "react";
import { Button } from "@/components/Button";
import { Field, Input, Textarea } from "@/components/controls";
import { Dialog, DialogFoot } from "@/components/Dialog";
import { useAct } from "@/data/operations";
import type { WorkspaceId } from "@/generated/protocol";
import { go } from "@/lib/route";
import { errorWords } from "@/lib/sentence";

export const slugOf = (name: string): string =>
  name
    .toLowerCase()
    .normalize("NFKD")
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "")
    .slice(0, 64);

/** A value of the head: in quotes, so that a colon or a hash in it is text. */
const quoted = (text: string): string => JSON.stringify(text.trim().replaceAll(/\s+/g, " "));

export const skillText = (name: string, description: string, body: string): string => `---\nname: ${quoted(name)}\ndescription: ${quoted(description)}\n---\n\n${body.trim()}\n`;

export function NewSkill({ workspace, open, onClose }: { workspace: WorkspaceId; open: boolean; onClose: () => void }) {
  return (
    <Dialog open={open} onClose={onClose} title="New skill" description="The agent reads it when what it is for comes up.">
      <Form workspace={workspace} onClose={onClose} />
    </Dialog>
  );
}

function Form({ workspace, onClose }: { workspace: WorkspaceId; onClose: () => void }) {
  const [name, setName] = useState("");
  const [description, setDescription] = useState("");
  const [body, setBody] = useState("");
  const write = useAct("skill.write", {
    quiet: true,
    onSuccess: ({ skill }) => {
      onClose();
      go({ view: "skills", skill: skill.slug });
    },
  });
  const slug = slugOf(name);
  const ready = slug !== "" && description.trim() !== "";
  return (
    <form
      className="flex flex-col gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        if (ready) write.mutate({ workspace, slug, text: skillText(name, description, body) });
      }}
    >
      <Field label="Name" hint={slug === "" ? "As a person would call it." : `Its folder is called ${slug}.`}>
        {(ids) => <Input {...ids} data-testid="skill-name" placeholder="Weekly report" value={name} onChange={(event) => setName(event.target.value)} />}
      </Field>
      <Field label="When it is used" hint="The only thing the agent knows of it beforehand.">
        {(ids) => <Input {...ids} data-testid="skill-description" placeholder="When somebody asks what was done this week." value={description} onChange={(event) => setDescription(event.target.value)} />}
      </Field>
      <Field label="How it is done" hint="Markdown. It can be written later." error={write.error === null ? null : errorWords(write.error.wire)}>
        {(ids) => <Textarea {...ids} data-testid="skill-body" rows={7} value={body} onChange={(event) => setBody(event.target.value)} />}
      </Field>
      <DialogFoot>
        <Button onClick={onClose}>Cancel</Button>
        <Button type="submit" look="primary" data-testid="skill-create" disabled={!ready || write.isPending}>
          {write.isPending ? "Making it" : "Make it"}
        </Button>
      </DialogFoot>
    </form>
  );
}
