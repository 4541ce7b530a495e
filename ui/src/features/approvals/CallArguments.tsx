/** The arguments of a call as they would run: a command as one types it, the file or address on a line of its own, what an edit changes as a diff, long texts in blocks, the rest as facts. */
import { DiffView } from "@/components/DiffView";
import { CodeBlock, Facts } from "@/components/layout";
import type { ToolCall } from "@/generated/protocol";
import { editOf } from "@/lib/editDiff";
import { jsonText } from "@/lib/format";

const LONG = 60;
const isBlock = (value: unknown): boolean => (typeof value === "string" ? value.length > LONG || value.includes("\n") : typeof value === "object" && value !== null);
/** What a call is about, in the order in which it is looked for. */
const SUBJECTS = ["path", "file_path", "url"] as const;
/** What the diff shows. */
const OF_EDITS: ReadonlySet<string> = new Set(["path", "file_path", "old", "old_string", "new", "new_string", "content", "text"]);

export function CallArguments({ call }: { call: ToolCall }) {
  const { input } = call;
  if (typeof input !== "object" || input === null || Array.isArray(input)) return <CodeBlock text={jsonText(input)} className="max-h-40" />;
  const entries = Object.entries(input as Record<string, unknown>).filter(([, value]) => value !== null);
  const textAt = (field: string) => entries.find(([name, value]) => name === field && typeof value === "string");
  const command = call.name === "bash" ? textAt("command") : undefined;
  const edit = editOf(call.name, input);
  const subject = SUBJECTS.map(textAt).find((entry) => entry !== undefined);
  const rest = entries.filter((entry) => entry !== command && entry !== subject && !(edit !== null && OF_EDITS.has(entry[0])));
  const facts = rest.filter(([, value]) => !isBlock(value));
  return (
    <div data-testid="call-arguments" className="flex flex-col gap-2">
      {command !== undefined && <Line text={String(command[1])} sign="$ " />}
      {subject !== undefined && <Line text={String(subject[1])} />}
      {edit !== null && (
        <div className="overflow-hidden rounded-md border border-line">
          <DiffView hunks={edit.hunks} label={`Changes in ${edit.path}`} />
        </div>
      )}
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

function Line({ text, sign }: { text: string; sign?: string }) {
  return (
    <pre className="selectable max-h-40 overflow-auto rounded-md border border-line bg-sunken px-3 py-2 font-mono text-sm whitespace-pre-wrap [overflow-wrap:anywhere]">
      {sign !== undefined && (
        <span aria-hidden className="text-faint select-none">
          {sign}
        </span>
      )}
      {text}
    </pre>
  );
}
