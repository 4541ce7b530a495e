/** What fits the name that is being typed. The focus stays in the text; this is only shown and clicked. */
import { BookOpen, File, Folder, type LucideIcon, Tag, Unplug } from "lucide-react";
import { cn } from "@/lib/cn";

export type MentionKind = "file" | "folder" | "skill" | "source" | "label";

export interface Mention {
  kind: MentionKind;
  id: string;
  name: string;
  note: string;
  /** It is on the session already; choosing it takes it off. */
  on?: boolean;
}

const ICONS: Record<MentionKind, LucideIcon> = { file: File, folder: Folder, skill: BookOpen, source: Unplug, label: Tag };

export const mentionId = (menu: string, { kind, id }: Mention): string => `${menu}-${kind}-${id}`;

interface MenuProps {
  id: string;
  label: string;
  mentions: readonly Mention[];
  active: number;
  onChoose: (mention: Mention) => void;
}

export function MentionMenu({ id, label, mentions, active, onChoose }: MenuProps) {
  return (
    <div id={id} role="listbox" aria-label={label} data-testid="mention-menu" className="absolute right-0 bottom-full left-0 z-20 mb-1.5 max-h-64 overflow-y-auto rounded-xl border border-line bg-raised p-1 shadow-pop">
      {mentions.map((mention, i) => {
        const Icon = ICONS[mention.kind];
        return (
          <div
            key={`${mention.kind} ${mention.id}`}
            id={mentionId(id, mention)}
            ref={i === active ? intoSight : undefined}
            role="option"
            tabIndex={-1}
            aria-selected={i === active}
            data-testid={`mention-${mention.id}`}
            // Before the text loses the focus.
            onMouseDown={(event) => {
              event.preventDefault();
              onChoose(mention);
            }}
            className={cn("flex h-8 items-center gap-2.5 rounded-md px-2.5", i === active ? "bg-selected" : "hover:bg-hover")}
          >
            <Icon aria-hidden className="size-3.5 shrink-0 text-faint" />
            <span className="max-w-[60%] shrink-0 truncate font-medium">{mention.name}</span>
            <span className="min-w-0 flex-1 truncate text-muted">{mention.note}</span>
            {mention.on === true && <span className="shrink-0 text-xs text-faint">on the session</span>}
          </div>
        );
      })}
    </div>
  );
}

const intoSight = (element: HTMLElement | null): void => element?.scrollIntoView({ block: "nearest" });
