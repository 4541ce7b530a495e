/** A provider's id as a name: `google` is Google. One that was found by itself, as MCP servers' are, keeps its id. */
import { useRead } from "@/data/operations";

export function useProviderName(id: string | null): string | null {
  const providers = useRead("oauth.providers", {}, { enabled: id !== null }).data;
  if (id === null) return null;
  return providers?.find((each) => each.id === id)?.name ?? id.charAt(0).toUpperCase() + id.slice(1);
}
