/** `threading`: how threads work there. */

/** Knows how threads work at the platform. Data only: read once, when the channel is registered. */
export interface ThreadingAdapter {
  /** Whether a thread is a session of its own or shares the conversation's. */
  sessionScope: "thread" | "conversation";
  /** Whether an answer in a group quotes the message it answers. */
  quoteReplies: boolean;
}
