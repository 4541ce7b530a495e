/** Which conversation goes on in which session, and the way to let it go on in another. */
import { ArrowRight, Link2, MessagesSquare } from "lucide-react";
import { useState } from "react";
import { Button } from "@/components/Button";
import { SearchField } from "@/components/controls";
import { Dialog } from "@/components/Dialog";
import { Empty, Failure, SkeletonRows } from "@/components/states";
import { useAct, useRead } from "@/data/operations";
import { useSessionList } from "@/data/sessionList";
import { useWorkspace } from "@/data/workspace";
import { titleOf } from "@/features/sessions/title";
import type { RouteKey, SessionSummary } from "@/generated/protocol";
import { go } from "@/lib/route";
import { ago, useNow } from "@/lib/time";

/** More would only be scrolled past. */
const OFFERED = 50;

export function Conversations() {
  const keys = useRead("route.keys", {});
  const [search, setSearch] = useState("");
  const [joining, join] = useState<RouteKey | null>(null);
  if (keys.isPending) return <SkeletonRows />;
  if (keys.isError) return <Failure error={keys.error} onRetry={() => void keys.refetch()} />;
  if (keys.data.length === 0) return <Empty icon={MessagesSquare} title="No conversations yet">As soon as somebody writes to a channel, its conversation stands here with its session.</Empty>;
  const words = search.trim().toLowerCase();
  const shown = keys.data.filter(({ key, name }) => `${key} ${name ?? ""}`.toLowerCase().includes(words));
  return (
    <div className="flex flex-col gap-3">
      <SearchField label="Search conversations" value={search} onChange={setSearch} className="max-w-xs" />
      {shown.length === 0 && <p className="text-faint">No conversation fits.</p>}
      {shown.length > 0 && (
        <ul className="overflow-hidden rounded-lg border border-line">
          {shown.map((row) => (
            <Row key={row.key} row={row} onJoin={() => join(row)} />
          ))}
        </ul>
      )}
      {joining !== null && <Join row={joining} onClose={() => join(null)} />}
    </div>
  );
}

function Row({ row, onJoin }: { row: RouteKey; onJoin: () => void }) {
  const now = useNow();
  return (
    <li data-testid={`key-${row.key}`} className="flex flex-wrap items-center gap-x-3 gap-y-1 border-line px-3 py-2 not-first:border-t">
      <div className="min-w-48 flex-1">
        <p className="selectable font-mono text-sm [overflow-wrap:anywhere]">{row.key}</p>
        <p className="text-sm text-muted">
          goes on in{" "}
          <button type="button" className="rounded font-medium text-ink hover:underline" onClick={() => go({ view: "sessions", filter: { by: "channels" }, session: row.session })}>
            {row.name ?? row.session}
          </button>
          {row.lastAt !== null && <span className="text-faint"> · {ago(row.lastAt, now)}</span>}
        </p>
      </div>
      <Button icon={<Link2 className="size-3.5" />} onClick={onJoin}>
        Join…
      </Button>
    </li>
  );
}

function Join({ row, onClose }: { row: RouteKey; onClose: () => void }) {
  const { workspace } = useWorkspace();
  const [search, setSearch] = useState("");
  const scope = { workspace: workspace?.id ?? null, search: search.trim(), archived: false, channel: null };
  const sessions = (useSessionList(scope).data ?? []).filter(({ id }) => id !== row.session).slice(0, OFFERED);
  const act = useAct("route.join", { onSuccess: onClose });
  const to = (session: SessionSummary | null) => act.mutate({ key: row.key, session: session?.id ?? null });
  return (
    <Dialog open onClose={onClose} title="Go on in another session" description={`From its next message on, ${row.name ?? row.key} goes on there. What was said so far stays where it is.`}>
      <div className="flex flex-col gap-2">
        <SearchField label="Search sessions" value={search} onChange={setSearch} />
        <ul className="max-h-72 overflow-y-auto">
          <li>
            <Choice name="A new session of its own" note="as if it began today" busy={act.isPending} onChoose={() => to(null)} />
          </li>
          {sessions.map((session) => (
            <li key={session.id}>
              <Choice name={titleOf(session)} note={session.channel === null ? "of this window" : (session.channel.displayName ?? session.channel.adapter)} busy={act.isPending} onChoose={() => to(session)} />
            </li>
          ))}
        </ul>
      </div>
    </Dialog>
  );
}

function Choice({ name, note, busy, onChoose }: { name: string; note: string; busy: boolean; onChoose: () => void }) {
  return (
    <button type="button" disabled={busy} onClick={onChoose} className="group flex h-8 w-full items-center gap-2 rounded-md px-2 text-left hover:bg-hover">
      <span className="min-w-0 flex-1 truncate">{name}</span>
      <span className="shrink-0 text-sm text-faint">{note}</span>
      <ArrowRight aria-hidden className="size-3.5 shrink-0 text-faint opacity-0 group-hover:opacity-100" />
    </button>
  );
}
