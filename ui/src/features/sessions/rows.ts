/** From sessions to the rows of the list: filtered, then grouped by day. */
import type { MessageId, SearchHit, SessionSummary } from "@/generated/protocol";
import type { Route, SessionFilter } from "@/lib/route";
import { dayGroup, startOfDay } from "@/lib/time";

/** Status of a session that names none. */
export const UNMARKED = "todo";

export type ListRow = { kind: "heading"; key: string; title: string } | { kind: "session"; key: string; session: SessionSummary } | { kind: "hit"; key: string; hit: SearchHit };

export const hitKey = (session: string, message: string): string => `${session}:${message}`;

/** Where a session is listed, and its row in the conversation. */
export function placeOf(session: SessionSummary, message?: MessageId): Route {
  const by = session.archived === true ? "archived" : session.channel === null ? "all" : "channels";
  return { view: "sessions", filter: { by }, session: session.id, ...(message === undefined ? {} : { message }) };
}

export function matches(session: SessionSummary, filter: SessionFilter): boolean {
  switch (filter.by) {
    case "all":
    case "channels":
    case "archived":
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

/** Below the sessions: what was found in their messages. */
export function hitRows(hits: readonly SearchHit[]): ListRow[] {
  if (hits.length === 0) return [];
  const rows = hits.map((hit): ListRow => ({ kind: "hit", key: hitKey(hit.session.id, hit.message), hit }));
  return [{ kind: "heading", key: "in-messages", title: "In messages" }, ...rows];
}
