/** Slash commands: which there are, which one a text means, which fit what is being typed. */
export interface Command {
  /** Without the slash. */
  name: string;
  description: string;
  /** Plugin that has it; null for the window's own. */
  plugin: string | null;
  /** Gives text to show; empty when there is nothing to say. */
  run: (args: string) => Promise<string>;
}

/** What is being typed while it can still become a command's name; null as soon as it is anything else. */
export function typedName(text: string): string | null {
  return /^\/([a-z0-9-]*)$/i.exec(text)?.[1]?.toLowerCase() ?? null;
}

/** Those whose name begins so first, then those that have it elsewhere. */
export function fitting(commands: readonly Command[], typed: string): Command[] {
  const begins = commands.filter((command) => command.name.startsWith(typed));
  const has = commands.filter((command) => !command.name.startsWith(typed) && command.name.includes(typed));
  return [...begins, ...has];
}

/** The command a text means; null for everything that is only text, `/tool …` of the demo agent included. */
export function commandOf(commands: readonly Command[], text: string): { command: Command; args: string } | null {
  const match = /^\/([a-z0-9-]+)(?:\s+([\s\S]*))?$/i.exec(text.trim());
  const command = commands.find((each) => each.name === match?.[1]?.toLowerCase());
  return command === undefined ? null : { command, args: match?.[2] ?? "" };
}

/** What a command said, shown in the chat of this window and nowhere else. */
export interface LocalNote {
  id: string;
  /** As it was typed. */
  typed: string;
  state: "running" | "done" | "failed";
  text: string;
  /** The row it stands below; null when the chat was empty. */
  after: string | null;
}
