/** Archive, begin anew, delete: the same in the list's menu and in the header of a chat, with the questions they ask. */
import { Archive, ArchiveRestore, type LucideIcon, RotateCcw, Trash2 } from "lucide-react";
import { type ReactNode, useState } from "react";
import { Confirm } from "@/components/Confirm";
import { notify } from "@/data/notify";
import { useAct } from "@/data/operations";
import type { SessionSummary } from "@/generated/protocol";
import { go, parseRoute } from "@/lib/route";
import { titleOf } from "./title";

export interface SessionAction {
  name: string;
  icon: LucideIcon;
  danger: boolean;
  run: () => void;
}

const said = (message: string, hint: string) => notify({ tone: "info", message, hint });

type Question = "reset" | "delete" | null;

export function useSessionActions(session: SessionSummary): { actions: readonly SessionAction[]; question: ReactNode } {
  const { id } = session;
  const archived = session.archived === true;
  const [asking, ask] = useState<Question>(null);
  const archive = useAct("session.archive", {
    onSuccess: ({ archived: now = false }) => {
      leave(id);
      if (now) said(`“${titleOf(session)}” is in the archive.`, "It stays there, and search finds it.");
      else said(`“${titleOf(session)}” is back in the list.`, "");
    },
  });
  const reset = useAct("session.reset", { onSuccess: () => said("The next message begins a new session.", "This one stays as it is.") });
  const remove = useAct("session.delete", { onSuccess: () => leave(id) });

  const actions: SessionAction[] = [
    ...(session.channel !== null && !archived ? [{ name: "Begin anew…", icon: RotateCcw, danger: false, run: () => ask("reset") }] : []),
    archived
      ? { name: "Take out of the archive", icon: ArchiveRestore, danger: false, run: () => archive.mutate({ id, archived: false }) }
      : { name: "Archive", icon: Archive, danger: false, run: () => archive.mutate({ id, archived: true }) },
    ...(archived ? [{ name: "Delete…", icon: Trash2, danger: true, run: () => ask("delete") }] : []),
  ];
  const question = (
    <>
      <Confirm open={asking === "reset"} onClose={() => ask(null)} title="Begin anew?" action="Begin anew" onConfirm={() => reset.mutate({ id })}>
        The conversation’s next message begins a new session that knows nothing of “{titleOf(session)}”. This session is kept.
      </Confirm>
      <Confirm open={asking === "delete"} onClose={() => ask(null)} title={`Delete “${titleOf(session)}”?`} action="Delete" onConfirm={() => remove.mutate({ id })}>
        Its folder is deleted with everything in it. This cannot be taken back.
      </Confirm>
    </>
  );
  return { actions, question };
}

/** A session that goes out of the list takes its chat with it. */
function leave(id: string): void {
  const route = parseRoute(window.location.hash);
  if (route.view === "sessions" && route.session === id) go({ view: "sessions", filter: route.filter, session: null });
}
