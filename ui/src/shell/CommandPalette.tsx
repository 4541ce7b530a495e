/** One field for everything: commands, sessions, sources. */
import { Command } from "cmdk";
import { Archive, BookOpen, ChevronLeft, ChevronRight, MessageSquare, MessageSquareQuote, Monitor, Moon, Palette, PanelLeft, Plus, Settings, SquarePen, SquareSlash, Sun, Unplug } from "lucide-react";
import { Dialog } from "radix-ui";
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
import { giveFocusBack } from "@/lib/focus";
import { go, type Route } from "@/lib/route";
import { PLACES } from "./places";
import { usePaletteCommand } from "./usePaletteCommand";
import { SECTIONS } from "@/features/settings/sections";
import { THEME_SEEDS } from "@/lib/palette";
import { setColors, setTheme } from "@/lib/theme";
import { Item } from "./PaletteItem";
import { SessionItems } from "./SessionItems";

/** More would only be scrolled past. */
const SESSIONS_MAX = 40;
const HITS_MAX = 12;

interface PaletteProps {
  open: boolean;
  onClose: () => void;
  onShortcuts: () => void;
  onSidebar: () => void;
  onNewWorkspace: () => void;
}

export default function CommandPalette({ open, onClose, onShortcuts, onSidebar, onNewWorkspace }: PaletteProps) {
  const { workspace, workspaces, choose } = useWorkspace();
  const [words, setWords] = useState("");
  const newSession = useNewSession();
  const scope = { workspace: workspace?.id ?? null, search: words.trim(), archived: false };
  const sessions = [...(useSessionList({ ...scope, channel: false }).data ?? []), ...(useSessionList({ ...scope, channel: true }).data ?? [])];
  const hits = useMessageSearch(words).data?.hits.slice(0, HITS_MAX) ?? [];
  const sources = useRead("source.list", {}).data ?? [];
  const commands = useRead("command.list", {}).data ?? [];
  const skills = useRead("skill.list", { id: workspace?.id ?? "" }, { enabled: workspace !== null }).data ?? [];
  const runCommand = usePaletteCommand();
  const run = (act: () => void) => () => {
    onClose();
    act();
  };
  const to = (route: Route) => run(() => go(route));

  return (
    <Frame open={open} onClose={onClose}>
      <Command.Input value={words} onValueChange={setWords} placeholder="Find a command, session or source" className="selectable h-12 w-full shrink-0 border-b border-line bg-transparent px-4 text-lg outline-none placeholder:text-faint" />
      <Command.List className="overflow-y-auto p-1.5 [&_[cmdk-group-heading]]:px-2 [&_[cmdk-group-heading]]:pt-2 [&_[cmdk-group-heading]]:pb-1 [&_[cmdk-group-heading]]:text-xs [&_[cmdk-group-heading]]:text-faint">
        <Command.Empty className="px-3 py-6 text-center text-muted">Nothing found.</Command.Empty>
        <Command.Group heading="Do">
          <Item icon={SquarePen} keys={`${MOD}N`} onSelect={run(() => void newSession())}>
            New session
          </Item>
          <Item icon={Plus} onSelect={run(onNewWorkspace)}>
            New workspace
          </Item>
          <SessionItems run={run} />
          <Item icon={PanelLeft} keys={`${MOD}\\`} onSelect={run(onSidebar)}>
            Show or hide the sidebar
          </Item>
          <Item icon={ChevronLeft} keys={`${MOD}[`} onSelect={run(() => window.history.back())}>
            Back
          </Item>
          <Item icon={ChevronRight} keys={`${MOD}]`} onSelect={run(() => window.history.forward())}>
            Forward
          </Item>
          <Item icon={Sun} onSelect={run(() => setTheme("light"))}>
            Light theme
          </Item>
          <Item icon={Moon} onSelect={run(() => setTheme("dark"))}>
            Dark theme
          </Item>
          <Item icon={Monitor} onSelect={run(() => setTheme("system"))}>
            Theme of the system
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
          {PLACES.map(({ view, name, icon, route, key }) => (
            <Item key={view} icon={icon} keys={`G ${key.toUpperCase()}`} onSelect={to(route)}>
              {name}
            </Item>
          ))}
          <Item icon={Archive} onSelect={to({ view: "sessions", filter: { by: "archived" }, session: null })}>
            Archive
          </Item>
          {SECTIONS.map(({ id, name, note, icon }) => (
            <Item key={id} icon={icon} value={`settings ${name} ${note}`} onSelect={to({ view: "settings", section: id })}>
              Settings: {name} <span className="text-faint">{note}</span>
            </Item>
          ))}
        </Command.Group>
        <Command.Group heading="Colours">
          {THEME_SEEDS.map(({ id, name }) => (
            <Item key={id} icon={Palette} value={`colours ${name}`} onSelect={run(() => setColors(id))}>
              {name} colours
            </Item>
          ))}
        </Command.Group>
        <Command.Group heading="Skills">
          {skills.map((skill) => (
            <Item key={skill.slug} icon={BookOpen} value={`skill ${skill.name} ${skill.slug} ${skill.description}`} onSelect={to({ view: "skills", skill: skill.slug })}>
              {skill.name}
            </Item>
          ))}
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
    </Frame>
  );
}

/** cmdk's own dialog does not give the focus back where a view has changed meanwhile. */
function Frame({ open, onClose, children }: { open: boolean; onClose: () => void; children: ReactNode }) {
  return (
    <Dialog.Root open={open} onOpenChange={(next) => !next && onClose()}>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-40 bg-black/25" />
        <Dialog.Content aria-describedby={undefined} onCloseAutoFocus={giveFocusBack} className="fixed top-[14vh] left-1/2 z-50 w-[560px] max-w-[92vw] -translate-x-1/2 rounded-xl border border-line bg-raised shadow-pop">
          <Dialog.Title className="sr-only">Commands</Dialog.Title>
          <Command label="Commands" loop className="flex max-h-[60vh] flex-col overflow-hidden rounded-xl">
            {children}
          </Command>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
