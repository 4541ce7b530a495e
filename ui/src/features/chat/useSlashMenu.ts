/** Which commands are shown over the composer, which of them Enter takes, and what the keys do meanwhile. */
import { type KeyboardEvent, useId, useState } from "react";
import { type Command, fitting, typedName } from "./commands";
import { optionId } from "./SlashMenu";

interface SlashMenuState {
  id: string;
  shown: readonly Command[];
  active: number;
  /** For the text field, so that a screen reader follows. */
  aria: { "aria-autocomplete": "list"; "aria-controls"?: string; "aria-activedescendant"?: string };
  choose: (command: Command) => void;
  /** Whether the key was for the menu. */
  onKey: (event: KeyboardEvent) => boolean;
}

export function useSlashMenu(commands: readonly Command[], text: string, setText: (text: string) => void): SlashMenuState {
  const id = useId();
  const [closedFor, setClosedFor] = useState<string | null>(null);
  const [at, setAt] = useState(0);
  const typed = typedName(text);
  const shown = typed === null || closedFor === text ? [] : fitting(commands, typed);
  const active = Math.min(at, shown.length - 1);
  const chosen = shown[active];

  const choose = (command: Command) => {
    setText(`/${command.name} `);
    setAt(0);
  };
  const onKey = (event: KeyboardEvent): boolean => {
    if (chosen === undefined || event.nativeEvent.isComposing) return false;
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step !== 0) setAt((active + step + shown.length) % shown.length);
    else if (event.key === "Escape") setClosedFor(text);
    else if (event.key === "Tab" && !event.shiftKey) choose(chosen);
    // A name that stands there whole is run, not completed.
    else if (event.key === "Enter" && !event.shiftKey && chosen.name !== typed) choose(chosen);
    else return false;
    event.preventDefault();
    return true;
  };
  const aria = chosen === undefined ? { "aria-autocomplete": "list" as const } : { "aria-autocomplete": "list" as const, "aria-controls": id, "aria-activedescendant": optionId(id, chosen.name) };
  return { id, shown, active, aria, choose, onKey };
}
