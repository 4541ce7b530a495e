/** Asks before something that cannot be taken back. Esc and “Cancel” change nothing; the focus begins on “Cancel”. */
import { AlertDialog } from "radix-ui";
import type { ReactNode } from "react";
import { giveFocusBack } from "@/lib/focus";
import { Button } from "./Button";

interface ConfirmProps {
  open: boolean;
  onClose: () => void;
  title: string;
  children: ReactNode;
  /** What the button that does it says. */
  action: string;
  onConfirm: () => void;
}

export function Confirm({ open, onClose, title, children, action, onConfirm }: ConfirmProps) {
  return (
    <AlertDialog.Root open={open} onOpenChange={(next) => !next && onClose()}>
      <AlertDialog.Portal>
        <AlertDialog.Overlay className="fixed inset-0 z-40 bg-black/30" />
        <AlertDialog.Content onCloseAutoFocus={giveFocusBack} className="fixed top-[22vh] left-1/2 z-50 flex w-[420px] max-w-[92vw] -translate-x-1/2 flex-col gap-4 rounded-xl border border-line bg-raised p-5 shadow-pop">
          <div className="flex flex-col gap-1">
            <AlertDialog.Title className="text-lg font-semibold">{title}</AlertDialog.Title>
            <AlertDialog.Description className="text-muted">{children}</AlertDialog.Description>
          </div>
          <div className="flex justify-end gap-2">
            <AlertDialog.Cancel asChild>
              <Button>Cancel</Button>
            </AlertDialog.Cancel>
            <AlertDialog.Action asChild>
              <Button look="danger" data-testid="confirm" onClick={onConfirm}>
                {action}
              </Button>
            </AlertDialog.Action>
          </div>
        </AlertDialog.Content>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}
