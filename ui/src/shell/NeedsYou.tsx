/** What needs the person, at the foot of the sidebar: the same list as its view, to answer without going there. */
import { ArrowRight, BellRing } from "lucide-react";
import { Popover } from "radix-ui";
import { useEffect, useState } from "react";
import { Need } from "@/features/approvals/Need";
import { inOrder, NEEDS_YOU, useNeeds } from "@/features/approvals/needs";
import type { Attention } from "@/generated/protocol";
import { giveFocusBack } from "@/lib/focus";
import { go } from "@/lib/route";
import { useNow } from "@/lib/time";

/** More are dealt with in the view. */
const SHOWN = 30;

export function NeedsYou() {
  const needs = useNeeds().data ?? [];
  const [open, setOpen] = useState(false);
  useEffect(() => {
    const close = () => setOpen(false);
    window.addEventListener("hashchange", close);
    return () => window.removeEventListener("hashchange", close);
  }, []);
  if (needs.length === 0) return null;
  return (
    <Popover.Root modal open={open} onOpenChange={setOpen}>
      <Popover.Trigger asChild>
        <button type="button" data-testid="needs-you" className="flex items-center gap-2 px-4 py-0.5 text-left hover:bg-hover">
          <BellRing aria-hidden className="-mx-0.5 size-3 shrink-0 text-warn" />
          <span className="min-w-0 flex-1 truncate">{NEEDS_YOU}</span>
          <span className="rounded bg-warn-soft px-1 text-xs font-medium text-warn tabular-nums">{needs.length.toLocaleString()}</span>
        </button>
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content
          aria-label={NEEDS_YOU}
          side="top"
          align="start"
          sideOffset={4}
          collisionPadding={8}
          onCloseAutoFocus={giveFocusBack}
          className="z-50 flex max-h-[min(80vh,var(--radix-popover-content-available-height))] w-[440px] max-w-[92vw] flex-col rounded-lg border border-line bg-ground shadow-pop"
        >
          <List needs={needs} />
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}

function List({ needs }: { needs: readonly Attention[] }) {
  const now = useNow();
  return (
    <>
      <p className="flex shrink-0 items-center gap-2 border-b border-line py-1.5 pr-1.5 pl-3">
        <span className="flex-1 font-semibold">{NEEDS_YOU}</span>
        <button type="button" data-testid="needs-all" onClick={() => go({ view: "waiting" })} className="flex h-7 items-center gap-1 rounded-md px-2 text-muted hover:bg-hover hover:text-ink">
          {needs.length > SHOWN ? `See all ${needs.length.toLocaleString()}` : "See all"}
          <ArrowRight aria-hidden className="size-3.5" />
        </button>
      </p>
      <ul className="flex min-h-0 flex-col gap-2 overflow-y-auto p-2">
        {inOrder(needs).slice(0, SHOWN).map((each) => (
          <li key={each.id}>
            <Need each={each} now={now} />
          </li>
        ))}
      </ul>
    </>
  );
}
