/** Parts of a detail view, one at a time. Arrow keys move between them. */
import { Tabs as Radix } from "radix-ui";
import type { ReactNode } from "react";
import { alongIntoSight } from "@/lib/focus";
import { StatusDot } from "./StatusBadge";

export interface Tab {
  id: string;
  title: string;
  /** Something in it waits for the person. */
  waits?: boolean;
  content: ReactNode;
}

export function Tabs({ label, tabs, value, onChange }: { label: string; tabs: readonly Tab[]; value: string; onChange: (id: string) => void }) {
  return (
    <Radix.Root value={value} onValueChange={onChange}>
      <Radix.List aria-label={label} data-wide className="-mx-2 flex overflow-x-auto overflow-y-hidden border-b border-line [scrollbar-width:none]">
        {tabs.map((tab) => (
          <Radix.Trigger
            key={tab.id}
            ref={tab.id === value ? alongIntoSight : undefined}
            value={tab.id}
            data-testid={`tab-${tab.id}`}
            className="group relative flex h-9 shrink-0 items-center gap-1.5 px-2 font-medium whitespace-nowrap text-muted hover:text-ink data-[state=active]:text-ink"
          >
            {tab.title}
            <span aria-hidden className="absolute inset-x-2 bottom-0 h-0.5 bg-accent opacity-0 group-data-[state=active]:opacity-100" />
            {tab.waits === true && <StatusDot tone="warn" className="size-1.5" />}
          </Radix.Trigger>
        ))}
      </Radix.List>
      {tabs.map((tab) => (
        <Radix.Content key={tab.id} value={tab.id} className="flex flex-col gap-7 pt-5 focus-visible:outline-offset-4">
          {tab.content}
        </Radix.Content>
      ))}
    </Radix.Root>
  );
}
