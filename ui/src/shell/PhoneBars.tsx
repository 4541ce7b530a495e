/** What a phone has instead of panes side by side: a way back above, places below, and the sidebar as a drawer. */
import { BellRing, ChevronLeft, Inbox, type LucideIcon, Menu as MenuIcon, Unplug } from "lucide-react";
import { Dialog } from "radix-ui";
import { type ReactNode, useEffect } from "react";
import { NEEDS_YOU, useNeeds } from "@/features/approvals/needs";
import { cn } from "@/lib/cn";
import { giveFocusBack } from "@/lib/focus";
import { go, HOME, type Route } from "@/lib/route";

export function BackBar({ to, name }: { to: string; name: string }) {
  return (
    <div className="flex h-11 shrink-0 items-center border-b border-line bg-list px-1 pt-[env(safe-area-inset-top)]">
      <button type="button" data-testid="phone-back" className="flex h-11 items-center gap-0.5 rounded-md pr-3 pl-1 font-medium text-accent" onClick={() => (window.location.hash = to)}>
        <ChevronLeft aria-hidden className="size-5" />
        {name}
      </button>
    </div>
  );
}

const PLACES: readonly { name: string; icon: LucideIcon; route: Route }[] = [
  { name: "Sessions", icon: Inbox, route: HOME },
  { name: NEEDS_YOU, icon: BellRing, route: { view: "waiting" } },
  { name: "Sources", icon: Unplug, route: { view: "sources", source: null } },
];

export function PlacesBar({ route, onMore }: { route: Route; onMore: () => void }) {
  const needs = useNeeds().data?.length ?? 0;
  return (
    <nav aria-label="Places" data-phone-bar className="flex shrink-0 border-t border-line bg-sidebar">
      {PLACES.map(({ name, icon: Icon, route: to }) => (
        <Place key={to.view} name={name} active={route.view === to.view} testId={`phone-${to.view}`} onGo={() => go(to)} badge={to.view === "waiting" ? needs : 0}>
          <Icon aria-hidden className="size-5" strokeWidth={1.75} />
        </Place>
      ))}
      <Place name="More" active={false} testId="phone-more" onGo={onMore} badge={0}>
        <MenuIcon aria-hidden className="size-5" strokeWidth={1.75} />
      </Place>
    </nav>
  );
}

function Place({ name, active, testId, onGo, badge, children }: { name: string; active: boolean; testId: string; onGo: () => void; badge: number; children: ReactNode }) {
  return (
    <button type="button" data-testid={testId} aria-current={active ? "page" : undefined} onClick={onGo} className={cn("relative flex h-13 min-w-0 flex-1 flex-col items-center justify-center gap-0.5 text-xs", active ? "font-medium text-accent" : "text-muted")}>
      {children}
      {name}
      {badge > 0 && <span className="absolute top-1 left-[calc(50%+6px)] min-w-4 rounded-full bg-bad px-1 text-center text-xs font-semibold text-ground">{badge}</span>}
    </button>
  );
}

/** The sidebar over everything, with the focus in it; a touch beside it, Esc, or a way it leads closes it. */
export function Drawer({ onClose, children }: { onClose: () => void; children: ReactNode }) {
  useEffect(() => {
    window.addEventListener("hashchange", onClose);
    return () => window.removeEventListener("hashchange", onClose);
  }, [onClose]);
  return (
    <Dialog.Root open onOpenChange={(next) => !next && onClose()}>
      <Dialog.Portal>
        <Dialog.Content data-phone-drawer aria-describedby={undefined} onCloseAutoFocus={giveFocusBack} className="fixed inset-0 z-30 flex">
          <Dialog.Title className="sr-only">Places and settings</Dialog.Title>
          {children}
          <Dialog.Close aria-label="Close" data-testid="phone-close" className="min-w-0 flex-1 bg-black/40" />
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
