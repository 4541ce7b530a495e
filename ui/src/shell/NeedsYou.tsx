/** Everything that waits for the person, with the answers that need no further look. */
import { BellRing } from "lucide-react";
import { DropdownMenu } from "radix-ui";
import { useAct, useRead } from "@/data/operations";
import type { Attention } from "@/generated/protocol";
import { cn } from "@/lib/cn";
import { ago, useNow } from "@/lib/time";

/** More are dealt with in their views. */
const SHOWN = 30;

export function NeedsYou() {
  const waiting = useRead("attention.list", {}).data ?? [];
  const now = useNow();
  if (waiting.length === 0) return null;
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger asChild>
        <button type="button" data-testid="needs-you" className="flex items-center gap-2 px-4 py-0.5 text-left hover:bg-hover">
          <BellRing aria-hidden className="-mx-0.5 size-3 shrink-0 text-warn" />
          <span className="min-w-0 flex-1 truncate">Needs you</span>
          <span className="rounded bg-warn-soft px-1 text-xs font-medium text-warn tabular-nums">{waiting.length.toLocaleString()}</span>
        </button>
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content aria-label="Needs you" side="top" align="start" sideOffset={4} collisionPadding={8} className="z-50 flex max-h-[min(70vh,var(--radix-dropdown-menu-content-available-height))] w-[360px] max-w-[92vw] flex-col overflow-y-auto rounded-lg border border-line bg-raised p-1 shadow-pop">
          {waiting.slice(0, SHOWN).map((each) => (
            <Entry key={each.id} each={each} now={now} />
          ))}
          {waiting.length > SHOWN && <p className="px-2 py-1.5 text-sm text-faint">and {(waiting.length - SHOWN).toLocaleString()} more</p>}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

function Entry({ each, now }: { each: Attention; now: number }) {
  const { mutate: answer } = useAct("attention.answer");
  return (
    <div className="border-b border-line pb-1 last:border-b-0">
      <DropdownMenu.Item data-testid={`needs-${each.id}`} onSelect={() => goTo(each.route)} className="flex min-h-7 flex-col rounded-md px-2 py-1 outline-none data-[highlighted]:bg-hover">
        <span className="flex items-baseline gap-2">
          <span className="min-w-0 flex-1 [overflow-wrap:anywhere]">{each.title}</span>
          <span className="shrink-0 text-xs text-faint">{ago(each.since, now)}</span>
        </span>
        {each.detail !== null && <span className="line-clamp-2 text-sm text-muted [overflow-wrap:anywhere]">{each.detail}</span>}
      </DropdownMenu.Item>
      {each.actions.length > 0 && (
        <div className="flex gap-1">
          {each.actions.map((action, i) => (
            <DropdownMenu.Item key={action.id} data-testid={`answer-${action.id}-${each.id}`} onSelect={() => answer({ id: each.id, action: action.id })} className={cn("rounded-md px-2 py-0.5 text-sm font-medium outline-none data-[highlighted]:bg-hover", i === 0 ? "text-accent" : "text-muted")}>
              {action.label}
            </DropdownMenu.Item>
          ))}
        </div>
      )}
    </div>
  );
}

/** The engine names places as the address does. */
const goTo = (route: string) => {
  window.location.hash = `#${route}`;
};
