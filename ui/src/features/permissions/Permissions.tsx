/** What the sessions of a workspace may do without asking, and why. */
import { X } from "lucide-react";
import { IconButton } from "@/components/Button";
import { Badge } from "@/components/controls";
import { Facts, Section } from "@/components/layout";
import { StatusDot } from "@/components/StatusBadge";
import { Failure, SkeletonRows } from "@/components/states";
import { useAct, useRead } from "@/data/operations";
import { useWorkspace } from "@/data/workspace";
import { alwaysWords } from "@/features/approvals/words";
import { MODES } from "@/features/chat/ComposerFooter";
import type { AlwaysRule, PermissionRule, WorkspaceId } from "@/generated/protocol";
import { cn } from "@/lib/cn";
import { plural } from "@/lib/format";
import { sentence } from "@/lib/sentence";
import { ExplainCall } from "./ExplainCall";

const KNOWN_SANDBOXES: Record<string, string> = { bubblewrap: "bubblewrap", landlock: "Landlock", "sandbox-exec": "sandbox-exec" };
const ABOUT: Record<string, string> = { bash: "command", mcp: "MCP tool", api: "API", write: "write", tool: "tool", blocked: "blocked" };

export function Permissions() {
  const { workspace } = useWorkspace();
  const params = workspace === null ? {} : { workspace: workspace.id };
  const state = useRead("permission.list", params, { fresh: true });
  if (state.isPending) return <SkeletonRows />;
  if (state.isError) return <Failure error={state.error} onRetry={() => void state.refetch()} />;
  const { mode, rules, sandbox } = state.data;
  const always = rules.flatMap((rule) => (rule.always === null ? [] : [rule.always]));
  const written = rules.filter((rule) => rule.always === null);
  const broken = written.filter((rule) => rule.problem !== null).length;
  return (
    <>
      <p className="text-muted">
        For the workspace <span className="font-medium text-ink">{workspace?.name ?? state.data.workspace}</span>. Each call passes one order: its paths are made plain, the mode and the rules judge, hooks may stop it, and a person is asked.
      </p>
      <Section title="How it stands">
        <Facts
          rows={[
            ["New sessions", <span key="m">{MODES[mode].label} <span className="text-faint">– {MODES[mode].note}</span></span>],
            ["Commands run", <Sandbox key="s" sandbox={sandbox} />],
          ]}
        />
      </Section>
      <Section title="What you answered with “always”">
        {always.length === 0 ? (
          <p className="text-faint">Nothing yet. Where a call waits, “Always” says exactly what it would allow.</p>
        ) : (
          <ul className="overflow-hidden rounded-lg border border-line">
            {always.map((rule) => (
              <Always key={JSON.stringify(rule)} rule={rule} workspace={workspace?.id ?? null} />
            ))}
          </ul>
        )}
      </Section>
      <Section title="Rules from files">
        {broken > 0 && (
          <p role="alert" className="rounded-lg bg-bad-soft px-3 py-2 text-bad">
            {plural(broken, "rule")} cannot be used; until mended, {broken === 1 ? "it allows" : "they allow"} nothing.
          </p>
        )}
        {written.length === 0 ? (
          <p className="text-faint">None. They stand in permissions.json of the workspace and of its sources.</p>
        ) : (
          <ul className="overflow-hidden rounded-lg border border-line">
            {written.map((rule, i) => (
              <Rule key={`${i} ${rule.text}`} rule={rule} />
            ))}
          </ul>
        )}
      </Section>
      <Section title="How would a call be judged?">
        <ExplainCall workspace={workspace?.id ?? null} mode={mode} />
      </Section>
    </>
  );
}

function Sandbox({ sandbox }: { sandbox: string }) {
  const name = KNOWN_SANDBOXES[sandbox];
  return (
    <span className={cn("inline-flex items-start gap-1.5", name === undefined && "text-warn")}>
      <StatusDot tone={name === undefined ? "warn" : "good"} className="mt-1.5" />
      {name === undefined ? <span>Not shut in. {sentence(sandbox)}</span> : <span>shut in by {name}</span>}
    </span>
  );
}

function Always({ rule, workspace }: { rule: AlwaysRule; workspace: WorkspaceId | null }) {
  const forget = useAct("permission.forget");
  const { before, exact } = alwaysWords(rule);
  return (
    <li className="flex items-center gap-2 border-line py-1.5 pr-1.5 pl-3 not-first:border-t">
      <span className="selectable min-w-0 flex-1 [overflow-wrap:anywhere]">
        {before} <code className="rounded bg-sunken px-1 font-mono text-sm">{exact}</code>
      </span>
      <IconButton label={`Take back: ${before} ${exact}`} disabled={forget.isPending} onClick={() => forget.mutate({ rule, ...(workspace === null ? {} : { workspace }) })}>
        <X className="size-3.5" />
      </IconButton>
    </li>
  );
}

function Rule({ rule }: { rule: PermissionRule }) {
  return (
    <li className={cn("flex flex-wrap items-center gap-x-3 gap-y-0.5 border-line px-3 py-1.5 not-first:border-t", rule.problem !== null && "bg-bad-soft/40")}>
      <Badge tone={rule.about === "blocked" ? "bad" : "plain"}>{ABOUT[rule.about] ?? rule.about}</Badge>
      <code className="selectable min-w-44 flex-1 font-mono text-sm [overflow-wrap:anywhere]">{rule.text}</code>
      <span className="text-sm text-faint [overflow-wrap:anywhere]">{rule.from}</span>
      {rule.problem !== null && <p className="w-full text-sm text-bad">{sentence(rule.problem)}</p>}
    </li>
  );
}
