/** Title of the session and what can be done with it. */
import { Copy, Download, Ellipsis, Flag, LoaderCircle, PanelRight } from "lucide-react";
import { type KeyboardEvent, useState } from "react";
import { IconButton } from "@/components/Button";
import { Badge } from "@/components/controls";
import { Menu, MenuItem, MenuSeparator } from "@/components/Menu";
import { useAct } from "@/data/operations";
import type { SessionState, SessionSummary } from "@/generated/protocol";
import { ChannelBadge } from "@/features/sessions/ChannelBadge";
import { StatusMenu } from "@/features/sessions/StatusMenu";
import { useExport } from "@/features/sessions/useExport";
import { useSessionActions } from "@/features/sessions/useSessionActions";
import { titleOf } from "@/features/sessions/title";
import { cn } from "@/lib/cn";
import { focusOnMount } from "@/lib/focus";
import { isBusy } from "./reducer";

interface HeaderProps {
  session: SessionSummary;
  state: SessionState;
  inspecting: boolean;
  onInspect: () => void;
}

export function ChatHeader({ session, state, inspecting, onInspect }: HeaderProps) {
  const update = useAct("session.update");
  const { actions, question } = useSessionActions(session);
  const { save, copy } = useExport();
  return (
    <header className="@container flex h-11 shrink-0 items-center gap-1.5 border-b border-line pr-2 pl-4">
      {isBusy(state) && <LoaderCircle aria-label="Working" className="size-3.5 shrink-0 animate-spin text-accent" />}
      <Title key={session.id} session={session} onRename={(name) => update.mutate({ id: session.id, name })} />
      {session.channel !== null && <ChannelBadge channel={session.channel} />}
      {session.archived === true && <Badge>archived</Badge>}
      <span className="flex-1" />
      <StatusMenu session={session} />
      <IconButton label={session.flagged ? "Remove the flag" : "Flag"} aria-pressed={session.flagged} onClick={() => update.mutate({ id: session.id, flagged: !session.flagged })}>
        <Flag className={cn("size-4", session.flagged && "fill-dot-warn text-dot-warn")} />
      </IconButton>
      <Menu
        align="end"
        label="More"
        trigger={
          <IconButton label="More" data-testid="session-more">
            <Ellipsis className="size-4" />
          </IconButton>
        }
      >
        <MenuItem icon={<Copy className="size-3.5" />} testId="copy-conversation" onSelect={() => void copy(session.id)}>
          Copy the conversation
        </MenuItem>
        <MenuItem icon={<Download className="size-3.5" />} testId="export-markdown" note="A text to read and keep." onSelect={() => void save(session.id, "markdown")}>
          Export as Markdown
        </MenuItem>
        <MenuItem icon={<Download className="size-3.5" />} testId="export-json" note="With every call and its result." onSelect={() => void save(session.id, "json")}>
          Export as JSON
        </MenuItem>
        <MenuSeparator />
        {actions.map(({ name, icon: Icon, danger, run }) => (
          <MenuItem key={name} icon={<Icon className="size-3.5" />} danger={danger} onSelect={run}>
            {name}
          </MenuItem>
        ))}
      </Menu>
      {question}
      <IconButton label="Details" data-testid="session-details" aria-pressed={inspecting} onClick={onInspect} className={cn(inspecting && "bg-hover text-ink")}>
        <PanelRight className="size-4" />
      </IconButton>
    </header>
  );
}

function Title({ session, onRename }: { session: SessionSummary; onRename: (name: string) => void }) {
  const [editing, setEditing] = useState<string | null>(null);
  const finish = () => {
    const name = editing?.trim() ?? "";
    if (name !== "" && name !== session.name) onRename(name);
    setEditing(null);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Enter") finish();
    if (event.key === "Escape") {
      event.preventDefault();
      setEditing(null);
    }
  };
  if (editing !== null) {
    return (
      <input
        ref={focusOnMount}
        aria-label="Title"
        value={editing}
        onChange={(event) => setEditing(event.target.value)}
        onBlur={finish}
        onKeyDown={onKeyDown}
        className="selectable min-w-0 flex-1 rounded bg-hover px-1 font-semibold"
      />
    );
  }
  return (
    <button type="button" title="Rename" onClick={() => setEditing(session.name ?? "")} className="-ml-1 min-w-0 truncate rounded px-1 text-left font-semibold hover:bg-hover">
      {titleOf(session)}
    </button>
  );
}
