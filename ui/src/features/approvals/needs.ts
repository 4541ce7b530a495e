/** What needs the person: one list, so one count and one name for it wherever it is shown. The engine gathers it; the tray has the same. */
import type { UseQueryResult } from "@tanstack/react-query";
import { useRead } from "@/data/operations";
import type { Attention } from "@/generated/protocol";
import type { OperationError } from "@/platform";

export const NEEDS_YOU = "Needs you";

export const useNeeds = (): UseQueryResult<Attention[], OperationError> => useRead("attention.list", {});

/** Who waits for an answer comes first, then what stands still; what waits longest before what came later. */
const ORDER: readonly string[] = ["approval", "plan", "elicitation", "pairing", "source", "plugin", "letter"];
const placeOf = (kind: string): number => (ORDER.includes(kind) ? ORDER.indexOf(kind) : ORDER.length);
export const inOrder = (needs: readonly Attention[]): Attention[] => needs.toSorted((a, b) => placeOf(a.kind) - placeOf(b.kind) || a.since - b.since);

/** The engine names places as the address does. */
export const goTo = (route: string): void => {
  window.location.hash = `#${route}`;
};
