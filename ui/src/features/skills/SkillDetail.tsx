/** One skill: what it says, and its file to edit. */
import { MessageSquarePlus, Trash2, TriangleAlert } from "lucide-react";
import { useState } from "react";
import { Button, IconButton } from "@/components/Button";
import { CopyButton } from "@/components/Code";
import { Confirm } from "@/components/Confirm";
import { ContentPane, Facts, Scroll } from "@/components/layout";
import { Markdown } from "@/components/Markdown";
import { Failure, SkeletonRows } from "@/components/states";
import { Tabs } from "@/components/Tabs";
import { useAct, useRead } from "@/data/operations";
import { usePlatform } from "@/data/platform";
import { keepDraft } from "@/features/chat/drafts";
import { useNewSession } from "@/features/sessions/useNewSession";
import { TextFile } from "@/features/sources/TextFile";
import type { SkillDocument, WorkspaceId } from "@/generated/protocol";
import { go } from "@/lib/route";
import { sentence } from "@/lib/sentence";

/** The text behind the head. */
export const bodyOf = (text: string): string => text.replace(/^\uFEFF?---\r?\n[\s\S]*?\r?\n---\r?\n/, "").trim();

export function SkillDetail({ workspace, slug }: { workspace: WorkspaceId; slug: string }) {
  const document = useRead("skill.get", { workspace, slug });
  if (document.isPending || document.isError) {
    return <ContentPane label="Skill">{document.isPending ? <SkeletonRows className="p-8" /> : <Failure error={document.error} onRetry={() => void document.refetch()} />}</ContentPane>;
  }
  return <Shown workspace={workspace} document={document.data} />;
}

function Shown({ workspace, document }: { workspace: WorkspaceId; document: SkillDocument }) {
  const { skill, text } = document;
  const platform = usePlatform();
  const [tab, setTab] = useState(skill.error === null ? "read" : "file");
  const [asking, ask] = useState(false);
  const newSession = useNewSession();
  const remove = useAct("skill.remove", { onSuccess: () => go({ view: "skills", skill: null }) });
  const use = async () => {
    await newSession((session) => keepDraft(session, `@${skill.slug} `));
  };
  return (
    <ContentPane
      label="Skill"
      header={
        <>
          <h1 className="min-w-0 flex-1 truncate font-semibold">{skill.name}</h1>
          <Button icon={<MessageSquarePlus className="size-3.5" />} disabled={skill.error !== null} onClick={() => void use()}>
            Use it
          </Button>
          <IconButton label="Remove" data-testid="skill-remove" onClick={() => ask(true)}>
            <Trash2 className="size-4" />
          </IconButton>
        </>
      }
    >
      <Scroll>
        <div className="mx-auto flex max-w-[760px] flex-col gap-6 px-5 pt-5 pb-12 @xl:px-8">
          {skill.error !== null && (
            <p role="alert" className="flex items-start gap-2 rounded-lg border border-warn/30 bg-warn-soft px-3 py-2 text-warn">
              <TriangleAlert aria-hidden className="mt-0.5 size-4 shrink-0" />
              <span>The agent is not told of it. {sentence(skill.error)}</span>
            </p>
          )}
          <Facts
            rows={[
              ...(skill.description === "" ? [] : ([["Used", skill.description]] as const)),
              ["In a message", <code key="m" className="font-mono text-sm">@{skill.slug}</code>],
              [
                "Folder",
                <span key="f" className="flex items-center gap-1">
                  <code className="min-w-0 font-mono text-sm [overflow-wrap:anywhere]">{skill.path}</code>
                  <CopyButton text={skill.path} label="Copy the path" />
                </span>,
              ],
            ]}
          />
          <Tabs
            label="Parts of the skill"
            value={tab}
            onChange={setTab}
            tabs={[
              { id: "read", title: "Instructions", content: bodyOf(text) === "" ? <p className="text-faint">It says nothing yet. Write it in the file.</p> : <Markdown text={bodyOf(text)} /> },
              {
                id: "file",
                title: "File",
                waits: skill.error !== null,
                content: <TextFile name="SKILL.md" saved={text} rows={22} mono hint="Its head says what it is for; Ctrl+S saves." onSave={(next) => platform.request("skill.write", { workspace, slug: skill.slug, text: next })} />,
              },
            ]}
          />
        </div>
      </Scroll>
      <Confirm open={asking} onClose={() => ask(false)} title={`Remove “${skill.name}”?`} action="Remove" onConfirm={() => remove.mutate({ workspace, slug: skill.slug })}>
        The agent is not told of it any more. Its folder is kept in skills/.trash.
      </Confirm>
    </ContentPane>
  );
}
