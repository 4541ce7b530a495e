/** Asks how a call would be judged. Nothing runs. */
import { useState } from "react";
import { Button } from "@/components/Button";
import { Badge, Field, Input, Select } from "@/components/controls";
import { CodeBlock } from "@/components/layout";
import { useAct, useRead } from "@/data/operations";
import { alwaysWords } from "@/features/approvals/words";
import { MODES } from "@/features/chat/ComposerFooter";
import type { PermissionExplanation, PermissionMode, PermissionOutcome, WorkspaceId } from "@/generated/protocol";
import { jsonText } from "@/lib/format";
import { errorWords, sentence } from "@/lib/sentence";

const OUTCOMES: Record<PermissionOutcome, { words: string; tone: "good" | "warn" | "bad" }> = {
  allow: { words: "runs", tone: "good" },
  ask: { words: "asks you", tone: "warn" },
  deny: { words: "does not run", tone: "bad" },
};

export function ExplainCall({ workspace, mode }: { workspace: WorkspaceId | null; mode: PermissionMode }) {
  const tools = useRead("tool.list", {}).data ?? [];
  const names = ["bash", ...tools.map(({ name }) => name).filter((name) => name !== "bash")];
  const [tool, setTool] = useState("bash");
  const [chosen, setMode] = useState<PermissionMode>(mode);
  const [text, setText] = useState("");
  const [broken, setBroken] = useState<string | null>(null);
  const explain = useAct("permission.explain", { quiet: true });
  const ask = () => {
    let params: unknown = { command: text };
    if (tool !== "bash") {
      try {
        params = text.trim() === "" ? {} : (JSON.parse(text) as unknown);
      } catch {
        setBroken("This is not JSON.");
        return;
      }
    }
    setBroken(null);
    explain.mutate({ tool, params, mode: chosen, ...(workspace === null ? {} : { workspace }) });
  };
  return (
    <form
      className="flex flex-col gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        ask();
      }}
    >
      <div className="grid grid-cols-2 gap-3">
        <Field label="Tool">
          {(ids) => (
            <Select {...ids} value={tool} onChange={(event) => setTool(event.target.value)}>
              {names.map((name) => (
                <option key={name}>{name}</option>
              ))}
            </Select>
          )}
        </Field>
        <Field label="Mode">
          {(ids) => (
            <Select {...ids} value={chosen} onChange={(event) => setMode(event.target.value as PermissionMode)}>
              {(Object.keys(MODES) as PermissionMode[]).map((each) => (
                <option key={each} value={each}>
                  {MODES[each].label}
                </option>
              ))}
            </Select>
          )}
        </Field>
      </div>
      <Field label={tool === "bash" ? "Command" : "Arguments, as JSON"} error={broken}>
        {(ids) => <Input {...ids} className="font-mono" spellCheck={false} placeholder={tool === "bash" ? "git status" : "{}"} value={text} onChange={(event) => setText(event.target.value)} />}
      </Field>
      <div>
        <Button type="submit" data-testid="permission-explain" disabled={explain.isPending || (tool === "bash" && text.trim() === "")}>
          Judge it
        </Button>
      </div>
      {explain.isError && (
        <p role="alert" className="text-bad">
          {errorWords(explain.error.wire)}
        </p>
      )}
      {explain.data !== undefined && !explain.isError && <Judged found={explain.data} />}
    </form>
  );
}

function Judged({ found }: { found: PermissionExplanation }) {
  const { words, tone } = OUTCOMES[found.outcome];
  return (
    <div role="status" className="flex flex-col gap-2 rounded-lg border border-line p-3">
      <p className="flex flex-wrap items-center gap-2">
        <Badge tone={tone}>{words}</Badge>
        <span className="min-w-0 [overflow-wrap:anywhere]">{sentence(found.reason)}</span>
      </p>
      {found.always !== null && (
        <p className="text-sm text-muted">
          “Always” would allow {alwaysWords(found.always).before} <code className="rounded bg-sunken px-1 font-mono">{alwaysWords(found.always).exact}</code>.
        </p>
      )}
      <CodeBlock text={jsonText(found.params)} className="max-h-40" />
    </div>
  );
}
