/**
 * A provider's id as a name: `google` is Google. An MCP server is its own provider and is called as its source is.
 * Null only where there is no provider.
 */
import { useRead } from "@/data/operations";

export function useProviderName(id: string | null, source: string): string | null {
  const providers = useRead("oauth.providers", {}, { enabled: id !== null }).data;
  return id === null ? null : (providers?.find((each) => each.id === id)?.name ?? source);
}
