/** The rows of a chat. Only those in sight are in the page; the end stays in sight while text grows, unless the person scrolled away. */
import { useVirtualizer } from "@tanstack/react-virtual";
import { ArrowDown, RotateCcw } from "lucide-react";
import { type ReactNode, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { Button } from "@/components/Button";
import type { Message, MessageId, MessageKind } from "@/generated/protocol";
import { cn } from "@/lib/cn";
import type { LocalNote } from "./commands";
import { LocalNoteRow } from "./LocalNoteRow";
import { AssistantRow, MessageRow } from "./MessageRow";
import { type Chat, isBusy, rowsOf } from "./reducer";
import { useStickToEnd } from "./useStickToEnd";

const ESTIMATE: Partial<Record<MessageKind, number>> = { user: 76, assistant: 150, tool: 40 };
const END_PX = 48;
const estimateOf = (row: Message | LocalNote | undefined): number => (row === undefined ? 40 : "kind" in row ? (ESTIMATE[row.kind] ?? 48) : 90);

/** This near to the top, what came before is read. */
const BACK_PX = 1_200;

interface TranscriptProps {
  chat: Chat;
  /** Row to go to; read back for where it is not here yet. */
  target: MessageId | null;
  onReadBack: () => void;
  /** Whether the last input may be sent again. */
  resendable: boolean;
  onResend: () => void;
}

export function Transcript({ chat, target, onReadBack, resendable, onResend }: TranscriptProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const [away, setAway] = useState(false);
  const tail = tailOf(chat, resendable, onResend);
  const { messages, notes } = chat;
  const listed = useMemo(() => rowsOf({ messages, notes }), [messages, notes]);
  const tailKey = tail?.key ?? "";

  // Stable from delta to delta: a new function here makes the virtualizer look at all 10,000 rows again.
  const estimateSize = useCallback((i: number) => estimateOf(listed[i]), [listed]);
  const getItemKey = useCallback((i: number) => listed[i]?.id ?? tailKey, [listed, tailKey]);
  const rows = useVirtualizer({
    count: listed.length + (tail === null ? 0 : 1),
    getScrollElement: () => scroller.current,
    estimateSize,
    getItemKey,
    overscan: 6,
    gap: 10,
    paddingStart: 16,
    paddingEnd: 20,
    anchorTo: "end",
    followOnAppend: true,
    scrollEndThreshold: END_PX,
    onChange: (instance) => setAway(!instance.isAtEnd(END_PX * 3)),
  });

  const { scrollToEnd } = rows;
  const toEnd = useCallback(() => scrollToEnd(), [scrollToEnd]);
  const stick = useStickToEnd({ scroller, revision: `${listed.length} ${tailKey}`, near: END_PX, toEnd });
  useTarget({ listed, target, missing: chat.earlier > 0, onReadBack, letGo: stick.letGo, scrollTo: rows.scrollToIndex });
  const onScroll = () => {
    stick.onScroll();
    if (chat.earlier > 0 && (scroller.current?.scrollTop ?? BACK_PX) < BACK_PX) onReadBack();
  };

  return (
    <div className="relative h-full">
      <div
        ref={scroller}
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a scroll area without links must still scroll by keyboard
        tabIndex={0}
        role="log"
        aria-label="Conversation"
        aria-busy={isBusy(chat.state)}
        onScroll={onScroll}
        className="h-full overflow-y-auto [overflow-anchor:none] focus-visible:-outline-offset-2"
      >
        <div className="relative mx-auto w-full max-w-(--chat)" style={{ height: rows.getTotalSize() }}>
          {rows.getVirtualItems().map((item) => {
            const row = listed[item.index];
            return (
              <div key={item.key} ref={rows.measureElement} data-index={item.index} className={cn("absolute top-0 left-0 w-full px-6", row !== undefined && row.id === target && TARGET)} {...(row?.id === target ? { "data-testid": "message-target" } : {})} style={{ transform: `translateY(${item.start}px)` }}>
                {row === undefined ? tail?.node : "kind" in row ? <MessageRow message={row} /> : <LocalNoteRow note={row} />}
              </div>
            );
          })}
        </div>
      </div>
      {away && (
        <Button className="absolute bottom-3 left-1/2 -translate-x-1/2 rounded-full shadow-pop" icon={<ArrowDown className="size-3.5" />} onClick={() => rows.scrollToEnd({ behavior: "smooth" })}>
          Newest
        </Button>
      )}
    </div>
  );
}

/** A frame around the row that was looked for. */
const TARGET = "after:pointer-events-none after:absolute after:inset-x-3 after:-inset-y-1 after:rounded-lg after:ring-2 after:ring-accent/60";

interface Target {
  listed: readonly { id: string }[];
  target: MessageId | null;
  missing: boolean;
  onReadBack: () => void;
  letGo: () => void;
  scrollTo: (index: number, options: { align: "center" }) => void;
}

/** Goes to the row once, as soon as it is there. */
function useTarget({ listed, target, missing, onReadBack, letGo, scrollTo }: Target): void {
  const reached = useRef<MessageId | null>(null);
  useEffect(() => {
    if (target === null || reached.current === target) return;
    const at = listed.findIndex(({ id }) => id === target);
    if (at === -1) {
      if (missing) onReadBack();
      return;
    }
    reached.current = target;
    letGo();
    scrollTo(at, { align: "center" });
  }, [listed, target, missing, onReadBack, letGo, scrollTo]);
}

interface Tail {
  key: string;
  node: ReactNode;
}

/** What follows the stored rows: text that grows, what is being waited for, and the way out of a failure. */
function tailOf(chat: Chat, resendable: boolean, onResend: () => void): Tail | null {
  const { growing, retry } = chat;
  if (growing !== null) {
    return { key: growing.id, node: <AssistantRow text={growing.text} thinking={growing.thinking} intermediate={false} timestamp={null} growing /> };
  }
  if (retry !== null) return { key: "retry", node: <Working words={`${retry.reason} Asking again (attempt ${retry.attempt + 1}).`} /> };
  if (isBusy(chat.state)) return { key: "working", node: <Working words={WORKING[chat.state] ?? "Working"} /> };
  if (resendable) return { key: "resend", node: <Resend onResend={onResend} interrupted={chat.lastEnd?.end === "interrupted"} /> };
  return null;
}

const WORKING: Partial<Record<Chat["state"], string>> = {
  preparing: "Getting ready",
  streaming: "Waiting for the model",
  running_tools: "Running a tool",
  awaiting_approval: "Waiting for your answer",
  stopping: "Stopping",
};

function Working({ words }: { words: string }) {
  return (
    <p role="status" className="flex min-h-6 items-center gap-2 text-muted">
      <span aria-hidden className="flex gap-1">
        {[0, 1, 2].map((i) => (
          <span key={i} className="size-1.5 animate-[shimmer_1.2s_ease-in-out_infinite] rounded-full bg-accent" style={{ animationDelay: `${i * 160}ms` }} />
        ))}
      </span>
      {words}
    </p>
  );
}

function Resend({ onResend, interrupted }: { onResend: () => void; interrupted: boolean }) {
  return (
    <p className="flex items-center gap-3 text-muted">
      <Button icon={<RotateCcw className="size-3.5" />} onClick={onResend}>
        Resend
      </Button>
      {interrupted ? "You stopped this turn." : "This turn did not finish."}
    </p>
  );
}
