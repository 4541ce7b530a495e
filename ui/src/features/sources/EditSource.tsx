/** Changes how a source by files is set up, with the same fields it was added with. */
import { Button } from "@/components/Button";
import { Dialog, DialogFoot } from "@/components/Dialog";
import { Failure, SkeletonRows } from "@/components/states";
import { useAct, useRead } from "@/data/operations";
import type { SourceSummary } from "@/generated/protocol";
import { DraftFields } from "./DraftFields";
import { configOf, draftOf, type FileKind } from "./draft";
import { useDraft } from "./useDraft";

export function EditSource({ source, onClose }: { source: SourceSummary; onClose: () => void }) {
  const read = useRead("source.document", { id: source.id });
  return (
    <Dialog open onClose={onClose} title={`Change ${source.name}`} description="What the form does not show stays as it is in config.json.">
      {read.data !== undefined ? <Form source={source} config={read.data.config} onClose={onClose} /> : read.isError ? <Failure error={read.error} onRetry={() => void read.refetch()} /> : <SkeletonRows rows={3} />}
    </Dialog>
  );
}

function Form({ source, config, onClose }: { source: SourceSummary; config: unknown; onClose: () => void }) {
  const write = useAct("source.write", { quiet: true, onSuccess: onClose });
  const form = useDraft(draftOf(source.kind as FileKind, config), (draft) => write.mutateAsync({ id: source.id, config: configOf(draft, config) }));
  return (
    <form
      noValidate
      className="flex flex-col gap-3.5"
      onSubmit={(event) => {
        event.preventDefault();
        form.submit(event.currentTarget);
      }}
    >
      <DraftFields form={form} />
      {form.note !== null && (
        <p role="alert" className="text-bad">
          {form.note}
        </p>
      )}
      <DialogFoot>
        <Button onClick={onClose}>Cancel</Button>
        <Button type="submit" look="primary" data-testid="draft-submit" disabled={form.busy}>
          {form.busy ? "Saving" : "Save"}
        </Button>
      </DialogFoot>
    </form>
  );
}
