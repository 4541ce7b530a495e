/** What a workspace's sessions may do. */
import type { AlwaysRule, PermissionRule, PermissionState } from "@/generated/protocol";
import { alwaysOf, covers } from "./approvals";
import type { Table } from "./operations";
import { TOOLS } from "./rest";
import type { World } from "./world";

type PermissionOperations = Pick<Table, Extract<keyof Table, `permission.${string}`>>;

const rule = (text: string, from: string, about: string, problem: string | null = null): PermissionRule => ({ text, from, about, always: null, problem });
const WORKSPACE_FILE = "workspaces/acme/permissions.json";

const RULES: PermissionRule[] = [
  rule("rm, sudo, shutdown", "permissions/default.json", "blocked"),
  rule("^git (status|log|diff|show)\\b", WORKSPACE_FILE, "bash"),
  rule("^npx? (run )?(test|vitest|tsc)\\b", WORKSPACE_FILE, "bash"),
  rule("^(ls|cat", WORKSPACE_FILE, "bash", "The expression does not end: a bracket is open."),
  rule("~/acme/handbook/**", WORKSPACE_FILE, "write"),
  rule("linear: issue_list, project_list", "sources/linear/permissions.json", "mcp"),
  rule("GET status.acme.example/*", "sources/statuspage/permissions.json", "api"),
];

function ruleText({ tool, prefix = [], folder }: AlwaysRule): string {
  if (prefix.length > 0) return `${tool}: ${prefix.join(" ")} …`;
  return folder == null ? tool : `${tool}: ${folder}/…`;
}

function state(world: World): PermissionState {
  const always = world.always.map((each): PermissionRule => ({ text: ruleText(each), from: "always", about: each.tool === "bash" ? "bash" : "tool", always: each, problem: null }));
  return { workspace: "acme", mode: "ask", rules: [...RULES, ...always], sandbox: "bubblewrap" };
}

function judge(world: World, params: Parameters<PermissionOperations["permission.explain"]>[1]): ReturnType<PermissionOperations["permission.explain"]> {
  const mode = params.mode ?? "ask";
  const call = { callId: "explain", name: params.tool, input: params.params, result: null, status: "pending" as const, durationMs: null };
  const always = alwaysOf(call);
  const answer = (outcome: "allow" | "ask" | "deny", reason: string) => ({ outcome, reason, params: params.params, always: outcome === "ask" ? always : null });
  const command = params.tool === "bash" ? String((params.params as { command?: unknown }).command ?? "") : "";
  if (/^(rm|sudo|shutdown)\b/.test(command)) return answer("deny", `“${command.split(" ")[0]}” is blocked by permissions/default.json, in every mode.`);
  if (TOOLS.find((tool) => tool.name === params.tool)?.readOnly === true || params.tool === "read") return answer("allow", "It only reads.");
  if (/^git (status|log|diff|show)\b/.test(command)) return answer("allow", `${WORKSPACE_FILE} allows “^git (status|log|diff|show)\\b”.`);
  if (mode === "allow-all") return answer("allow", "The mode allows everything that is not blocked.");
  if (world.always.some((each) => covers(each, call))) return answer("allow", "You answered “always” to this.");
  if (mode === "safe") return answer("deny", "The mode “read only” runs nothing that writes.");
  return answer("ask", always === null ? "The command has parts that are not understood exactly." : "No rule allows it, and the mode asks.");
}

export const PERMISSION_OPERATIONS: PermissionOperations = {
  "permission.list": state,
  "permission.forget": (world, { rule: gone }) => {
    world.always = world.always.filter((each) => JSON.stringify(each) !== JSON.stringify(gone));
    return state(world);
  },
  "permission.explain": judge,
};
