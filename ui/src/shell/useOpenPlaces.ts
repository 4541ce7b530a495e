/** Places that were asked for from outside: a link, the tray, a notification. A link may fill a composer; it never sends. */
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { notify } from "@/data/notify";
import { useAct } from "@/data/operations";
import { usePlatform } from "@/data/platform";
import { sessionChanged } from "@/data/sessionList";
import { useWorkspace } from "@/data/workspace";
import { keepLinkedDraft } from "@/features/chat/drafts";
import { go } from "@/lib/route";
import type { Place } from "@/platform";

export function useOpenPlaces(): void {
  const platform = usePlatform();
  const client = useQueryClient();
  const { workspace } = useWorkspace();
  const { mutateAsync: create } = useAct("session.create");
  const open = async (place: Place) => {
    switch (place.kind) {
      case "route":
        window.location.hash = `#${place.route}`;
        return;
      case "unknown":
        notify({ tone: "error", message: "A link from outside could not be opened.", hint: `It asks for “${place.link}”, which is no place here. Nothing was done.` });
        return;
      case "compose":
        try {
          const session = await create(workspace === null ? {} : { workspace: workspace.id });
          keepLinkedDraft(session.id, place.text, place.cut);
          sessionChanged(client, session);
          go({ view: "sessions", filter: { by: "all" }, session: session.id });
        } catch {
          // `useAct` has already said why in the status line.
        }
    }
  };
  const latest = useRef(open);
  useEffect(() => {
    latest.current = open;
  });
  useEffect(() => platform.onPlace((place) => void latest.current(place)), [platform]);
}
