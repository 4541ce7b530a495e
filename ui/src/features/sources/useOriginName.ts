/** Where a message came from, in a person's words: the name of the channel, not its id. */
import { useRead } from "@/data/operations";

const OWN: Readonly<Record<string, string>> = { desktop: "Desktop", cli: "Terminal" };

export function useOriginName(): (origin: string) => string {
  const sources = useRead("source.list", {}).data ?? [];
  return (origin) => OWN[origin] ?? sources.find(({ id }) => id === `channel:${origin}`)?.name ?? origin;
}
