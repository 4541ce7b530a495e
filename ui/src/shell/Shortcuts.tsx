import { Dialog } from "@/components/Dialog";
import { Kbd } from "@/components/controls";
import { SHORTCUTS } from "@/lib/keys";

export default function Shortcuts({ open, onClose }: { open: boolean; onClose: () => void }) {
  return (
    <Dialog open={open} onClose={onClose} title="Keyboard shortcuts" reading>
      <div className="flex flex-col gap-5">
        {SHORTCUTS.map(({ group, rows }) => (
          <section key={group} aria-label={group}>
            <h3 className="mb-1.5 text-xs font-medium text-faint">{group}</h3>
            <dl className="flex flex-col gap-1.5">
              {rows.map(([keys, does]) => (
                <div key={keys} className="flex items-center gap-3">
                  <dt className="flex-1">{does}</dt>
                  <dd>
                    <Kbd>{keys}</Kbd>
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
