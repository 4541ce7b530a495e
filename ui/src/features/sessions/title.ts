import type { SessionSummary } from "@/generated/protocol";

/** What a session is called: its name, else its first words. */
export const titleOf = (session: SessionSummary): string => session.name ?? session.preview ?? "New session";
