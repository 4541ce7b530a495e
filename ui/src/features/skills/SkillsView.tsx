/** The skills of a workspace: instructions the agent takes up when they are called for. */
import { BookOpen, Plus, TriangleAlert } from "lucide-react";
import { useDeferredValue, useState } from "react";
import { Button, IconButton } from "@/components/Button";
import { SearchField } from "@/components/controls";
import { ContentPane, ListPane, Scroll } from "@/components/layout";
import { Empty, Failure, SkeletonRows } from "@/components/states";
import { useRead } from "@/data/operations";
import { useWorkspace } from "@/data/workspace";
import type { Skill } from "@/generated/protocol";
import { cn } from "@/lib/cn";
import { intoSight } from "@/lib/focus";
import { moveByArrows } from "@/lib/roving";
import { go } from "@/lib/route";
import { NewSkill } from "./NewSkill";
import { SkillDetail } from "./SkillDetail";

export function SkillsView({ skill }: { skill: string | null }) {
  const { workspace } = useWorkspace();
  const id = workspace?.id ?? "";
  const list = useRead("skill.list", { id }, { enabled: workspace !== null });
  const [search, setSearch] = useState("");
  const [making, setMaking] = useState(false);
  const words = useDeferredValue(search.trim().toLowerCase());
  const shown = (list.data ?? []).filter((row) => `${row.slug} ${row.name} ${row.description}`.toLowerCase().includes(words));
  return (
    <>
      <ListPane
        label="Skills"
        title="Skills"
        actions={
          <IconButton label="New skill" data-testid="new-skill" onClick={() => setMaking(true)}>
            <Plus className="size-4" />
          </IconButton>
        }
        search={<SearchField label="Search skills" value={search} onChange={setSearch} />}
      >
        {list.isPending ? (
          <SkeletonRows />
        ) : list.isError ? (
          <Failure error={list.error} onRetry={() => void list.refetch()} />
        ) : shown.length === 0 ? (
          <Empty icon={BookOpen} title={words === "" ? "No skills yet" : "Nothing found"} action={words === "" ? <Button onClick={() => setMaking(true)}>New skill</Button> : undefined}>
            {words === "" ? "A skill says how something is done here: a report, a release, the answer to a kind of letter." : `No skill is about “${search.trim()}”.`}
          </Empty>
        ) : (
          <Scroll className="pb-3">
            {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- the keys belong to the rows in it */}
            <ul className="flex flex-col gap-px px-2" onKeyDown={moveByArrows}>
              {shown.map((row) => (
                <Row key={row.slug} skill={row} selected={row.slug === skill} />
              ))}
            </ul>
          </Scroll>
        )}
      </ListPane>
      {skill === null || workspace === null ? (
        <ContentPane label="Skill">
          <Empty icon={BookOpen} title="No skill chosen">
            The agent is told of every skill in one line, and reads it when it is called for. Write <span className="font-mono">@</span> in a message to ask for one.
          </Empty>
        </ContentPane>
      ) : (
        <SkillDetail key={`${id} ${skill}`} workspace={id} slug={skill} />
      )}
      {workspace !== null && <NewSkill workspace={id} open={making} onClose={() => setMaking(false)} />}
    </>
  );
}

function Row({ skill, selected }: { skill: Skill; selected: boolean }) {
  return (
    <li>
      <button
        ref={selected ? intoSight : undefined}
        type="button"
        data-row
        data-testid={`skill-row-${skill.slug}`}
        aria-current={selected ? "true" : undefined}
        onClick={() => go({ view: "skills", skill: skill.slug })}
        className={cn("flex min-h-[54px] w-full items-start gap-2.5 rounded-lg px-2.5 py-2 text-left", selected ? "bg-selected" : "hover:bg-hover")}
      >
        {skill.error === null ? <BookOpen aria-hidden className="mt-0.5 size-4 shrink-0 text-faint" strokeWidth={1.75} /> : <TriangleAlert aria-hidden className="mt-0.5 size-4 shrink-0 text-warn" strokeWidth={1.75} />}
        <span className="min-w-0 flex-1">
          <span className="block truncate font-medium">{skill.name}</span>
          <span className={cn("line-clamp-2 text-sm", skill.error === null ? "text-faint" : "text-warn")}>{skill.error === null ? skill.description : "Cannot be used"}</span>
        </span>
      </button>
    </li>
  );
}
