/** What is known of a session, beside the chat. */
import { Waypoints } from "lucide-react";
import { Button } from "@/components/Button";
import { Badge } from "@/components/controls";
import { Facts, Section } from "@/components/layout";
import type { Attachment, SessionSummary, TokenUsage } from "@/generated/protocol";
import { useWorkspace } from "@/data/workspace";
import { go } from "@/lib/route";
import { dateTime } from "@/lib/time";
import { Attachments } from "./Attachments";
import { GitBadge } from "./GitBadge";
import { SessionNotes } from "./SessionNotes";
import { WorkingDirectory } from "./WorkingDirectory";
import { MODES } from "./ComposerFooter";

interface InspectorProps {
  session: SessionSummary;
  usage: TokenUsage;
  /** Files of the messages that are read. */
  files: readonly Attachment[];
}

export function Inspector({ session, usage, files }: InspectorProps) {
  const { workspace } = useWorkspace();
  const labels = session.labels.map((label) => {
    const [id = label, value] = label.split("::", 2);
    const name = workspace?.labels.find((each) => each.id === id)?.name ?? id;
    return value === undefined ? name : `${name}: ${value}`;
  });
  return (
    <aside aria-label="Details" className="flex w-[280px] shrink-0 flex-col gap-6 overflow-y-auto border-l border-line bg-list p-4 max-[1100px]:absolute max-[1100px]:top-11 max-[1100px]:right-0 max-[1100px]:bottom-0 max-[1100px]:z-10 max-[1100px]:shadow-pop">
      <Section title="Session">
        <Facts
          rows={[
            ["Workspace", workspace?.name ?? session.workspace],
            ["Began", dateTime(session.createdAt)],
            ["Last message", dateTime(session.lastMessageAt)],
            ["Messages", session.messageCount.toLocaleString()],
            ["Permission", MODES[session.mode].label],
            ...(session.profile == null ? [] : ([["Profile", session.profile]] as const)),
            ["Folder", session.id],
            ...(session.channel === null ? [] : ([["Channel", session.channel.displayName ?? session.channel.adapter]] as const)),
          ]}
        />
        {labels.length > 0 && (
          <div className="flex flex-wrap gap-1">
            {labels.map((label) => (
              <Badge key={label}>{label}</Badge>
            ))}
          </div>
        )}
      </Section>
      <SessionNotes key={session.id} id={session.id} />
      {files.length > 0 && (
        <Section title="Files">
          <Attachments files={files} small />
        </Section>
      )}
      <Section title="Works in">
        <WorkingDirectory key={session.workingDirectory ?? ""} session={session} />
        <GitBadge session={session} />
      </Section>
      <Section title="Use">
        <Facts
          rows={[
            ["Sent", tokens(usage.inputTokens)],
            ["Answered", tokens(usage.outputTokens)],
            ["From cache", tokens(usage.cacheReadTokens)],
            ["Context", tokens(usage.contextTokens)],
            ["Cost", (usage.costUsd ?? 0) > 0 ? `$${(usage.costUsd ?? 0).toFixed(2)}` : "not known"],
          ]}
        />
      </Section>
      <Section title="Traces">
        <p className="text-muted">Every message’s way through router, hooks, model and tools.</p>
        <Button icon={<Waypoints className="size-3.5" />} onClick={() => go({ view: "traces", session: session.id, trace: null })}>
          Traces of this session
        </Button>
      </Section>
    </aside>
  );
}

const tokens = (n: number | undefined): string => `${(n ?? 0).toLocaleString()} tokens`;
