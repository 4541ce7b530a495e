import { X } from "lucide-react";
import { Dialog as Radix } from "radix-ui";
import type { ReactNode } from "react";
import { cn } from "@/lib/cn";
import { giveFocusBack } from "@/lib/focus";
import { IconButton } from "./Button";

/** To the first field, else to the first control of the body; the sign for closing comes last. */
function focusFirst(event: Event): void {
  const content = event.currentTarget as HTMLElement;
  const first = content.querySelector<HTMLElement>(":is(input,select,textarea):not([type=radio],[type=checkbox])") ?? content.querySelector<HTMLElement>("[data-body] :is(input,button):not(:disabled)");
  if (first === null) return;
  event.preventDefault();
  // A field is come for; a button in what is to be read first must not scroll that away.
  first.focus({ preventScroll: first instanceof HTMLButtonElement });
}

interface DialogProps {
  open: boolean;
  onClose: () => void;
  title: string;
  description?: string;
  children: ReactNode;
  className?: string;
  /** Nothing in it takes the focus: it scrolls by keyboard. */
  reading?: boolean;
}

/** The buttons of a form: in sight however long the form is. The last thing in a dialog. */
export const DialogFoot = ({ children }: { children: ReactNode }) => <div className="sticky -bottom-5 -mx-5 -mb-5 flex rounded-b-xl items-center justify-end gap-2 border-t border-line bg-raised px-5 py-3">{children}</div>;

export function Dialog({ open, onClose, title, description, children, className, reading = false }: DialogProps) {
  return (
    <Radix.Root open={open} onOpenChange={(next) => !next && onClose()}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-40 bg-black/30" />
        <Radix.Content
          onOpenAutoFocus={focusFirst}
          onCloseAutoFocus={giveFocusBack}
          {...(description === undefined ? { "aria-describedby": undefined } : {})}
          className={cn("fixed top-[12vh] left-1/2 z-50 flex max-h-[76vh] w-[480px] max-w-[92vw] -translate-x-1/2 flex-col rounded-xl border border-line bg-raised shadow-pop", className)}
        >
          <div className="flex items-start gap-2 px-5 pt-4 pb-3">
            <div className="flex-1">
              <Radix.Title className="text-lg font-semibold">{title}</Radix.Title>
              {description !== undefined && <Radix.Description className="text-muted">{description}</Radix.Description>}
            </div>
            <Radix.Close asChild>
              <IconButton label="Close">
                <X className="size-4" />
              </IconButton>
            </Radix.Close>
          </div>
          <div data-body {...(reading ? { tabIndex: 0, role: "region", "aria-label": title } : {})} className="scroll-pb-16 overflow-y-auto px-5 pb-5">{children}</div>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
