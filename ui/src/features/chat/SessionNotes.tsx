/** The person's notes beside a session. */
import { Failure, Skeleton } from "@/components/states";
import { remember, useRead } from "@/data/operations";
import { usePlatform } from "@/data/platform";
import { TextFile } from "@/features/sources/TextFile";
import type { SessionId } from "@/generated/protocol";
import { useQueryClient } from "@tanstack/react-query";

export function SessionNotes({ id }: { id: SessionId }) {
  const platform = usePlatform();
  const client = useQueryClient();
  const notes = useRead("session.notes", { id, text: null }, { fresh: true });
  if (notes.isPending) return <Skeleton className="h-20" />;
  if (notes.isError) return <Failure error={notes.error} onRetry={() => void notes.refetch()} />;
  const save = async (text: string) => remember(client, "session.notes", { id, text: null }, await platform.request("session.notes", { id, text }));
  return <TextFile name="Notes" saved={notes.data.text ?? ""} rows={4} hint="Yours alone: the agent does not read them." onSave={save} />;
}
