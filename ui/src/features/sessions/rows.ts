/** From sessions to the rows of the list: filtered, then grouped by day. */
import type { SessionSummary } from "@/generated/protocol";
import type { SessionFilter } from "@/lib/route";
import { dayGroup, startOfDay } from "@/lib/time";

/** Status of a session that names none. */
export const UNMARKED = "todo";

export type ListRow = { kind: "heading"; key: string; title: string } | { kind: "session"; key: string; session: SessionSummary };

export function matches(session: SessionSummary, filter: SessionFilter): boolean {
  switch (filter.by) {
    case "all":
    case "channels":
      return true;
    case "flagged":
      return session.flagged;
    case "status":
      return (session.status ?? UNMARKED) === filter.id;
    case "label":
      return session.labels.some((label) => label === filter.id || label.startsWith(`${filter.id}::`));
  }
}

export function listRows(sessions: readonly SessionSummary[], filter: SessionFilter, now: number): ListRow[] {
  const rows: ListRow[] = [];
  let group: string | null = null;
  let day = Number.NaN;
  for (const session of sessions) {
    if (!matches(session, filter)) continue;
    const thisDay = startOfDay(session.lastMessageAt);
    const title: string = thisDay === day && group !== null ? group : dayGroup(session.lastMessageAt, now);
    day = thisDay;
    if (title !== group) {
      rows.push({ kind: "heading", key: `day-${title}`, title });
      group = title;
    }
    rows.push({ kind: "session", key: session.id, session });
  }
  return rows;
}
