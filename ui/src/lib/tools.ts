/** Names of tools as a person reads them. */

/** `mcp__linear__issue_create` is `issue_create` of `linear`; a tool of no source keeps its name. */
export function toolName(name: string): { tool: string; source: string | null } {
  const parts = /^mcp__(.+?)__(.+)$/.exec(name);
  return parts === null ? { tool: name, source: null } : { tool: parts[2] ?? name, source: parts[1] ?? null };
}
