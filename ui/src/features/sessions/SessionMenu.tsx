/** What can be done with a session in the list: by right click, or by the menu key on the chosen row. */
import { Circle, Copy, Flag, Mail, MailOpen } from "lucide-react";
import { ContextMenu } from "radix-ui";
import type { ReactNode } from "react";
import { notify } from "@/data/notify";
import { useAct } from "@/data/operations";
import { useWorkspace } from "@/data/workspace";
import type { SessionSummary } from "@/generated/protocol";
import { cn } from "@/lib/cn";
import { UNMARKED } from "./rows";
import { WorkflowIcon } from "./StatusMenu";
import { useSessionActions } from "./useSessionActions";

export function SessionMenu({ session, children }: { session: SessionSummary; children: ReactNode }) {
  const { actions, question } = useSessionActions(session);
  return (
    <ContextMenu.Root>
      <ContextMenu.Trigger asChild>{children}</ContextMenu.Trigger>
      <ContextMenu.Portal>
        <ContextMenu.Content aria-label="Session" collisionPadding={8} className="z-50 min-w-48 rounded-lg border border-line bg-raised p-1 shadow-pop">
          <Items session={session} />
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
  const copy = () => void navigator.clipboard.writeText(id).then(() => notify({ tone: "info", message: "The id of the session was copied.", hint: null }));
  return (
    <>
      <Item icon={<Flag className="size-3.5" />} onSelect={() => update({ id, flagged: !session.flagged })}>
        {session.flagged ? "Remove the flag" : "Flag"}
      </Item>
      <Item icon={session.unread ? <MailOpen className="size-3.5" /> : <Mail className="size-3.5" />} onSelect={() => update({ id, unread: !session.unread })}>
        {session.unread ? "Mark as read" : "Mark as unread"}
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

const ITEM = "flex h-7 items-center gap-2 rounded-md px-2 outline-none data-[highlighted]:bg-hover";

function Item({ icon, danger = false, onSelect, children }: { icon: ReactNode; danger?: boolean; onSelect: () => void; children: ReactNode }) {
  return (
    <ContextMenu.Item onSelect={onSelect} className={cn(ITEM, danger && "text-bad")}>
      <span className={danger ? "" : "text-faint"}>{icon}</span>
      {children}
    </ContextMenu.Item>
  );
}
