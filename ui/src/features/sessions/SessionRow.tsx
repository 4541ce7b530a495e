/** One session in the list. */
import { Flag, LoaderCircle, ShieldQuestion } from "lucide-react";
import { memo } from "react";
import { Badge } from "@/components/controls";
import type { Label, SessionSummary } from "@/generated/protocol";
import { isBusy } from "@/features/chat/reducer";
import { cn } from "@/lib/cn";
import { plural } from "@/lib/format";
import { ago, useNow } from "@/lib/time";
import { ChannelBadge } from "./ChannelBadge";
import { SessionMenu } from "./SessionMenu";
import { titleOf } from "./title";

interface RowProps {
  session: SessionSummary;
  selected: boolean;
  labels: readonly Label[];
  onOpen: (id: string) => void;
}

export const rowId = (id: string): string => `session-${id}`;

export const SessionRow = memo(function SessionRow({ session, selected, labels, onOpen }: RowProps) {
  const now = useNow();
  const title = titleOf(session);
  return (
    <SessionMenu session={session}>
      {/* oxlint-disable-next-line jsx-a11y/click-events-have-key-events -- the list box around it takes the keyboard */}
      <div
        id={rowId(session.id)}
        role="option"
        tabIndex={-1}
        aria-selected={selected}
        data-testid={`session-row-${session.id}`}
        onClick={() => onOpen(session.id)}
        className={cn("mx-2 flex h-full flex-col justify-center gap-0.5 rounded-lg px-2.5", selected ? "bg-selected" : "hover:bg-hover")}
      >
        <div className="flex items-center gap-1.5">
          {session.unread && <span role="img" aria-label="Unread" className="size-2 shrink-0 rounded-full bg-accent" />}
          <span className={cn("min-w-0 flex-1 truncate", session.unread ? "font-semibold" : "font-medium")}>{title}</span>
          <Doing session={session} />
          {session.flagged && <Flag aria-label="Flagged" className="size-3 shrink-0 fill-dot-warn text-dot-warn" />}
          <span className="shrink-0 text-xs text-faint tabular-nums">{ago(session.lastMessageAt, now)}</span>
        </div>
        <div className="flex h-[18px] items-center gap-1.5">
          <span className="min-w-0 flex-1 truncate text-sm text-faint">{session.messageCount === 0 ? "No messages yet" : session.preview === null || session.preview === title ? plural(session.messageCount, "message") : session.preview}</span>
          {session.channel !== null && <ChannelBadge channel={session.channel} />}
          {session.labels.slice(0, 2).map((label) => (
            <Badge key={label}>{labels.find((each) => each.id === label.split("::")[0])?.name ?? label}</Badge>
          ))}
        </div>
      </div>
    </SessionMenu>
  );
});

function Doing({ session }: { session: SessionSummary }) {
  if (session.state === "awaiting_approval") return <ShieldQuestion aria-label="Needs your answer" className="size-3.5 shrink-0 text-warn" />;
  if (isBusy(session.state)) return <LoaderCircle aria-label="Working" className="size-3.5 shrink-0 animate-spin text-accent" />;
  if (session.state === "failed") return <span role="img" aria-label="The last turn failed" className="size-2 shrink-0 rounded-full bg-dot-bad" />;
  return null;
}
