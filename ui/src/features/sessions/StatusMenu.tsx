/** The workflow status of a session, as a menu. */
import { Circle, CircleCheck } from "lucide-react";
import { Menu, MenuItem } from "@/components/Menu";
import { useAct } from "@/data/operations";
import { useWorkspace } from "@/data/workspace";
import type { SessionSummary, WorkflowStatus } from "@/generated/protocol";
import { cssColor } from "@/lib/color";
import { useDark } from "@/lib/theme";
import { UNMARKED } from "./rows";

/** Colours of the statuses every workspace begins with; a file that names its own wins. */
const USUAL: Record<string, string> = {
  backlog: "foreground/40",
  todo: "foreground/70",
  "in-progress": "info",
  "needs-review": "warning",
  done: "success",
  cancelled: "foreground/40",
};

export function WorkflowIcon({ status, className = "size-3.5" }: { status: WorkflowStatus; className?: string }) {
  const color = cssColor(status.color ?? USUAL[status.id], useDark());
  const Icon = status.closed ? CircleCheck : Circle;
  return <Icon aria-hidden className={className} style={{ color }} strokeWidth={2.25} />;
}

export function StatusMenu({ session }: { session: SessionSummary }) {
  const { workspace } = useWorkspace();
  const update = useAct("session.update");
  const statuses = workspace?.statuses ?? [];
  const present = statuses.find((status) => status.id === (session.status ?? UNMARKED));
  if (statuses.length === 0 || session.channel !== null) return null;
  return (
    <Menu
      align="end"
      label="Status"
      trigger={
        <button type="button" aria-label={`Status: ${present?.label ?? "none"}`} className="flex h-7 shrink-0 items-center gap-1.5 rounded-md px-2 whitespace-nowrap text-muted hover:bg-hover hover:text-ink">
          {present !== undefined && <WorkflowIcon status={present} />}
          <span className="hidden @md:inline">{present?.label ?? "Status"}</span>
        </button>
      }
    >
      {statuses.map((status) => (
        <MenuItem key={status.id} icon={<WorkflowIcon status={status} />} checked={status === present} onSelect={() => update.mutate({ id: session.id, status: status.id })}>
          {status.label}
        </MenuItem>
      ))}
    </Menu>
  );
}
