/** Which sessions of a list are shown: all of them, or those that are something. Kept on this device. */
import { ListFilter } from "lucide-react";
import { useState } from "react";
import { IconButton } from "@/components/Button";
import { Menu, MenuItem } from "@/components/Menu";
import { isBusy } from "@/features/chat/reducer";
import type { SessionSummary } from "@/generated/protocol";

const KEY = "kata.show";

export const SHOWS = { all: "All", unread: "Unread", working: "At work or waiting", failed: "Failed", labelled: "With a label" } as const;
export type Show = keyof typeof SHOWS;

export function shows(session: SessionSummary, show: Show): boolean {
  switch (show) {
    case "all":
      return true;
    case "unread":
      return session.unread;
    case "working":
      return isBusy(session.state);
    case "failed":
      return session.state === "failed";
    case "labelled":
      return session.labels.length > 0;
  }
}

export function useShow(): [Show, (show: Show) => void] {
  const [show, setShow] = useState<Show>(() => (Object.keys(SHOWS) as Show[]).find((each) => each === localStorage.getItem(KEY)) ?? "all");
  const keep = (next: Show) => {
    localStorage.setItem(KEY, next);
    setShow(next);
  };
  return [show, keep];
}

export function ShowMenu({ sessions, show, onShow }: { sessions: readonly SessionSummary[]; show: Show; onShow: (show: Show) => void }) {
  return (
    <Menu
      label="Which sessions"
      align="end"
      trigger={
        <IconButton label={show === "all" ? "Filter" : `Filter: ${SHOWS[show]}`} data-testid="sessions-filter" className={show === "all" ? "" : "text-accent"}>
          <ListFilter className="size-4" />
        </IconButton>
      }
    >
      {(Object.keys(SHOWS) as Show[]).map((each) => (
        <MenuItem key={each} testId={`show-${each}`} checked={each === show} keys={String(sessions.filter((row) => shows(row, each)).length)} onSelect={() => onShow(each)}>
          {SHOWS[each]}
        </MenuItem>
      ))}
    </Menu>
  );
}
