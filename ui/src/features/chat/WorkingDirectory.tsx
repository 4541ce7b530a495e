/** The folder that the tools of a session work in. */
import { useState } from "react";
import { Button } from "@/components/Button";
import { Field, Input } from "@/components/controls";
import { useAct } from "@/data/operations";
import type { SessionSummary } from "@/generated/protocol";
import { errorWords } from "@/lib/sentence";

export function WorkingDirectory({ session }: { session: SessionSummary }) {
  const known = session.workingDirectory ?? "";
  const [path, setPath] = useState(known);
  const update = useAct("session.update", { quiet: true });
  const changed = path.trim() !== known && path.trim() !== "";
  return (
    <form
      className="flex flex-col gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        if (changed) update.mutate({ id: session.id, workingDirectory: path.trim() });
      }}
    >
      <Field label="Folder of its tools" hint="A whole path; the workspace’s where none is given." error={update.isError ? errorWords(update.error.wire) : null}>
        {(ids) => <Input {...ids} data-testid="working-directory" className="font-mono text-sm" spellCheck={false} placeholder="the workspace’s" value={path} onChange={(event) => setPath(event.target.value)} />}
      </Field>
      {changed && (
        <div>
          <Button type="submit" data-testid="working-directory-use" disabled={update.isPending}>
            Use it
          </Button>
        </div>
      )}
    </form>
  );
}
