/** The files a source is set up by: the guide the agent reads, the rules for its tools, and the configuration as it stands. */
import { CopyButton } from "@/components/Code";
import { Section } from "@/components/layout";
import { Failure, SkeletonRows } from "@/components/states";
import { useAct, useRead } from "@/data/operations";
import type { SourceId } from "@/generated/protocol";
import { FileFaults } from "./FileFaults";
import { parseJson, TextFile } from "./TextFile";

const pretty = (value: unknown): string => (value === null || value === undefined ? "" : JSON.stringify(value, null, 2));

/** A guide or a rule that changes on disk changes nothing of how the source stands, so no fact tells of it. */
const LOOK_EVERY_MS = 800;

const RULES_EXAMPLE = `{
  "allowedMcpPatterns": [{ "pattern": "list|search", "comment": "only reads" }]
}`;

export function SourceFiles({ id }: { id: SourceId }) {
  const read = useRead("source.document", { id }, { refetchInterval: LOOK_EVERY_MS });
  const write = useAct("source.write", { quiet: true });
  if (read.isPending) return <SkeletonRows rows={3} />;
  if (read.isError) return <Failure error={read.error} onRetry={() => void read.refetch()} />;
  const { path, config, guide, permissions, errors } = read.data;
  return (
    <>
      {errors.length > 0 && <FileFaults faults={errors} />}
      <Section title="Guide">
        <TextFile name="guide.md" rows={10} saved={guide ?? ""} hint="What the agent should know of this source. It reads it before it uses the tools." onSave={(text) => write.mutateAsync({ id, guide: text })} />
      </Section>
      <Section title="Rules">
        <TextFile
          name="permissions.json"
          rows={6}
          mono
          saved={pretty(permissions)}
          placeholder={RULES_EXAMPLE}
          hint="Which of its tools run without asking. A pattern is looked for in the tool's name; it never reaches another source's tools."
          // Empty rules are written as such: nothing is allowed beyond what the workspace allows.
          onSave={(text) => write.mutateAsync({ id, permissions: text.trim() === "" ? {} : parseJson(text) })}
        />
      </Section>
      <Section title="Configuration">
        <TextFile name="config.json" rows={10} mono saved={pretty(config)} hint="As the source is set up. “Change…” above has a form for it." onSave={(text) => write.mutateAsync({ id, config: parseJson(text) })} />
      </Section>
      <p className="flex items-center gap-1 text-sm text-faint">
        <span>They lie in</span>
        <code className="selectable min-w-0 truncate font-mono">{path}</code>
        <CopyButton text={path} label="Copy the path" />
      </p>
    </>
  );
}
