/** One row of a transcript. */
import { Brain, ChevronRight, CircleAlert, Info, KeyRound, type LucideIcon, TriangleAlert } from "lucide-react";
import { memo, useState } from "react";
import { CopyButton } from "@/components/Code";
import { Markdown } from "@/components/Markdown";
import { PlanRow } from "@/features/plans/PlanRow";
import type { Message } from "@/generated/protocol";
import { cn } from "@/lib/cn";
import { clockTime, dateTime } from "@/lib/time";
import { Attachments } from "./Attachments";
import { ToolCard } from "./ToolCard";

export const MessageRow = memo(function MessageRow({ message }: { message: Message }) {
  switch (message.kind) {
    case "user":
      return <UserRow message={message} />;
    case "assistant":
      return (
        <>
          <AssistantRow text={message.content} thinking={message.thinking} intermediate={message.intermediate} timestamp={message.timestamp} growing={false} />
          <Attachments files={message.attachments} />
        </>
      );
    case "tool":
      return message.tool === null ? null : <ToolCard tool={message.tool} />;
    case "error":
      return <NoteRow icon={CircleAlert} text={message.content} className="border-bad/30 bg-bad-soft text-bad" role="alert" />;
    case "warning":
      return <NoteRow icon={TriangleAlert} text={message.content} className="border-warn/30 bg-warn-soft text-warn" />;
    case "plan":
      return <PlanRow message={message} />;
    case "auth-request":
      return <FramedRow icon={KeyRound} title="Sign-in needed" text={message.content} />;
    case "info":
    case "status":
      return (
        <p className="flex items-center justify-center gap-1.5 text-sm text-faint">
          <Info aria-hidden className="size-3.5" />
          {message.content}
        </p>
      );
  }
});

function UserRow({ message }: { message: Message }) {
  if (message.sender !== null) return <SenderRow message={message} sender={message.sender} />;
  return (
    <div data-testid="message-user" className="group flex flex-col items-end pt-3">
      {message.content !== "" && <div className="selectable max-w-[85%] rounded-2xl rounded-br-md bg-accent-soft px-3.5 py-2 text-[0.875rem] leading-[1.4375rem] [overflow-wrap:anywhere] whitespace-pre-wrap">{message.content}</div>}
      <Attachments files={message.attachments} end />
      <Stamp at={message.timestamp} />
    </div>
  );
}

/** Somebody in a channel: on the left, with a name, because it is not the person at this window. */
function SenderRow({ message, sender }: { message: Message; sender: string }) {
  return (
    <div data-testid="message-user" className="group flex gap-2.5 pt-3 pb-2">
      <span aria-hidden className="mt-0.5 flex size-6 shrink-0 items-center justify-center rounded-full bg-accent-soft text-xs font-semibold text-accent">
        {sender.slice(0, 1).toUpperCase()}
      </span>
      <div className="min-w-0">
        <p className="flex items-baseline gap-2">
          <span className="font-semibold">{sender}</span>
          {message.timestamp !== null && (
            <time title={dateTime(message.timestamp)} className="text-xs text-faint">
              {clockTime(message.timestamp)}
            </time>
          )}
        </p>
        <div className="selectable text-[0.875rem] leading-[1.4375rem] [overflow-wrap:anywhere] whitespace-pre-wrap">{message.content}</div>
        <Attachments files={message.attachments} />
      </div>
    </div>
  );
}

interface AssistantProps {
  text: string;
  thinking: string | null;
  intermediate: boolean;
  timestamp: number | null;
  growing: boolean;
}

export function AssistantRow({ text, thinking, intermediate, timestamp, growing }: AssistantProps) {
  return (
    <div data-testid="message-assistant" data-growing={growing} className={cn("group flex flex-col", intermediate ? "text-muted" : "pt-1")}>
      {thinking !== null && thinking !== "" && <Thinking text={thinking} live={growing && text === ""} />}
      {text !== "" && <Markdown text={text} />}
      {!growing && !intermediate && text !== "" && (
        <span className="mt-0.5 -ml-1 flex h-6 items-center gap-1 opacity-0 transition-opacity group-focus-within:opacity-100 group-hover:opacity-100">
          <CopyButton text={text} label="Copy answer" />
          {timestamp !== null && <span className="text-xs text-faint">{clockTime(timestamp)}</span>}
        </span>
      )}
    </div>
  );
}

export function Thinking({ text, live }: { text: string; live: boolean }) {
  const [open, setOpen] = useState(false);
  return (
    <div className="mb-1.5">
      <button type="button" aria-expanded={open} onClick={() => setOpen(!open)} className="-ml-1 flex h-6 items-center gap-1.5 rounded px-1 text-sm text-faint hover:text-ink">
        <Brain aria-hidden className={cn("size-3.5", live && "animate-[shimmer_1.2s_ease-in-out_infinite]")} />
        {live ? "Thinking…" : "Thought about it"}
        <ChevronRight aria-hidden className={cn("size-3.5 transition-transform", open && "rotate-90")} />
      </button>
      {open && <p className="selectable mt-1 border-l-2 border-line-strong pl-3 whitespace-pre-wrap text-muted">{text}</p>}
    </div>
  );
}

function NoteRow({ icon: Icon, text, className, role }: { icon: LucideIcon; text: string; className: string; role?: "alert" }) {
  return (
    <div role={role} className={cn("flex items-start gap-2 rounded-lg border px-3 py-2", className)}>
      <Icon aria-hidden className="mt-0.5 size-4 shrink-0" />
      <p className="selectable min-w-0 [overflow-wrap:anywhere]">{text}</p>
    </div>
  );
}

function FramedRow({ icon: Icon, title, text }: { icon: LucideIcon; title: string; text: string }) {
  return (
    <div className="rounded-lg border border-line">
      <p className="flex items-center gap-2 border-b border-line px-3 py-2 font-medium">
        <Icon aria-hidden className="size-4 text-accent" />
        {title}
      </p>
      <div className="px-3 py-2.5">
        <Markdown text={text} />
      </div>
    </div>
  );
}

function Stamp({ at }: { at: number | null }) {
  return (
    <span title={at === null ? undefined : dateTime(at)} className="mt-0.5 h-4 text-xs text-faint opacity-0 transition-opacity group-hover:opacity-100">
      {at === null ? "" : clockTime(at)}
    </span>
  );
}
