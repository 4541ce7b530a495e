/** Middle and right pane of the sessions. */
import { Archive, Inbox, MessageSquareText, SquarePen, X } from "lucide-react";
import { useCallback, useDeferredValue, useMemo, useState } from "react";
import { Button, IconButton } from "@/components/Button";
import { Kbd, SearchField } from "@/components/controls";
import { ContentPane, ListPane } from "@/components/layout";
import { Empty, Failure, SkeletonRows } from "@/components/states";
import { useSessionList } from "@/data/sessionList";
import { useWorkspace } from "@/data/workspace";
import { ChatView } from "@/features/chat/ChatView";
import type { SearchHit, WorkspaceSummary } from "@/generated/protocol";
import { plural } from "@/lib/format";
import { MOD } from "@/lib/keys";
import { go, type SessionFilter } from "@/lib/route";
import { errorWords } from "@/lib/sentence";
import { hitKey, matches, placeOf } from "./rows";
import { SessionList } from "./SessionList";
import { type Show, ShowMenu, SHOWS, shows, useShow } from "./show";
import { useMessageSearch } from "./useMessageSearch";
import { useNewSession } from "./useNewSession";

const NO_HITS: readonly SearchHit[] = [];

interface SessionsViewProps {
  filter: SessionFilter;
  session: string | null;
  /** Row of the conversation to go to. */
  message: string | null;
}

export function SessionsView({ filter, session, message }: SessionsViewProps) {
  const { workspace } = useWorkspace();
  const [search, setSearch] = useState("");
  const words = useDeferredValue(search.trim());
  const archived = filter.by === "archived";
  const scope = { workspace: workspace?.id ?? null, channel: archived ? null : filter.by === "channels", archived };
  const list = useSessionList({ ...scope, search: words });
  const all = useSessionList({ ...scope, search: "" });
  const found = useMessageSearch(search);
  const hits = words === "" ? NO_HITS : (found.data?.hits ?? NO_HITS);
  const waiting = words === "" ? 0 : (found.data?.waiting ?? 0);
  const newSession = useNewSession();
  const openHit = useCallback((hit: SearchHit) => go(placeOf(hit.session, hit.message)), []);
  const open = useCallback((id: string) => go({ view: "sessions", filter, session: id }), [filter]);
  const chosen = all.data?.find((row) => row.id === session) ?? list.data?.find((row) => row.id === session);
  const [show, setShow] = useShow();
  const here = useMemo(() => list.data?.filter((row) => matches(row, filter)) ?? [], [list.data, filter]);
  const shown = useMemo(() => here.filter((row) => shows(row, show)), [here, show]);

  return (
    <>
      <ListPane
        label="Sessions"
        title={titleOfFilter(filter, workspace)}
        actions={
          <>
          <ShowMenu sessions={here} show={show} onShow={setShow} />
          <IconButton label="New session" keys={`${MOD}N`} data-testid="new-session" onClick={() => void newSession()}>
            <SquarePen className="size-4" />
          </IconButton>
          </>
        }
        search={
          <>
            <SearchField label="Search sessions" value={search} onChange={setSearch} />
            {show !== "all" && (
              <button type="button" data-testid="show-clear" onClick={() => setShow("all")} className="mt-1.5 flex h-6 items-center gap-1 rounded-md bg-accent-soft pr-1 pl-2 text-sm font-medium text-accent">
                {SHOWS[show]}
                <X aria-label="Show all" className="size-3.5" />
              </button>
            )}
            {waiting > 0 && <p role="status" className="px-1 pt-1 text-sm text-faint">{plural(waiting, "session")} not searched yet; they are being read.</p>}
            {words !== "" && found.isError && <p role="alert" className="px-1 pt-1 text-sm text-bad">{errorWords(found.error.wire)}</p>}
          </>
        }
      >
        {list.isPending ? (
          <SkeletonRows rows={7} />
        ) : list.isError ? (
          <Failure error={list.error} onRetry={() => void list.refetch()} />
        ) : shown.length === 0 && hits.length === 0 ? (
          <NothingHere filter={filter} show={show} search={words} onNew={() => void newSession()} />
        ) : (
          <SessionList
            sessions={shown}
            filter={filter}
            hits={hits}
            selected={session !== null && message !== null && hits.length > 0 ? hitKey(session, message) : session}
            labels={workspace?.labels ?? []}
            onOpen={open}
            onHit={openHit}
          />
        )}
      </ListPane>
      {chosen === undefined ? (
        <ContentPane label="Chat">
          {session !== null && all.isPending ? (
            <SkeletonRows rows={5} className="mx-auto max-w-(--chat) px-6 pt-16" />
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
        <ChatView session={chosen} message={message} />
      )}
    </>
  );
}

function NothingHere({ filter, search, show, onNew }: { filter: SessionFilter; search: string; show: Show; onNew: () => void }) {
  if (search !== "") return <Empty icon={Inbox} title="Nothing found">Neither a title nor a message has “{search}”.</Empty>;
  if (show !== "all") return <Empty icon={Inbox} title="None">No session here is “{SHOWS[show].toLowerCase()}” now.</Empty>;
  if (filter.by === "archived") return <Empty icon={Archive} title="The archive is empty">Archived sessions are out of the way, kept as they are, and found by search.</Empty>;
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
    case "archived":
      return "Archive";
    case "status":
      return workspace?.statuses.find((status) => status.id === filter.id)?.label ?? filter.id;
    case "label":
      return workspace?.labels.find((label) => label.id === filter.id)?.name ?? filter.id;
  }
}
