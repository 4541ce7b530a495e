/** A dropdown menu: one trigger, a list of choices. */
import { Check } from "lucide-react";
import { DropdownMenu } from "radix-ui";
import type { ReactNode } from "react";
import { cn } from "@/lib/cn";

export function Menu({ trigger, children, align = "start", label }: { trigger: ReactNode; children: ReactNode; align?: "start" | "end"; label: string }) {
  return (
    // Not modal: what is behind stays known to a screen reader, and a click there is a click.
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger asChild>{trigger}</DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content
          aria-label={label}
          align={align}
          sideOffset={4}
          collisionPadding={8}
          className="z-50 max-h-[min(24rem,var(--radix-dropdown-menu-content-available-height))] min-w-44 overflow-y-auto rounded-lg border border-line bg-raised p-1 shadow-pop"
        >
          {children}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

interface MenuItemProps {
  children: ReactNode;
  onSelect: () => void;
  icon?: ReactNode;
  checked?: boolean;
  keys?: string;
  note?: string;
  danger?: boolean;
  testId?: string;
}

export function MenuItem({ children, onSelect, icon, checked, keys, note, danger = false, testId }: MenuItemProps) {
  return (
    <DropdownMenu.Item
      data-testid={testId}
      onSelect={onSelect}
      className={cn("flex min-h-7 items-center gap-2 rounded-md px-2 py-1 outline-none data-[highlighted]:bg-hover", danger && "text-bad")}
    >
      {icon !== undefined && <span className="flex size-4 shrink-0 items-center justify-center text-faint">{icon}</span>}
      <span className="min-w-0 flex-1">
        <span className="block truncate">{children}</span>
        {note !== undefined && <span className="block max-w-64 text-sm text-faint">{note}</span>}
      </span>
      {keys !== undefined && <span className="text-xs text-faint">{keys}</span>}
      {checked === true && <Check aria-label="chosen" className="size-3.5 shrink-0 text-accent" />}
    </DropdownMenu.Item>
  );
}

export const MenuSeparator = () => <DropdownMenu.Separator className="my-1 h-px bg-line" />;
