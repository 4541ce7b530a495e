/** What needs the person: one list, so one count and one name for it wherever it is shown. The engine gathers it; the tray has the same. */
import type { UseQueryResult } from "@tanstack/react-query";
import { useRead } from "@/data/operations";
import type { Attention } from "@/generated/protocol";
import type { OperationError } from "@/platform";

export const NEEDS_YOU = "Needs you";

export const useNeeds = (): UseQueryResult<Attention[], OperationError> => useRead("attention.list", {});

/** The engine names places as the address does. */
export const goTo = (route: string): void => {
  window.location.hash = `#${route}`;
};
