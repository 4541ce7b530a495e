/** One session: its conversation, what waits for an answer, and the composer. */
import { MessageSquareText } from "lucide-react";
import { useEffect, useMemo, useState } from "react";
import { Empty, Failure, SkeletonRows } from "@/components/states";
import { useAct, useRead } from "@/data/operations";
import { useConnection, useMay } from "@/data/platform";
import type { Delivery, SessionSummary } from "@/generated/protocol";
import { newKey } from "@/lib/key";
import { Approvals } from "./Approvals";
import { SessionOfRows } from "./Attachments";
import { ChatHeader } from "./ChatHeader";
import { commandOf } from "./commands";
import { Composer } from "./Composer";
import { ComposerFooter } from "./ComposerFooter";
import { DemoBanner } from "./DemoBanner";
import { Inspector } from "./Inspector";
import { canResend, isBusy } from "./reducer";
import { Transcript } from "./Transcript";
import { useChat } from "./useChat";
import { encoded } from "./useFiles";
import { useCommands, useRunCommand } from "./useCommands";

const INSPECTOR_KEY = "kata.inspector";

interface ChatViewProps {
  session: SessionSummary;
  /** Row to go to, as a search found it. */
  message?: string | null;
}

/** Where there is too little room for both, the details lie over the conversation. */
const over = (): boolean => window.matchMedia?.("(max-width: 1100px)").matches === true;

export function ChatView({ session, message = null }: ChatViewProps) {
  const { id } = session;
  const { chat, error, reload, readBack } = useChat(id);
  const [inspecting, setInspecting] = useState(() => localStorage.getItem(INSPECTOR_KEY) === "open" && !over());
  const system = useRead("system.status", {}).data;
  const submit = useAct("session.submit");
  const interrupt = useAct("session.interrupt");
  const resend = useAct("session.resend");
  const update = useAct("session.update", { quiet: true });
  const offline = useConnection().kind !== "online";
  const mayWrite = useMay("session.submit");
  const busy = isBusy(chat.state);
  const commands = useCommands(id);
  const run = useRunCommand();
  const { mutate: markRead } = update;
  const { mutate: stop } = interrupt;

  useEffect(() => {
    if (session.unread && mayWrite && document.hasFocus()) markRead({ id, unread: false });
  }, [id, session.unread, mayWrite, markRead]);

  useEffect(() => {
    if (!busy) return;
    const onKey = (event: KeyboardEvent) => {
      // A menu or a dialog that is open takes Esc for itself.
      if (event.key === "Escape" && !event.defaultPrevented && document.querySelector("[role=menu],[role=dialog]") === null) stop({ id });
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [busy, id, stop]);

  const send = async (text: string, delivery: Delivery, files: readonly File[]): Promise<boolean> => {
    const found = files.length === 0 ? commandOf(commands, text) : null;
    if (found !== null) {
      void run(id, found.command, found.args);
      return true;
    }
    try {
      const attachments = await Promise.all(files.map(encoded));
      await submit.mutateAsync({ id, text, idempotencyKey: newKey(), ...(busy ? { delivery } : {}), ...(attachments.length > 0 ? { attachments } : {}) });
      return true;
    } catch {
      // The status line says why; the composer keeps the text.
      return false;
    }
  };

  const toggleInspector = () => {
    localStorage.setItem(INSPECTOR_KEY, inspecting ? "" : "open");
    setInspecting(!inspecting);
  };
  /** Details that lie over the conversation go when somebody turns to it. */
  const turnedTo = () => {
    if (inspecting && over()) setInspecting(false);
  };

  const files = useMemo(() => chat.messages.flatMap((row) => row.attachments ?? []), [chat.messages]);
  const scripted = system?.model?.settings.kind === "demo" && session.model === null;
  return (
    <section data-pane="content" aria-label="Chat" className="relative flex min-w-0 flex-1 bg-ground">
      <div className="flex min-w-0 flex-1 flex-col">
        <ChatHeader session={session} state={chat.state} inspecting={inspecting} onInspect={toggleInspector} />
        {scripted && <DemoBanner />}
        <div className="min-h-0 flex-1" onFocus={turnedTo}>
          {error !== null && !chat.loaded ? (
            <Failure error={error} onRetry={reload} />
          ) : !chat.loaded ? (
            <SkeletonRows rows={5} className="mx-auto max-w-(--chat) px-6 pt-8" />
          ) : chat.messages.length === 0 && chat.notes.length === 0 && chat.growing === null && !busy ? (
            <Empty icon={MessageSquareText} title="What shall it do?">
              Write below. Enter sends, Shift+Enter starts a new line, / shows the commands.
            </Empty>
          ) : (
            <SessionOfRows value={id}>
              <Transcript key={id} chat={chat} target={message} onReadBack={readBack} resendable={canResend(chat, session.channel !== null)} onResend={() => resend.mutate({ id })} />
            </SessionOfRows>
          )}
        </div>
        <div className="mx-auto w-full max-w-(--chat) px-6 pb-4" onFocus={turnedTo}>
          <Approvals approvals={chat.approvals} />
          {!mayWrite && (
            <p data-testid="read-only" className="mb-2 rounded-lg bg-sunken px-3 py-2 text-sm text-muted">
              This device may look, not write. Pair it again with more rights to answer from here.
            </p>
          )}
          <Composer
            key={id}
            session={session}
            busy={busy}
            queued={chat.queued}
            disabled={offline || !mayWrite}
            commands={commands}
            onSend={send}
            onStop={() => stop({ id })}
            footer={<ComposerFooter session={session} turnModel={chat.turn?.model ?? null} usage={chat.usage} />}
          />
        </div>
      </div>
      {inspecting && (
        <SessionOfRows value={id}>
          <Inspector session={session} usage={chat.usage} files={files} />
        </SessionOfRows>
      )}
    </section>
  );
}
