/** Middle and right pane of the sessions. */
import { Inbox, MessageSquareText, SquarePen } from "lucide-react";
import { useCallback, useDeferredValue, useState } from "react";
import { Button, IconButton } from "@/components/Button";
import { Kbd, SearchField } from "@/components/controls";
import { ContentPane, ListPane } from "@/components/layout";
import { Empty, Failure, SkeletonRows } from "@/components/states";
import { useSessionList } from "@/data/sessionList";
import { useWorkspace } from "@/data/workspace";
import { ChatView } from "@/features/chat/ChatView";
import type { WorkspaceSummary } from "@/generated/protocol";
import { MOD } from "@/lib/keys";
import { go, type SessionFilter } from "@/lib/route";
import { matches } from "./rows";
import { SessionList } from "./SessionList";
import { useNewSession } from "./useNewSession";

interface SessionsViewProps {
  filter: SessionFilter;
  session: string | null;
}

export function SessionsView({ filter, session }: SessionsViewProps) {
  const { workspace } = useWorkspace();
  const [search, setSearch] = useState("");
  const words = useDeferredValue(search.trim());
  const channel = filter.by === "channels";
  const scope = { workspace: workspace?.id ?? null, channel };
  const list = useSessionList({ ...scope, search: words });
  const all = useSessionList({ ...scope, search: "" });
  const newSession = useNewSession();
  const open = useCallback((id: string) => go({ view: "sessions", filter, session: id }), [filter]);
  const chosen = all.data?.find((row) => row.id === session) ?? list.data?.find((row) => row.id === session);
  const shown = list.data?.filter((row) => matches(row, filter)) ?? [];

  return (
    <>
      <ListPane
        label="Sessions"
        title={titleOfFilter(filter, workspace)}
        actions={
          <IconButton label="New session" keys={`${MOD}N`} data-testid="new-session" onClick={() => void newSession()}>
            <SquarePen className="size-4" />
          </IconButton>
        }
        search={<SearchField label="Search sessions" value={search} onChange={setSearch} />}
      >
        {list.isPending ? (
          <SkeletonRows rows={7} />
        ) : list.isError ? (
          <Failure error={list.error} onRetry={() => void list.refetch()} />
        ) : shown.length === 0 ? (
          <NothingHere filter={filter} search={words} onNew={() => void newSession()} />
        ) : (
          <SessionList sessions={list.data} filter={filter} selected={session} labels={workspace?.labels ?? []} onOpen={open} />
        )}
      </ListPane>
      {chosen === undefined ? (
        <ContentPane label="Chat">
          {session !== null && all.isPending ? (
            <SkeletonRows rows={5} className="mx-auto max-w-[720px] px-6 pt-16" />
          ) : (
            <Empty
              icon={MessageSquareText}
              title={session === null ? "No session chosen" : "This session is not here"}
              action={
                <Button look="primary" onClick={() => void newSession()}>
                  New session
                </Button>
              }
            >
              {session === null ? (
                <>
                  Choose one on the left, or press <Kbd>{MOD}N</Kbd> for a new one.
                </>
              ) : (
                "It may lie in another workspace, or it has been removed."
              )}
            </Empty>
          )}
        </ContentPane>
      ) : (
        <ChatView session={chosen} />
      )}
    </>
  );
}

function NothingHere({ filter, search, onNew }: { filter: SessionFilter; search: string; onNew: () => void }) {
  if (search !== "") return <Empty icon={Inbox} title="Nothing found">No session has “{search}” in its title or its first words.</Empty>;
  if (filter.by === "channels") return <Empty icon={Inbox} title="No conversations yet">When somebody writes to one of your channels, the conversation appears here.</Empty>;
  return (
    <Empty icon={Inbox} title="No sessions here" action={<Button onClick={onNew}>New session</Button>}>
      {filter.by === "all" ? "Start the first one." : "Nothing carries this mark."}
    </Empty>
  );
}

function titleOfFilter(filter: SessionFilter, workspace: WorkspaceSummary | null): string {
  switch (filter.by) {
    case "all":
      return "All sessions";
    case "flagged":
      return "Flagged";
    case "channels":
      return "Channels";
    case "status":
      return workspace?.statuses.find((status) => status.id === filter.id)?.label ?? filter.id;
    case "label":
      return workspace?.labels.find((label) => label.id === filter.id)?.name ?? filter.id;
  }
}
