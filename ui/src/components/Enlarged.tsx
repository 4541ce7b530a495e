/** A button that opens what stands beside it in a large dialog: code, a diff, the result of a tool. */
import { Maximize2 } from "lucide-react";
import { type ReactNode, useState } from "react";
import { IconButton } from "./Button";
import { Dialog } from "./Dialog";

export function Enlarge({ title, children }: { title: string; children: ReactNode }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <IconButton label={`Enlarge ${title}`} className="size-6" onClick={() => setOpen(true)}>
        <Maximize2 className="size-3.5" />
      </IconButton>
      <Dialog open={open} onClose={() => setOpen(false)} title={title} className="top-[4vh] max-h-[92vh] w-[1100px]">
        {children}
      </Dialog>
    </>
  );
}
