import { useEffect, useEffectEvent } from "react";
import { useNewSession } from "@/features/sessions/useNewSession";
import { isMod } from "@/lib/keys";
import { go } from "@/lib/route";
import { PLACES } from "./places";

export type Sheet = "palette" | "shortcuts" | null;

/** The shortcuts that work everywhere. */
export function useShortcuts(setSheet: (change: (sheet: Sheet) => Sheet) => void, toggleSidebar: () => void): void {
  const newSession = useNewSession();

  const onKey = useEffectEvent((event: KeyboardEvent) => {
    if (!isMod(event)) return;
    const place = PLACES[Number(event.key) - 1];
    if (event.key === "k") setSheet((sheet) => (sheet === "palette" ? null : "palette"));
    else if (event.key === "/") setSheet((sheet) => (sheet === "shortcuts" ? null : "shortcuts"));
    else if (event.key === "n") void newSession();
    else if (event.key === ",") go({ view: "settings", section: "models" });
    else if (event.key === "\\") toggleSidebar();
    else if (place !== undefined) go(place.route);
    else return;
    event.preventDefault();
  });

  useEffect(() => {
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);
}
