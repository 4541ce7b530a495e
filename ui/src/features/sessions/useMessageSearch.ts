/** Words in the messages of all sessions; two letters at least, or everything would be found. */
import type { UseQueryResult } from "@tanstack/react-query";
import { useDeferredValue } from "react";
import { useRead } from "@/data/operations";
import { useWorkspace } from "@/data/workspace";
import type { SearchPage } from "@/generated/protocol";
import type { OperationError } from "@/platform";

const LEAST = 2;

export function useMessageSearch(words: string): UseQueryResult<SearchPage, OperationError> {
  const { workspace } = useWorkspace();
  const query = useDeferredValue(words.trim());
  return useRead("session.search", { query, limit: 50, ...(workspace === null ? {} : { workspace: workspace.id }) }, { enabled: query.length >= LEAST, fresh: true });
}
