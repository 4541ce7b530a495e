/** The commands that fit what is being typed. The focus stays in the text; this is only shown and clicked. */
import { cn } from "@/lib/cn";
import type { Command } from "./commands";

interface SlashMenuProps {
  id: string;
  commands: readonly Command[];
  /** Place of the one that Enter takes. */
  active: number;
  onChoose: (command: Command) => void;
}

export const optionId = (menu: string, name: string): string => `${menu}-${name}`;

export function SlashMenu({ id, commands, active, onChoose }: SlashMenuProps) {
  return (
    <div id={id} role="listbox" aria-label="Commands" data-testid="slash-menu" className="absolute right-0 bottom-full left-0 z-20 mb-1.5 max-h-64 overflow-y-auto rounded-xl border border-line bg-raised p-1 shadow-pop">
      {commands.map((command, i) => (
        <div
          key={command.name}
          id={optionId(id, command.name)}
          ref={i === active ? intoSight : undefined}
          role="option"
          tabIndex={-1}
          aria-selected={i === active}
          data-testid={`slash-${command.name}`}
          // Before the text loses the focus.
          onMouseDown={(event) => {
            event.preventDefault();
            onChoose(command);
          }}
          className={cn("flex h-8 items-center gap-3 rounded-md px-2.5", i === active ? "bg-selected" : "hover:bg-hover")}
        >
          <span className="shrink-0 font-mono text-sm font-medium">/{command.name}</span>
          <span className="min-w-0 flex-1 truncate text-muted">{command.description}</span>
          {command.plugin !== null && <span className="shrink-0 text-xs text-faint">{command.plugin}</span>}
        </div>
      ))}
    </div>
  );
}

const intoSight = (element: HTMLElement | null): void => element?.scrollIntoView({ block: "nearest" });
