/** The slash commands on offer in a session, and the way to run one with its answer shown in the chat. */
import { useMemo } from "react";
import { useRead } from "@/data/operations";
import { usePlatform } from "@/data/platform";
import { useNewSession } from "@/features/sessions/useNewSession";
import type { SessionId } from "@/generated/protocol";
import { newKey } from "@/lib/key";
import { errorWords } from "@/lib/sentence";
import { type Platform, toOperationError } from "@/platform";
import type { Chats } from "./chats";
import type { Command } from "./commands";
import { useChats } from "./useChat";

/** The window's own; a plugin cannot take their place. */
function ownCommands(platform: Platform, session: SessionId, newSession: () => Promise<void>): Command[] {
  return [
    { name: "new", description: "Starts a new session.", plugin: null, run: async () => newSession().then(() => "") },
    { name: "stop", description: "Stops the present turn.", plugin: null, run: async () => platform.request("session.interrupt", { id: session }).then(() => "") },
    {
      name: "rename",
      description: "Gives this session a title.",
      plugin: null,
      run: async (args) => {
        if (args === "") return "Write the title behind it: /rename Plans for May";
        await platform.request("session.update", { id: session, name: args });
        return "";
      },
    },
  ];
}

export function useCommands(session: SessionId): readonly Command[] {
  const platform = usePlatform();
  const newSession = useNewSession();
  const listed = useRead("command.list", {}).data;
  return useMemo(() => {
    const own = ownCommands(platform, session, newSession);
    const theirs = (listed ?? []).filter(({ name }) => !own.some((each) => each.name === name));
    return [...own, ...theirs.map(({ name, description, plugin }): Command => ({ name, description, plugin, run: async (args) => (await platform.request("command.run", { name, args })).text }))];
  }, [platform, session, newSession, listed]);
}

/** Runs it; the chat shows that it runs, then what it said or why it failed. */
async function runIn(chats: Chats, session: SessionId, command: Command, args: string): Promise<void> {
  const note = { id: `local-${newKey()}`, typed: `/${command.name}${args === "" ? "" : ` ${args}`}`, after: chats.chat(session).messages.at(-1)?.id ?? null };
  if (command.plugin !== null) chats.note(session, { ...note, state: "running", text: "" });
  try {
    const text = await command.run(args);
    if (command.plugin !== null || text !== "") chats.note(session, { ...note, state: "done", text });
  } catch (cause) {
    const { wire } = toOperationError(cause);
    chats.note(session, { ...note, state: "failed", text: errorWords(wire) });
  }
}

export function useRunCommand(): (session: SessionId, command: Command, args: string) => Promise<void> {
  const chats = useChats();
  return (session, command, args) => runIn(chats, session, command, args);
}
