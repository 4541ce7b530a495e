import { Command } from "cmdk";
import type { LucideIcon } from "lucide-react";
import type { ReactNode } from "react";

interface ItemProps {
  icon: LucideIcon;
  children: ReactNode;
  onSelect: () => void;
  keys?: string;
  value?: string;
  /** Shown whatever was typed. */
  force?: boolean;
}

export function Item({ icon: Icon, children, onSelect, keys, value, force = false }: ItemProps) {
  return (
    <Command.Item forceMount={force} {...(value === undefined ? {} : { value })} onSelect={onSelect} className="flex h-8 items-center gap-2.5 rounded-md px-2 data-[selected=true]:bg-selected data-[selected=true]:[&_.text-faint]:text-muted">
      <Icon aria-hidden className="size-4 shrink-0 text-faint" strokeWidth={1.75} />
      <span className="min-w-0 flex-1 truncate">{children}</span>
      {keys !== undefined && <span className="text-xs text-faint">{keys}</span>}
    </Command.Item>
  );
}
