/** One field for everything: commands, sessions, sources. */
import { Command } from "cmdk";
import { Archive, Brush, KeyRound, type LucideIcon, MessageSquare, MessageSquareQuote, Moon, Settings, ShieldCheck, SquarePen, SquareSlash, Sun, Unplug } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useRead } from "@/data/operations";
import { useSessionList } from "@/data/sessionList";
import { useWorkspace } from "@/data/workspace";
import { Snippet } from "@/features/sessions/Snippet";
import { titleOf } from "@/features/sessions/title";
import { useMessageSearch } from "@/features/sessions/useMessageSearch";
import { placeOf } from "@/features/sessions/rows";
import { useNewSession } from "@/features/sessions/useNewSession";
import { MOD } from "@/lib/keys";
import { go, type Route } from "@/lib/route";
import { PLACES } from "./places";
import { usePaletteCommand } from "./usePaletteCommand";
import { setTheme } from "@/lib/theme";

/** More would only be scrolled past. */
const SESSIONS_MAX = 40;
const HITS_MAX = 12;

interface PaletteProps {
  open: boolean;
  onClose: () => void;
  onShortcuts: () => void;
}

export default function CommandPalette({ open, onClose, onShortcuts }: PaletteProps) {
  const { workspace, workspaces, choose } = useWorkspace();
  const [words, setWords] = useState("");
  const newSession = useNewSession();
  const scope = { workspace: workspace?.id ?? null, search: words.trim(), archived: false };
  const sessions = [...(useSessionList({ ...scope, channel: false }).data ?? []), ...(useSessionList({ ...scope, channel: true }).data ?? [])];
  const hits = useMessageSearch(words).data?.hits.slice(0, HITS_MAX) ?? [];
  const sources = useRead("source.list", {}).data ?? [];
  const commands = useRead("command.list", {}).data ?? [];
  const runCommand = usePaletteCommand();
  const run = (act: () => void) => () => {
    onClose();
    act();
  };
  const to = (route: Route) => run(() => go(route));

  return (
    <Command.Dialog
      open={open}
      onOpenChange={(next) => !next && onClose()}
      label="Commands"
      loop
      className="fixed top-[14vh] left-1/2 z-50 flex max-h-[60vh] w-[560px] max-w-[92vw] -translate-x-1/2 flex-col overflow-hidden rounded-xl border border-line bg-raised shadow-pop"
      overlayClassName="fixed inset-0 z-40 bg-black/25"
    >
      <Command.Input value={words} onValueChange={setWords} placeholder="Find a command, session or source" className="selectable h-12 w-full shrink-0 border-b border-line bg-transparent px-4 text-lg outline-none placeholder:text-faint" />
      <Command.List className="overflow-y-auto p-1.5 [&_[cmdk-group-heading]]:px-2 [&_[cmdk-group-heading]]:pt-2 [&_[cmdk-group-heading]]:pb-1 [&_[cmdk-group-heading]]:text-xs [&_[cmdk-group-heading]]:text-faint">
        <Command.Empty className="px-3 py-6 text-center text-muted">Nothing found.</Command.Empty>
        <Command.Group heading="Do">
          <Item icon={SquarePen} keys={`${MOD}N`} onSelect={run(() => void newSession())}>
            New session
          </Item>
          <Item icon={Sun} onSelect={run(() => setTheme("light"))}>
            Light theme
          </Item>
          <Item icon={Moon} onSelect={run(() => setTheme("dark"))}>
            Dark theme
          </Item>
          <Item icon={Settings} keys={`${MOD}/`} onSelect={run(onShortcuts)}>
            Keyboard shortcuts
          </Item>
          {workspaces
            .filter((each) => each.id !== workspace?.id)
            .map((each) => (
              <Item key={each.id} icon={MessageSquare} onSelect={run(() => choose(each.id))}>
                Switch to workspace {each.name}
              </Item>
            ))}
        </Command.Group>
        <Command.Group heading="Go to">
          {PLACES.map(({ view, name, icon, route }, i) => (
            <Item key={view} icon={icon} keys={`${MOD}${i + 1}`} onSelect={to(route)}>
              {name}
            </Item>
          ))}
          <Item icon={Archive} onSelect={to({ view: "sessions", filter: { by: "archived" }, session: null })}>
            Archive
          </Item>
          <Item icon={KeyRound} onSelect={to({ view: "settings", section: "accounts" })}>
            Accounts and sign-ins
          </Item>
          <Item icon={ShieldCheck} onSelect={to({ view: "settings", section: "permissions" })}>
            Permissions
          </Item>
          <Item icon={Brush} onSelect={to({ view: "settings", section: "hygiene" })}>
            Tidying up
          </Item>
          <Item icon={Settings} onSelect={to({ view: "settings", section: "diagnostics" })}>
            Diagnostics and log
          </Item>
        </Command.Group>
        <Command.Group heading="Commands of plugins">
          {commands.map((command) => (
            <Item key={command.name} value={`/${command.name} ${command.description} ${command.plugin}`} icon={SquareSlash} keys={command.plugin} onSelect={run(() => void runCommand(command.name))}>
              /{command.name} <span className="text-faint">{command.description}</span>
            </Item>
          ))}
        </Command.Group>
        <Command.Group heading="Sources">
          {sources.map((source) => (
            <Item key={source.id} value={`source ${source.name} ${source.id}`} icon={Unplug} onSelect={to({ view: "sources", source: source.id })}>
              {source.name}
            </Item>
          ))}
        </Command.Group>
        <Command.Group heading="Sessions">
          {sessions.slice(0, SESSIONS_MAX).map((session) => (
            <Item
              key={session.id}
              value={`session ${titleOf(session)} ${session.preview ?? ""} ${session.id}`}
              icon={MessageSquare}
              onSelect={to(placeOf(session))}
            >
              {titleOf(session)}
            </Item>
          ))}
        </Command.Group>
        {hits.length > 0 && (
          // What was found in the text fits by the engine's judgement, so it is shown whatever the palette thinks.
          <Command.Group heading="In messages" forceMount>
            {hits.map(({ session, message, snippet }) => (
              <Item key={`${session.id} ${message}`} value={`message ${session.id} ${message}`} force icon={MessageSquareQuote} onSelect={to(placeOf(session, message))}>
                {titleOf(session)} <Snippet text={snippet} className="text-faint" />
              </Item>
            ))}
          </Command.Group>
        )}
      </Command.List>
    </Command.Dialog>
  );
}

interface ItemProps {
  icon: LucideIcon;
  children: ReactNode;
  onSelect: () => void;
  keys?: string;
  value?: string;
  /** Shown whatever was typed. */
  force?: boolean;
}

function Item({ icon: Icon, children, onSelect, keys, value, force = false }: ItemProps) {
  return (
    <Command.Item forceMount={force} {...(value === undefined ? {} : { value })} onSelect={onSelect} className="flex h-8 items-center gap-2.5 rounded-md px-2 data-[selected=true]:bg-selected">
      <Icon aria-hidden className="size-4 shrink-0 text-faint" strokeWidth={1.75} />
      <span className="min-w-0 flex-1 truncate">{children}</span>
      {keys !== undefined && <span className="text-xs text-faint">{keys}</span>}
    </Command.Item>
  );
}
