/** Knows how threads work at the platform; data only. */
export interface ThreadingAdapter {
  /** Whether a thread is a session of its own or shares the conversation's. */
  sessionScope: "thread" | "conversation";
  /** Whether an answer in a group quotes the message it answers. */
  quoteReplies: boolean;
}
