/** Runs a plugin's command from the palette: its answer goes into the chat that is open, else into a passing note. */
import { notify } from "@/data/notify";
import { usePlatform } from "@/data/platform";
import { useRunCommand } from "@/features/chat/useCommands";
import { useRoute } from "@/lib/route";
import { errorWords } from "@/lib/sentence";
import { toOperationError } from "@/platform";

export function usePaletteCommand(): (name: string) => Promise<void> {
  const platform = usePlatform();
  const runIn = useRunCommand();
  const route = useRoute();
  return async (name) => {
    const run = async (args: string) => (await platform.request("command.run", { name, args })).text;
    if (route.view === "sessions" && route.session !== null) {
      // It is a plugin's: that it runs is shown until it answers.
      await runIn(route.session, { name, description: "", plugin: "", run }, "");
      return;
    }
    try {
      const text = await run("");
      notify({ tone: "info", message: `/${name}`, hint: text === "" ? "Done." : text });
    } catch (cause) {
      const { wire } = toOperationError(cause);
      notify({ tone: "error", message: errorWords(wire), hint: null });
    }
  };
}
