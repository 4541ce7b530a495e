/** The arguments of a call as they would run: a command as one types it, long texts in blocks, the rest as facts. */
import { CodeBlock, Facts } from "@/components/layout";
import type { ToolCall } from "@/generated/protocol";
import { jsonText } from "@/lib/format";

const LONG = 60;
const isBlock = (value: unknown): boolean => (typeof value === "string" ? value.length > LONG || value.includes("\n") : typeof value === "object" && value !== null);

export function CallArguments({ call }: { call: ToolCall }) {
  const { input } = call;
  if (typeof input !== "object" || input === null || Array.isArray(input)) return <CodeBlock text={jsonText(input)} className="max-h-40" />;
  const entries = Object.entries(input as Record<string, unknown>).filter(([, value]) => value !== null);
  const command = call.name === "bash" ? entries.find(([name, value]) => name === "command" && typeof value === "string") : undefined;
  const rest = entries.filter((entry) => entry !== command);
  const facts = rest.filter(([, value]) => !isBlock(value));
  return (
    <div data-testid="call-arguments" className="flex flex-col gap-2">
      {command !== undefined && <Command text={String(command[1])} />}
      {facts.length > 0 && <Facts rows={facts.map(([name, value]) => [name, <code key={name} className="font-mono text-sm">{jsonText(value, 400)}</code>] as const)} />}
      {rest
        .filter(([, value]) => isBlock(value))
        .map(([name, value]) => (
          <div key={name}>
            <p className="mb-1 text-xs text-faint">{name}</p>
            <CodeBlock text={jsonText(value)} className="max-h-40" />
          </div>
        ))}
      {entries.length === 0 && <p className="text-faint">Without arguments.</p>}
    </div>
  );
}

function Command({ text }: { text: string }) {
  return (
    <pre className="selectable max-h-40 overflow-auto rounded-md border border-line bg-sunken px-3 py-2 font-mono text-sm whitespace-pre-wrap [overflow-wrap:anywhere]">
      <span aria-hidden className="text-faint select-none">
        ${" "}
      </span>
      {text}
    </pre>
  );
}
