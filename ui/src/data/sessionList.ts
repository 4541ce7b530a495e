/** The whole session list, page by page, kept current by facts. */
import { type QueryClient, type UseQueryResult, useQuery, useQueryClient } from "@tanstack/react-query";
import type { SessionId, SessionSummary, WorkspaceId } from "@/generated/protocol";
import type { OperationError, Platform } from "@/platform";
import { usePlatform } from "./platform";

/** The engine's own bound for one page. */
const PAGE = 1_000;

export interface ListScope {
  workspace: WorkspaceId | null;
  /** Channel sessions are listed apart from the desktop's; null lists both, as the archive does. */
  channel: boolean | null;
  archived: boolean;
  search: string;
}

const keyOf = (scope: ListScope) => ["session.list", scope] as const;

async function readAll(platform: Platform, client: QueryClient, scope: ListScope): Promise<SessionSummary[]> {
  const { workspace, channel, archived, search } = scope;
  const first = client.getQueryData(keyOf(scope)) === undefined;
  let rows: SessionSummary[] = [];
  for (;;) {
    const page = await platform.request("session.list", {
      archived,
      limit: PAGE,
      offset: rows.length,
      ...(channel === null ? {} : { channel }),
      ...(workspace === null ? {} : { workspace }),
      ...(search === "" ? {} : { search }),
    });
    rows = [...rows, ...page.sessions];
    if (page.sessions.length === 0 || rows.length >= page.total) return rows;
    // The first page is painted while the others are on their way.
    if (first) client.setQueryData(keyOf(scope), rows);
  }
}

export function useSessionList(scope: ListScope): UseQueryResult<SessionSummary[], OperationError> {
  const platform = usePlatform();
  const client = useQueryClient();
  return useQuery<SessionSummary[], OperationError>({
    queryKey: keyOf(scope),
    queryFn: () => readAll(platform, client, scope),
    placeholderData: (previous, query) => {
      const before = query?.queryKey[1] as ListScope | undefined;
      return before?.workspace === scope.workspace && before.channel === scope.channel && before.archived === scope.archived ? previous : undefined;
    },
  });
}

/** Puts a changed row in its place, newest first. */
export function withRow(rows: readonly SessionSummary[], row: SessionSummary): SessionSummary[] {
  const rest = rows.filter((other) => other.id !== row.id);
  const at = rest.findIndex((other) => other.lastMessageAt <= row.lastMessageAt);
  rest.splice(at === -1 ? rest.length : at, 0, row);
  return rest;
}

export function sessionChanged(client: QueryClient, row: SessionSummary): void {
  for (const [key, rows] of client.getQueriesData<SessionSummary[]>({ queryKey: ["session.list"] })) {
    if (rows === undefined) continue;
    const scope = key[1] as ListScope;
    const listed = rows.some((other) => other.id === row.id);
    const archived = row.archived ?? false;
    const belongs =
      (scope.channel === null || scope.channel === (row.channel !== null)) && scope.archived === archived && (scope.workspace === null || scope.workspace === row.workspace) && scope.search === "";
    // Into the archive, or out of it.
    if (listed && scope.archived !== archived) client.setQueryData<SessionSummary[]>(key, rows.filter((other) => other.id !== row.id));
    else if (listed || belongs) client.setQueryData<SessionSummary[]>(key, withRow(rows, row));
  }
}

export function sessionRemoved(client: QueryClient, id: SessionId): void {
  client.setQueriesData<SessionSummary[]>({ queryKey: ["session.list"] }, (rows) => rows?.filter((row) => row.id !== id));
}
