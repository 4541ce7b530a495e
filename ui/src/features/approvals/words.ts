/** What an approval says in words. */
import type { AlwaysRule, ApprovalDecision } from "@/generated/protocol";

/** Exactly what “always” would allow from now on. */
export function alwaysWords({ tool, prefix = [], folder }: AlwaysRule): { before: string; exact: string } {
  if (prefix.length > 0) return { before: "every command that begins with", exact: prefix.join(" ") };
  if (folder != null) return { before: `${tool} on everything in`, exact: folder === "" ? "/" : folder };
  return { before: "every call of", exact: tool };
}

export const OUTCOMES: Record<ApprovalDecision, string> = {
  once: "allowed once",
  session: "allowed for the session",
  always: "allowed always",
  deny: "denied",
};
