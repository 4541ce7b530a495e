/** The line at the foot: what the engine wants known, what just went wrong, and whether the engine is there. */
import { CircleAlert, CloudOff, Info, MessageCircleQuestion, TriangleAlert } from "lucide-react";
import { useSyncExternalStore } from "react";
import { currentNotes, dismissNote, subscribeNotes } from "@/data/notify";
import { useAct, useRead } from "@/data/operations";
import { useConnection, usePlatform } from "@/data/platform";
import type { Elicitation } from "@/generated/protocol";
import { EndBanner } from "@/features/life/EndBanner";
import { go, useRoute } from "@/lib/route";
import { Line } from "./Line";

export function StatusLine() {
  const notes = useSyncExternalStore(subscribeNotes, currentNotes);
  // An unexpected end has a line of its own.
  const notices = (useRead("system.status", {}).data?.notices ?? []).filter(({ id }) => !id.startsWith("crash:"));
  const connection = useConnection();
  const dismiss = useAct("notice.dismiss");
  const note = notes.at(-1);
  const notice = notices[0];
  return (
    <div aria-live="polite" className="shrink-0">
      {connection.kind === "offline" && (
        <Line tone="warn" icon={<CloudOff className="size-3.5" />} message={connection.reason} hint="It is tried again by itself; what you typed stays." action={<TryNow />} />
      )}
      <EndBanner />
      <Asked />
      {note !== undefined && (
        <Line
          tone={note.tone === "error" ? "bad" : "plain"}
          icon={note.tone === "error" ? <CircleAlert className="size-3.5" /> : <Info className="size-3.5" />}
          message={note.message}
          hint={note.hint}
          more={notes.length - 1}
          onDismiss={() => dismissNote(note.id)}
        />
      )}
      {notice !== undefined && (
        <Line tone="plain" icon={<TriangleAlert className="size-3.5 text-warn" />} message={notice.message} hint={notice.hint} more={notices.length - 1} onDismiss={() => dismiss.mutate({ id: notice.id })} />
      )}
    </div>
  );
}

/** A source waits for an answer in the middle of a call; the person may be anywhere. */
function Asked() {
  const questions = useRead("elicitation.list", {}).data ?? [];
  const route = useRoute();
  // Not where it is on the page already.
  const elsewhere = questions.filter(({ source }) => route.view !== "waiting" && !(route.view === "sources" && route.source === source));
  const question = elsewhere[0];
  return question === undefined ? null : <AskedLine question={question} more={elsewhere.length - 1} />;
}

function AskedLine({ question, more }: { question: Elicitation; more: number }) {
  const name = useRead("source.list", {}).data?.find((row) => row.id === question.source)?.name ?? question.source;
  const action = (
    <button type="button" data-testid="answer-question" className="shrink-0 rounded px-1.5 font-medium underline underline-offset-2 hover:no-underline" onClick={() => go({ view: "waiting" })}>
      Answer
    </button>
  );
  return <Line tone="warn" icon={<MessageCircleQuestion className="size-3.5" />} message={`${name} asks:`} hint={question.message} more={more} action={action} />;
}

function TryNow() {
  const platform = usePlatform();
  return (
    <button type="button" data-testid="try-now" className="shrink-0 rounded px-1.5 font-medium underline underline-offset-2 hover:no-underline" onClick={() => void platform.startEngine()}>
      Try now
    </button>
  );
}
