/** The left pane: where to go, and how things stand. */
import { Archive, BellRing, Flag, Inbox, type LucideIcon, Radio, Tag } from "lucide-react";
import { type ReactNode, useEffect, useMemo, useRef } from "react";
import { useRead } from "@/data/operations";
import { useSessionList } from "@/data/sessionList";
import { useWorkspace } from "@/data/workspace";
import { NEEDS_YOU, useNeeds } from "@/features/approvals/needs";
import { UNMARKED } from "@/features/sessions/rows";
import { WorkflowIcon } from "@/features/sessions/StatusMenu";
import { cn } from "@/lib/cn";
import { cssColor } from "@/lib/color";
import { intoSight } from "@/lib/focus";
import { go, type Route, type SessionFilter, sameFilter } from "@/lib/route";
import { useDark } from "@/lib/theme";
import { HealthLine } from "./HealthLine";
import { PLACES } from "./places";
import { Group } from "./SidebarGroup";
import { WorkspaceMenu } from "./WorkspaceMenu";

export function Sidebar({ route }: { route: Route }) {
  const { workspace } = useWorkspace();
  const dark = useDark();
  const scope = { workspace: workspace?.id ?? null, search: "", archived: false };
  const sessions = useSessionList({ ...scope, channel: false }).data;
  const channels = useSessionList({ ...scope, channel: true }).data;
  const counts = useMemo(() => countBy(sessions ?? []), [sessions]);
  // Asked for with the window, so that their views have what they knew while the engine is away.
  useRead("plugin.list", {});
  useRead("approval.list", {});
  useRead("elicitation.list", {});
  useRead("pairing.list", {});
  const needs = useNeeds().data ?? [];
  const needing = (kind: string) => needs.filter((each) => each.kind === kind).length;
  const waits: Partial<Record<Route["view"], number | undefined>> = { sources: needing("source"), plugins: needing("plugin"), letters: useRead("letter.list", {}).data?.length };
  const filter = route.view === "sessions" ? route.filter : null;
  const item = (next: SessionFilter, icon: ReactNode, name: string, n: number | undefined, testId?: string, indent = 0) => (
    <NavItem key={`${next.by}-${"id" in next ? next.id : ""}`} icon={icon} name={name} count={n} testId={testId} indent={indent} active={filter !== null && sameFilter(filter, next)} onGo={() => go({ view: "sessions", filter: next, session: null })} />
  );

  const list = useStaysInSight();
  return (
    <nav data-pane="sidebar" aria-label="Main" className="flex w-[220px] shrink-0 flex-col border-r border-line bg-sidebar max-[960px]:w-[180px]">
      <div className="p-2">
        <WorkspaceMenu />
      </div>
      <div ref={list} className="min-h-0 flex-1 scroll-pb-2 overflow-y-auto px-2 pb-2">
        <ul className="flex flex-col gap-px">
          {item({ by: "all" }, <Icon of={Inbox} />, "All sessions", sessions?.length, "nav-sessions")}
          <NavItem icon={<Icon of={BellRing} />} name={NEEDS_YOU} count={needs.length} warn testId="nav-waiting" active={route.view === "waiting"} onGo={() => go({ view: "waiting" })} />
          {item({ by: "flagged" }, <Icon of={Flag} />, "Flagged", counts.flagged)}
          {item({ by: "channels" }, <Icon of={Radio} />, "Channels", channels?.filter((row) => row.unread).length, "nav-channels")}
          {item({ by: "archived" }, <Icon of={Archive} />, "Archive", undefined, "nav-archived")}
        </ul>
        {workspace !== null && workspace.statuses.length > 0 && (
          <Group title="Status" edit="Edit statuses">
            {workspace.statuses.map((status) => item({ by: "status", id: status.id }, <WorkflowIcon status={status} />, status.label, counts.status.get(status.id)))}
          </Group>
        )}
        {workspace !== null && workspace.labels.length > 0 && (
          <Group title="Labels" edit="Edit labels">
            {workspace.labels.map((label) =>
              item({ by: "label", id: label.id }, <Tag aria-hidden className="size-3.5" style={{ color: cssColor(label.color, dark) }} />, label.name, counts.label.get(label.id), undefined, label.depth),
            )}
          </Group>
        )}
        <Group title="Engine">
          {ENGINE.map((place) => (
            <NavItem key={place.view} icon={<Icon of={place.icon} />} name={place.name} count={waits[place.view]} warn testId={`nav-${place.view}`} active={route.view === place.view} onGo={() => go(place.route)} />
          ))}
        </Group>
      </div>
      <HealthLine />
    </nav>
  );
}

/** Keeps the present place in sight when the foot grows or the window gets lower. */
function useStaysInSight() {
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const at = list.current;
    if (at === null) return;
    const show = () => void at.querySelector("[aria-current=page]")?.scrollIntoView({ block: "nearest" });
    const size = new ResizeObserver(show);
    size.observe(at);
    return () => size.disconnect();
  }, []);
  return list;
}

const ENGINE = PLACES.filter(({ view }) => view !== "sessions" && view !== "waiting");

const Icon = ({ of: Of }: { of: LucideIcon }) => <Of aria-hidden className="size-4" strokeWidth={1.75} />;

function countBy(sessions: readonly { flagged: boolean; status: string | null; labels: string[] }[]) {
  const status = new Map<string, number>();
  const label = new Map<string, number>();
  let flagged = 0;
  for (const session of sessions) {
    if (session.flagged) flagged += 1;
    const id = session.status ?? UNMARKED;
    status.set(id, (status.get(id) ?? 0) + 1);
    for (const each of session.labels) {
      const key = each.split("::")[0] ?? each;
      label.set(key, (label.get(key) ?? 0) + 1);
    }
  }
  return { flagged, status, label };
}

interface NavItemProps {
  icon: ReactNode;
  name: string;
  active: boolean;
  onGo: () => void;
  count?: number | undefined;
  warn?: boolean;
  testId?: string | undefined;
  indent?: number;
}

function NavItem({ icon, name, active, onGo, count, warn = false, testId, indent = 0 }: NavItemProps) {
  return (
    <li>
      <button
        ref={active ? intoSight : undefined}
        type="button"
        data-testid={testId}
        aria-current={active ? "page" : undefined}
        onClick={onGo}
        style={indent > 0 ? { paddingLeft: 8 + indent * 14 } : undefined}
        className={cn("flex h-7 w-full items-center gap-2 rounded-md px-2 text-left", active ? "bg-selected font-medium text-ink" : "text-muted hover:bg-hover hover:text-ink")}
      >
        <span className="flex size-4 shrink-0 items-center justify-center">{icon}</span>
        <span className="min-w-0 flex-1 truncate">{name}</span>
        {count !== undefined && count > 0 && (
          <span className={cn("text-xs tabular-nums", warn ? "rounded bg-warn-soft px-1 font-medium text-warn" : "text-faint")}>{count.toLocaleString()}</span>
        )}
      </button>
    </li>
  );
}
