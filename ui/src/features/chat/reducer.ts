/**
 * What a chat shows, as a pure function over the session's events. Text that still grows stays apart from the rows, so that
 * a delta never copies a transcript of 10,000 rows.
 */
import type {
  Approval,
  Message,
  MessageId,
  SessionDetail,
  SessionEvent,
  SessionState,
  TokenUsage,
  TurnEnd,
  TurnId,
  WireError,
} from "@/generated/protocol";
import type { LocalNote } from "./commands";

/** Notes kept in a chat; the oldest go. */
const NOTES_MAX = 50;

/** A row that the model is still writing. */
export interface Growing {
  id: MessageId;
  text: string;
  thinking: string;
}

export interface Chat {
  loaded: boolean;
  messages: readonly Message[];
  /** Rows before the first one here. */
  earlier: number;
  growing: Growing | null;
  approvals: readonly Approval[];
  state: SessionState;
  usage: TokenUsage;
  queued: number;
  turn: { id: TurnId; model: string } | null;
  retry: { attempt: number; waitMs: number; reason: string } | null;
  lastEnd: { end: TurnEnd; error: WireError | null } | null;
  /** Rows that came by event while the transcript is on its way, newer than it; null when none is on its way. */
  fresh: ReadonlyMap<MessageId, Message> | null;
  /** What commands said; kept over a new reading of the transcript, not over a new window. */
  notes: readonly LocalNote[];
}

export type ChatAction =
  | { type: "loading" }
  | { type: "loaded"; detail: SessionDetail }
  | { type: "earlier"; detail: SessionDetail }
  | { type: "event"; event: SessionEvent }
  | { type: "note"; note: LocalNote };

export const EMPTY_CHAT: Chat = {
  loaded: false,
  messages: [],
  earlier: 0,
  growing: null,
  approvals: [],
  state: "idle",
  usage: {},
  queued: 0,
  turn: null,
  retry: null,
  lastEnd: null,
  fresh: null,
  notes: [],
};

export function reduceChat(chat: Chat, action: ChatAction): Chat {
  switch (action.type) {
    case "loading":
      return { ...chat, fresh: new Map() };
    case "loaded":
      return load(chat, action.detail);
    case "earlier":
      return readBack(chat, action.detail);
    case "event":
      return take(chat, action.event);
    case "note":
      return { ...chat, notes: [...chat.notes.filter(({ id }) => id !== action.note.id), action.note].slice(-NOTES_MAX) };
  }
}

function load(chat: Chat, detail: SessionDetail): Chat {
  let messages: readonly Message[] = detail.messages;
  for (const message of chat.fresh?.values() ?? []) messages = withMessage(messages, message);
  const growing = chat.growing !== null && messages.some((row) => row.id === chat.growing?.id) ? null : chat.growing;
  return {
    ...chat,
    loaded: true,
    messages,
    earlier: detail.earlier,
    growing: detail.state === "idle" ? null : growing,
    approvals: detail.approvals,
    state: detail.state,
    usage: detail.summary.usage,
    fresh: null,
  };
}

/** Rows from before the first one here. One that is here already is not taken twice. */
function readBack(chat: Chat, { messages, earlier }: SessionDetail): Chat {
  const known = new Set(chat.messages.map(({ id }) => id));
  const before = messages.filter(({ id }) => !known.has(id));
  return { ...chat, messages: [...before, ...chat.messages], earlier: before.length === 0 ? 0 : earlier };
}

function take(chat: Chat, event: SessionEvent): Chat {
  switch (event.kind) {
    case "state":
      return { ...chat, state: event.state, ...(event.state === "idle" ? { queued: 0, retry: null, growing: null } : {}) };
    case "message":
      return keep(chat, event.message);
    case "queued":
      return { ...chat, queued: event.depth };
    case "turn_started":
      return { ...chat, turn: { id: event.turn, model: event.model }, lastEnd: null, queued: Math.max(0, chat.queued - 1) };
    case "text_delta":
      return { ...chat, retry: null, growing: grow(chat, event.message, event.text, "") };
    case "thinking_delta":
      return { ...chat, retry: null, growing: grow(chat, event.message, "", event.text) };
    case "message_reset":
      return chat.growing?.id === event.message ? { ...chat, growing: null } : chat;
    case "model_retry":
      return { ...chat, retry: { attempt: event.attempt, waitMs: event.waitMs, reason: event.reason } };
    case "approval_requested":
      return { ...chat, approvals: [...chat.approvals.filter(({ call }) => call.callId !== event.approval.call.callId), event.approval] };
    case "approval_resolved":
      return { ...chat, approvals: chat.approvals.filter(({ call }) => call.callId !== event.callId) };
    case "usage":
      return { ...chat, usage: event.usage };
    case "turn_ended":
      return { ...chat, turn: null, retry: null, growing: null, lastEnd: { end: event.end, error: event.error } };
  }
}

function keep(chat: Chat, message: Message): Chat {
  const growing = chat.growing?.id === message.id ? null : chat.growing;
  const fresh = chat.fresh === null ? null : new Map(chat.fresh).set(message.id, message);
  return { ...chat, messages: withMessage(chat.messages, message), growing, fresh, retry: null };
}

function grow(chat: Chat, id: MessageId, text: string, thinking: string): Growing {
  const before = chat.growing?.id === id ? chat.growing : { id, text: "", thinking: "" };
  return { id, text: before.text + text, thinking: before.thinking + thinking };
}

/** Replaces the row of the same id, or adds it at the end. Looks from the end: that is where things change. */
function withMessage(messages: readonly Message[], message: Message): readonly Message[] {
  const at = messages.findLastIndex((row) => row.id === message.id);
  if (at === -1) return [...messages, message];
  return messages.with(at, message);
}

/** The rows in order: each note below the message it was asked for after. Without notes they are the messages themselves. */
export function rowsOf(chat: Pick<Chat, "messages" | "notes">): readonly (Message | LocalNote)[] {
  if (chat.notes.length === 0) return chat.messages;
  const known = new Set(chat.messages.map(({ id }) => id));
  const below = new Map<MessageId | null, LocalNote[]>();
  for (const note of chat.notes) {
    const place = note.after !== null && known.has(note.after) ? note.after : null;
    below.set(place, [...(below.get(place) ?? []), note]);
  }
  return [...(below.get(null) ?? []), ...chat.messages.flatMap((message) => [message, ...(below.get(message.id) ?? [])])];
}

export const isBusy = (state: SessionState): boolean => state !== "idle" && state !== "failed";

/**
 * Whether the last input may be run again: its turn failed or was stopped, and nothing runs. In a channel an agent may have
 * had nothing to say, so an input without an answer is no failure there.
 */
export function canResend(chat: Chat, channel: boolean): boolean {
  if (!chat.loaded || isBusy(chat.state)) return false;
  if (chat.lastEnd !== null) return chat.lastEnd.end !== "completed";
  const last = chat.messages.at(-1);
  return last !== undefined && (last.kind === "error" || (last.kind === "user" && !channel));
}
