/** Routing in words, and the order in which bindings are asked. */
import type { Binding, BindingMatch, ChatType, OverlapPolicy, PermissionMode, RefusalCode, SessionScope, WhenFull } from "@/generated/protocol";

export const CHAT_TYPES: Record<ChatType, string> = { direct: "Direct", group: "Group", channel: "Channel" };

export const SCOPES: Record<SessionScope, { name: string; note: string }> = {
  thread: { name: "Each thread", note: "One session for the conversation, and one for each thread in it." },
  conversation: { name: "Each conversation", note: "One session for the conversation with all its threads." },
  sender: { name: "Each sender", note: "One session for each person in the conversation." },
  person: { name: "Each known person", note: "One session for a person’s direct conversations over all channels." },
};

export const OVERLAPS: Record<OverlapPolicy, { name: string; note: string }> = {
  queue: { name: "Wait", note: "Each gets a turn of its own, after the present one." },
  steer: { name: "Steer", note: "Goes into the present turn, between tool calls." },
  collect: { name: "Collect", note: "Those that come within the pause are one input." },
  interrupt: { name: "Interrupt", note: "Stops the present turn first." },
  drop: { name: "Refuse", note: "Not taken while the agent works; counted as refused." },
};

export const WHEN_FULL: Record<WhenFull, string> = { refuse_new: "The newest is refused", refuse_old: "The oldest is refused" };

export const MODE_NAMES: Record<PermissionMode, string> = { safe: "Read only", ask: "Ask first", "allow-all": "Allow all" };

export const REFUSALS: Record<RefusalCode, string> = {
  too_large: "Too long",
  pairing_required: "Not paired yet",
  not_allowed: "Not on the list",
  channel_off: "The channel takes none",
  not_mentioned: "Did not address the bot",
  loop: "A bot, or our own echo",
  rate_limited: "Too many",
  blocked_by_hook: "Stopped by a hook",
  busy: "The agent was at work",
  queue_full: "Too many waited",
};

/** The router’s order, the most particular part first: a binding that names it is asked before one that does not. */
export const PRECEDENCE: readonly { part: keyof BindingMatch; name: string }[] = [
  { part: "thread", name: "thread" },
  { part: "conversation", name: "conversation" },
  { part: "sender", name: "sender" },
  { part: "person", name: "person" },
  { part: "chatType", name: "kind" },
  { part: "account", name: "account" },
  { part: "channel", name: "channel" },
];

const weight = ({ match = {} }: Binding): number => PRECEDENCE.reduce((sum, { part }, i) => sum + (match[part] == null ? 0 : 2 ** (PRECEDENCE.length - i)), 0);

export const inOrder = (bindings: readonly Binding[]): Binding[] => bindings.toSorted((a, b) => weight(b) - weight(a) || (a.id < b.id ? -1 : 1));

/** What it takes, in one line. */
export function matchWords({ channel, account, chatType, conversation, thread, sender, person }: BindingMatch): string {
  const parts = [
    channel,
    account == null ? null : `account ${account}`,
    chatType == null ? null : `${CHAT_TYPES[chatType].toLowerCase()} only`,
    conversation == null ? null : `conversation ${conversation}`,
    thread == null ? null : `thread ${thread}`,
    sender == null ? null : `from ${sender}`,
    person == null ? null : `from ${person}`,
  ].filter((part): part is string => part != null);
  return parts.length === 0 ? "Every message" : parts.join(" · ");
}
