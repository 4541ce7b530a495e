/** The shortcuts that work everywhere: with the modifier, and G followed by a letter. */
import { useEffect, useEffectEvent, useRef } from "react";
import { useNewSession } from "@/features/sessions/useNewSession";
import { inField, isMod } from "@/lib/keys";
import { focusPane, type Pane } from "@/lib/panes";
import { go } from "@/lib/route";
import { PLACES } from "./places";

export type Sheet = "palette" | "shortcuts" | null;

const PANES: Record<string, Pane> = { "1": "sidebar", "2": "list", "3": "content" };
/** Time for the letter behind G. */
const SECOND_KEY_MS = 1_500;

export function useShortcuts(setSheet: (change: (sheet: Sheet) => Sheet) => void, showSidebar: (change: (shown: boolean) => boolean) => void): void {
  const newSession = useNewSession();
  const waitsSince = useRef(Number.NEGATIVE_INFINITY);

  const withMod = (event: KeyboardEvent): boolean => {
    const pane = PANES[event.key];
    if (event.key === "k") setSheet((sheet) => (sheet === "palette" ? null : "palette"));
    else if (event.key === "/") setSheet((sheet) => (sheet === "shortcuts" ? null : "shortcuts"));
    else if (event.key === "n") void newSession();
    else if (event.key === ",") go({ view: "settings", section: "models" });
    else if (event.key === "\\") showSidebar((shown) => !shown);
    else if (event.key === "[") window.history.back();
    else if (event.key === "]") window.history.forward();
    else if (pane === "sidebar" && !focusPane(pane)) {
      showSidebar(() => true);
      requestAnimationFrame(() => focusPane(pane));
    } else if (pane !== undefined) focusPane(pane);
    else return false;
    return true;
  };

  const plain = (event: KeyboardEvent): boolean => {
    const waited = event.timeStamp - waitsSince.current < SECOND_KEY_MS;
    waitsSince.current = Number.NEGATIVE_INFINITY;
    const place = waited ? PLACES.find(({ key }) => key === event.key) : undefined;
    if (place !== undefined) go(place.route);
    else if (event.key === "g") waitsSince.current = event.timeStamp;
    else return false;
    return true;
  };

  const onKey = useEffectEvent((event: KeyboardEvent) => {
    if (event.defaultPrevented) return;
    const alone = !event.metaKey && !event.ctrlKey && !event.altKey && !event.shiftKey;
    const taken = isMod(event) ? withMod(event) : alone && !inField(event.target) && document.querySelector("[role=dialog],[role=menu]") === null && plain(event);
    if (taken) event.preventDefault();
  });

  useEffect(() => {
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);
}
