/** The list of sessions: grouped by day, only what is in sight is in the page, arrows move through it. */
import { useVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, useCallback, useEffect, useMemo, useRef } from "react";
import type { Label, SearchHit, SessionId, SessionSummary } from "@/generated/protocol";
import type { SessionFilter } from "@/lib/route";
import { useNow } from "@/lib/time";
import { HitRow } from "./HitRow";
import { hitRows, type ListRow, listRows } from "./rows";
import { rowId, SessionRow } from "./SessionRow";

const HEADING_PX = 30;
const ROW_PX = 54;
const HIT_PX = 66;
const NO_HITS: readonly SearchHit[] = [];

const heightOf = (row: ListRow | undefined): number => (row?.kind === "heading" ? HEADING_PX : row?.kind === "hit" ? HIT_PX : ROW_PX);

interface SessionListProps {
  sessions: readonly SessionSummary[];
  filter: SessionFilter;
  /** Key of the chosen row: a session's id, or that of a hit. */
  selected: string | null;
  /** What a search found in messages; stands below the sessions. */
  hits?: readonly SearchHit[];
  labels: readonly Label[];
  onOpen: (id: SessionId) => void;
  onHit: (hit: SearchHit) => void;
}

export function SessionList({ sessions, filter, selected, hits = NO_HITS, labels, onOpen, onHit }: SessionListProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const now = useNow();
  const rows = useMemo(() => [...listRows(sessions, filter, now), ...hitRows(hits)], [sessions, filter, hits, now]);
  // Stable, so that the virtualizer does not look at every row again on each scroll.
  const estimateSize = useCallback((i: number) => heightOf(rows[i]), [rows]);
  const getItemKey = useCallback((i: number) => rows[i]?.key ?? i, [rows]);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize,
    getItemKey,
    overscan: 8,
    paddingEnd: 8,
    initialRect: { width: 300, height: 800 },
  });

  const selectedAt = rows.findIndex((row) => row.key === selected);
  useEffect(() => {
    if (selectedAt !== -1) virtual.scrollToIndex(selectedAt, { align: "auto" });
  }, [selectedAt, virtual]);

  const move = (event: KeyboardEvent, step: number, from: number) => {
    event.preventDefault();
    for (let i = from; i >= 0 && i < rows.length; i += step) {
      const row = rows[i];
      if (row === undefined || row.kind === "heading") continue;
      if (row.kind === "session") onOpen(row.session.id);
      else onHit(row.hit);
      return;
    }
  };

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown" || event.key === "j") move(event, 1, selectedAt + 1);
    else if (event.key === "ArrowUp" || event.key === "k") move(event, -1, selectedAt === -1 ? rows.length - 1 : selectedAt - 1);
    else if (event.key === "Home") move(event, 1, 0);
    else if (event.key === "End") move(event, -1, rows.length - 1);
    else if (event.key === "ContextMenu" || (event.key === "F10" && event.shiftKey)) openMenu(event, selected);
    else if (event.key === "Enter") document.querySelector<HTMLElement>("[data-testid=composer]")?.focus();
  };

  return (
    <div
      ref={scroller}
      role="listbox"
      tabIndex={0}
      aria-label="Sessions"
      aria-activedescendant={selected === null ? undefined : rowId(selected)}
      onKeyDown={onKeyDown}
      className="h-full overflow-y-auto"
    >
      <div role="presentation" className="relative" style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map((item) => {
          const row = rows[item.index];
          if (row === undefined) return null;
          return (
            <div key={item.key} role="presentation" className="absolute top-0 left-0 w-full" style={{ height: item.size, transform: `translateY(${item.start}px)` }}>
              {row.kind === "heading" ? (
                <div role="presentation" className="flex h-full items-end px-4.5 pb-1 text-xs font-medium text-faint">
                  {row.title}
                </div>
              ) : row.kind === "hit" ? (
                <HitRow id={row.key} hit={row.hit} selected={row.key === selected} onOpen={onHit} />
              ) : (
                <SessionRow session={row.session} selected={row.key === selected} labels={labels} onOpen={onOpen} />
              )}
            </div>
          );
        })}
      </div>
    </div>
  );
}

/** The menu key means the chosen row; the list box has the focus, so it is passed on. */
function openMenu(event: KeyboardEvent, selected: SessionId | null): void {
  const row = selected === null ? null : document.getElementById(rowId(selected));
  if (row === null) return;
  event.preventDefault();
  const { left, bottom } = row.getBoundingClientRect();
  row.dispatchEvent(new MouseEvent("contextmenu", { bubbles: true, cancelable: true, clientX: left + 24, clientY: bottom }));
}
