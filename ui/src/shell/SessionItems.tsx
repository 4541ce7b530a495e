/** What can be done with the session that is open, in the palette. */
import { Download, Flag, Mail, ShieldCheck } from "lucide-react";
import { useAct } from "@/data/operations";
import { MODES } from "@/features/chat/ComposerFooter";
import { titleOf } from "@/features/sessions/title";
import { useExport } from "@/features/sessions/useExport";
import { useSessionActions } from "@/features/sessions/useSessionActions";
import { useWorkspace } from "@/data/workspace";
import { useSessionList } from "@/data/sessionList";
import type { PermissionMode, SessionSummary } from "@/generated/protocol";
import { useRoute } from "@/lib/route";
import { Item } from "./PaletteItem";

type Run = (act: () => void) => () => void;

export function SessionItems({ run }: { run: Run }) {
  const route = useRoute();
  const { workspace } = useWorkspace();
  const filter = route.view === "sessions" ? route.filter.by : null;
  const list = useSessionList({ workspace: workspace?.id ?? null, search: "", archived: filter === "archived", channel: filter === "archived" ? null : filter === "channels" });
  const session = route.view === "sessions" ? list.data?.find((row) => row.id === route.session) : undefined;
  return session === undefined ? null : <Items session={session} run={run} />;
}

function Items({ session, run }: { session: SessionSummary; run: Run }) {
  const { id } = session;
  const { mutate: update } = useAct("session.update");
  const { actions } = useSessionActions(session);
  const { save } = useExport();
  const { workspace } = useWorkspace();
  const of = `session ${titleOf(session)}`;
  return (
    <>
      <Item icon={Flag} value={`flag ${of}`} onSelect={run(() => update({ id, flagged: !session.flagged }))}>
        {session.flagged ? "Remove the flag" : "Flag this session"}
      </Item>
      <Item icon={Mail} value={`unread ${of}`} onSelect={run(() => update({ id, unread: !session.unread }))}>
        {session.unread ? "Mark as read" : "Mark as unread"}
      </Item>
      <Item icon={Download} value={`export markdown ${of}`} onSelect={run(() => void save(id, "markdown"))}>
        Export this session as Markdown
      </Item>
      <Item icon={Download} value={`export json ${of}`} onSelect={run(() => void save(id, "json"))}>
        Export this session as JSON
      </Item>
      {(Object.keys(MODES) as PermissionMode[])
        .filter((mode) => mode !== session.mode)
        .map((mode) => (
          <Item key={mode} icon={ShieldCheck} value={`permission ${MODES[mode].label} ${of}`} onSelect={run(() => update({ id, mode }))}>
            Permission: {MODES[mode].label}
          </Item>
        ))}
      {session.channel === null &&
        workspace?.statuses
          .filter((status) => status.id !== (session.status ?? "todo"))
          .map((status) => (
            <Item key={status.id} icon={Flag} value={`status ${status.label} ${of}`} onSelect={run(() => update({ id, status: status.id }))}>
              Status: {status.label}
            </Item>
          ))}
      {actions
        .filter(({ danger }) => !danger)
        .filter(({ name }) => !name.endsWith("…"))
        .map(({ name, icon, run: act }) => (
          <Item key={name} icon={icon} value={`${name} ${of}`} onSelect={run(act)}>
            {name}
          </Item>
        ))}
    </>
  );
}
