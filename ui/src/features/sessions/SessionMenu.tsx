/** What can be done with a session in the list: by right click, or by the menu key on the chosen row. */
import { Check, ChevronRight, Circle, Copy, Download, Flag, Mail, MailOpen, Tag } from "lucide-react";
import { ContextMenu } from "radix-ui";
import type { ReactNode } from "react";
import { notify } from "@/data/notify";
import { useAct } from "@/data/operations";
import { useWorkspace } from "@/data/workspace";
import type { SessionSummary } from "@/generated/protocol";
import { cn } from "@/lib/cn";
import { UNMARKED } from "./rows";
import { WorkflowIcon } from "./StatusMenu";
import { useExport } from "./useExport";
import { useSessionActions } from "./useSessionActions";

export function SessionMenu({ session, children }: { session: SessionSummary; children: ReactNode }) {
  const { actions, question } = useSessionActions(session);
  return (
    <ContextMenu.Root>
      <ContextMenu.Trigger asChild>{children}</ContextMenu.Trigger>
      <ContextMenu.Portal>
        <ContextMenu.Content aria-label="Session" collisionPadding={8} className="z-50 min-w-48 rounded-lg border border-line bg-raised p-1 shadow-pop">
          <Items session={session} />
          <Labels session={session} />
          <ContextMenu.Separator className="my-1 h-px bg-line" />
          {actions.map(({ name, icon: Icon, danger, run }) => (
            <Item key={name} icon={<Icon className="size-3.5" />} danger={danger} onSelect={run}>
              {name}
            </Item>
          ))}
        </ContextMenu.Content>
      </ContextMenu.Portal>
      {question}
    </ContextMenu.Root>
  );
}

function Items({ session }: { session: SessionSummary }) {
  const { id } = session;
  const { workspace } = useWorkspace();
  const { mutate: update } = useAct("session.update");
  const { save } = useExport();
  const copy = () => void navigator.clipboard.writeText(id).then(() => notify({ tone: "info", message: "The id of the session was copied.", hint: null }));
  return (
    <>
      <Item icon={<Flag className="size-3.5" />} onSelect={() => update({ id, flagged: !session.flagged })}>
        {session.flagged ? "Remove the flag" : "Flag"}
      </Item>
      <Item icon={session.unread ? <MailOpen className="size-3.5" /> : <Mail className="size-3.5" />} onSelect={() => update({ id, unread: !session.unread })}>
        {session.unread ? "Mark as read" : "Mark as unread"}
      </Item>
      <Item icon={<Download className="size-3.5" />} onSelect={() => void save(id, "markdown")}>
        Export as Markdown
      </Item>
      <Item icon={<Copy className="size-3.5" />} onSelect={copy}>
        Copy the id
      </Item>
      {session.channel === null && workspace !== null && workspace.statuses.length > 0 && (
        <>
          <ContextMenu.Separator className="my-1 h-px bg-line" />
          <ContextMenu.RadioGroup value={session.status ?? UNMARKED} onValueChange={(status) => update({ id, status })}>
            {workspace.statuses.map((status) => (
              <ContextMenu.RadioItem key={status.id} value={status.id} className={ITEM}>
                <WorkflowIcon status={status} />
                <span className="flex-1">{status.label}</span>
                <ContextMenu.ItemIndicator>
                  <Circle aria-hidden className="size-1.5 fill-accent text-accent" />
                </ContextMenu.ItemIndicator>
              </ContextMenu.RadioItem>
            ))}
          </ContextMenu.RadioGroup>
        </>
      )}
    </>
  );
}

/** Labels of the session, each on or off. */
function Labels({ session }: { session: SessionSummary }) {
  const { id, labels } = session;
  const { workspace } = useWorkspace();
  const { mutate: update } = useAct("session.update");
  if (workspace === null || workspace.labels.length === 0) return null;
  const without = (label: string) => labels.filter((one) => one !== label && !one.startsWith(`${label}::`));
  return (
    <ContextMenu.Sub>
      <ContextMenu.SubTrigger className={ITEM}>
        <span className="text-faint">
          <Tag className="size-3.5" />
        </span>
        <span className="flex-1">Labels</span>
        <ChevronRight aria-hidden className="size-3.5 text-faint" />
      </ContextMenu.SubTrigger>
      <ContextMenu.Portal>
        <ContextMenu.SubContent aria-label="Labels" collisionPadding={8} className="z-50 max-h-80 min-w-40 overflow-y-auto rounded-lg border border-line bg-raised p-1 shadow-pop">
          {workspace.labels.map((label) => {
            const on = without(label.id).length < labels.length;
            return (
              <ContextMenu.CheckboxItem key={label.id} checked={on} className={ITEM} onSelect={() => update({ id, labels: on ? without(label.id) : [...labels, label.id] })}>
                <span className="flex-1" style={{ paddingLeft: label.depth * 12 }}>
                  {label.name}
                </span>
                <ContextMenu.ItemIndicator>
                  <Check aria-hidden className="size-3.5 text-accent" />
                </ContextMenu.ItemIndicator>
              </ContextMenu.CheckboxItem>
            );
          })}
        </ContextMenu.SubContent>
      </ContextMenu.Portal>
    </ContextMenu.Sub>
  );
}

const ITEM = "flex h-7 items-center gap-2 rounded-md px-2 outline-none data-[highlighted]:bg-hover";

function Item({ icon, danger = false, onSelect, children }: { icon: ReactNode; danger?: boolean; onSelect: () => void; children: ReactNode }) {
  return (
    <ContextMenu.Item onSelect={onSelect} className={cn(ITEM, danger && "text-bad")}>
      <span className={danger ? "" : "text-faint"}>{icon}</span>
      {children}
    </ContextMenu.Item>
  );
}
