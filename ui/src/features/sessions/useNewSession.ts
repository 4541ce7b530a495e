import { useQueryClient } from "@tanstack/react-query";
import { useCallback } from "react";
import { useAct } from "@/data/operations";
import { sessionChanged } from "@/data/sessionList";
import { useWorkspace } from "@/data/workspace";
import type { SessionId } from "@/generated/protocol";
import { go } from "@/lib/route";

/** Makes a session and goes to it; `before` is called with its id while it is not on the page yet. */
export function useNewSession(): (before?: (id: SessionId) => void) => Promise<void> {
  const client = useQueryClient();
  const { workspace } = useWorkspace();
  const { mutateAsync: create } = useAct("session.create");
  return useCallback(async (before?: (id: SessionId) => void) => {
    try {
      const session = await create(workspace === null ? {} : { workspace: workspace.id });
      sessionChanged(client, session);
      before?.(session.id);
      go({ view: "sessions", filter: { by: "all" }, session: session.id });
      requestAnimationFrame(() => document.querySelector<HTMLElement>("[data-testid=composer]")?.focus());
    } catch {
      // `useAct` has already said why in the status line.
    }
  }, [client, create, workspace]);
}
