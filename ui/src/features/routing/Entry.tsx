/** One entry of a list in the table: a line, and its form below while it is open. */
import { ChevronRight, Trash2 } from "lucide-react";
import type { ReactNode } from "react";
import { Button } from "@/components/Button";
import { cn } from "@/lib/cn";

interface EntryProps {
  testId: string;
  title: string;
  note: ReactNode;
  lead?: ReactNode;
  open: boolean;
  onToggle: () => void;
  onRemove: () => void;
  fault: string | null;
  children: ReactNode;
}

export function Entry({ testId, title, note, lead, open, onToggle, onRemove, fault, children }: EntryProps) {
  return (
    <li data-testid={testId} className={cn("border-line not-first:border-t", fault !== null && "bg-bad-soft/40")}>
      <button type="button" aria-expanded={open} onClick={onToggle} className="flex w-full items-start gap-2 px-3 py-2 text-left hover:bg-hover">
        <ChevronRight aria-hidden className={cn("mt-1 size-3.5 shrink-0 text-faint transition-transform", open && "rotate-90")} />
        {lead}
        <span className="min-w-0 flex-1">
          <span className="block font-medium">{title}</span>
          <span className="block text-sm text-muted [overflow-wrap:anywhere]">{note}</span>
        </span>
      </button>
      {fault !== null && (
        <p role="alert" className="px-3 pb-2 pl-8 text-bad">
          {fault}
        </p>
      )}
      {open && (
        <div className="flex flex-col gap-4 border-t border-line bg-list px-4 py-4 pl-8">
          {children}
          <div className="flex justify-between gap-2">
            <Button look="danger" icon={<Trash2 className="size-3.5" />} onClick={onRemove}>
              Take out
            </Button>
            <Button onClick={onToggle}>Done</Button>
          </div>
        </div>
      )}
    </li>
  );
}

/** Two fields beside each other where there is room. */
export const Grid = ({ children }: { children: ReactNode }) => <div className="grid grid-cols-1 gap-3.5 @md:grid-cols-2">{children}</div>;

export function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <fieldset className="flex flex-col gap-3">
      <legend className="pb-2 text-xs font-medium text-faint">{title}</legend>
      {children}
    </fieldset>
  );
}
