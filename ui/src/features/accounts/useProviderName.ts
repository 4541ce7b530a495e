/**
 * Where a source signs in, by the provider's id or its name. An MCP server is its own provider; it is called as its source is.
 * The name is null only where there is no provider.
 */
import { useRead } from "@/data/operations";
import type { OauthProvider } from "@/generated/protocol";

export const isProvider = ({ id, name }: OauthProvider, at: string): boolean => id === at || name === at;

export function useProviderName(at: string | null, source: string): string | null {
  const providers = useRead("oauth.providers", {}, { enabled: at !== null }).data;
  return at === null ? null : (providers?.find((each) => isProvider(each, at))?.name ?? source);
}
