/** Runs a tool by hand, from a form drawn from its schema, and shows what the model would have read. */
import { useState } from "react";
import { Badge } from "@/components/controls";
import { CodeBlock } from "@/components/layout";
import { usePlatform } from "@/data/platform";
import type { SourceTool, ToolTried } from "@/generated/protocol";
import { prettyResult } from "@/lib/format";
import { duration } from "@/lib/time";
import { SchemaForm } from "./SchemaForm";

interface TryProps {
  tool: SourceTool;
  workspace: string | null;
  /** How a session's call would be judged, in a sentence. */
  means: string;
}

export function TryTool({ tool, workspace, means }: TryProps) {
  const platform = usePlatform();
  const { name, parameters, readOnly } = tool.info;
  const [result, setResult] = useState<ToolTried | null>(null);
  const run = async (params: Record<string, unknown>) => {
    setResult(null);
    setResult(await platform.request("tool.try", { name, params, ...(workspace === null ? {} : { workspace }) }));
  };
  return (
    <div className="flex flex-col gap-3.5 border-t border-line bg-list px-4 py-3.5 pl-8">
      <p className="text-sm text-muted">
        {means} {tool.judged === "deny" ? "From here a mode does not stop it; a rule does." : !readOnly && "From here it is done at once, for real."}
      </p>
      <SchemaForm schema={parameters} value={{}} action={["Try it", "Running"]} onSubmit={run} testId="tool-try" />
      {result !== null && <Result result={result} />}
    </div>
  );
}

function Result({ result }: { result: ToolTried }) {
  return (
    <section aria-label="Result" role="status" data-testid="tool-result" className="flex flex-col gap-1.5">
      <p className="flex items-center gap-2">
        <Badge tone={result.ok ? "good" : "bad"}>{result.ok ? "done" : "failed"}</Badge>
        <span className="text-sm text-faint">in {duration(result.tookMs)} · what the agent would read:</span>
      </p>
      <CodeBlock text={result.text === "" ? "(nothing)" : prettyResult(result.text)} />
    </section>
  );
}
