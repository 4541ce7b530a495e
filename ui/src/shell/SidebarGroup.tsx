import { ChevronRight, Pencil } from "lucide-react";
import { ContextMenu } from "radix-ui";
import { type ReactNode, useState } from "react";
import { cn } from "@/lib/cn";
import { go } from "@/lib/route";

const toEditor = () => go({ view: "settings", section: "workspace" });

/** A part of the sidebar that can be folded; `edit` leads to where its rows come from, also by right click. */
export function Group({ title, edit, children }: { title: string; edit?: string; children: ReactNode }) {
  const key = `kata.folded.${title}`;
  const [folded, setFolded] = useState(() => localStorage.getItem(key) === "yes");
  const toggle = () => {
    localStorage.setItem(key, folded ? "" : "yes");
    setFolded(!folded);
  };
  const head = (
    <div className="flex h-6 items-center gap-1 pr-1 pl-2">
      <h2 className="min-w-0 flex-1 text-xs font-medium text-faint">
        <button type="button" aria-expanded={!folded} onClick={toggle} className="-ml-1 flex max-w-full items-center gap-1 rounded px-1 hover:text-ink">
          {title}
          <ChevronRight aria-hidden className={cn("size-3 transition-transform", !folded && "rotate-90")} />
        </button>
      </h2>
      {edit !== undefined && (
        <button type="button" aria-label={edit} title={edit} onClick={toEditor} className="flex size-5 items-center justify-center rounded text-faint hover:bg-hover hover:text-ink">
          <Pencil aria-hidden className="size-3" />
        </button>
      )}
    </div>
  );
  const part = (
    <section aria-label={`Sidebar: ${title}`} className="mt-3">
      {head}
      {!folded && <ul className="flex flex-col gap-px">{children}</ul>}
    </section>
  );
  if (edit === undefined) return part;
  return (
    <ContextMenu.Root>
      <ContextMenu.Trigger asChild>{part}</ContextMenu.Trigger>
      <ContextMenu.Portal>
        <ContextMenu.Content aria-label={title} className="z-50 min-w-44 rounded-lg border border-line bg-raised p-1 shadow-pop">
          <ContextMenu.Item onSelect={toEditor} className="flex h-7 items-center gap-2 rounded-md px-2 outline-none data-[highlighted]:bg-hover">
            <Pencil aria-hidden className="size-3.5 text-faint" />
            {edit}
          </ContextMenu.Item>
        </ContextMenu.Content>
      </ContextMenu.Portal>
    </ContextMenu.Root>
  );
}
