/**
 * Reads over REST what was written while nobody listened, from the last message the host has: at most 200 messages of a
 * conversation, none older than a day, oldest first.
 */

import { ApiError, NetworkError, pause, type Rest } from "./rest.ts";
import { after, idAt } from "./snowflake.ts";
import type { Message } from "./types.ts";

const MAX_MESSAGES = 200;
const MAX_AGE_MS = 24 * 3600 * 1000;
const PAGE = 100;
const TRIES = 5;

/** The messages after `last`, oldest first. Nothing where the bot may not read, or the channel is gone. */
export async function missed(rest: Rest, channel: string, last: string, signal: AbortSignal): Promise<Message[]> {
  const floor = idAt(Date.now() - MAX_AGE_MS);
  let from = after(floor, last) ? floor : last;
  const found: Message[] = [];
  while (found.length < MAX_MESSAGES && !signal.aborted) {
    const limit = Math.min(PAGE, MAX_MESSAGES - found.length);
    const page = await ask(rest, `/channels/${channel}/messages?after=${from}&limit=${limit}`, signal);
    if (page === undefined) return [];
    // Newest first in the answer. What is not after the cursor would make this loop for ever.
    const fresh = page.filter((message) => after(message.id, from)).sort((a, b) => (after(a.id, b.id) ? 1 : -1));
    const newest = fresh.at(-1);
    if (newest === undefined) break;
    found.push(...fresh);
    from = newest.id;
    if (page.length < limit) break;
  }
  return found;
}

async function ask(rest: Rest, path: string, signal: AbortSignal): Promise<Message[] | undefined> {
  for (let tried = 1; ; tried += 1) {
    try {
      const answer = await rest.get<unknown>(path, { signal });
      return Array.isArray(answer) ? (answer as Message[]) : [];
    } catch (error) {
      if (error instanceof ApiError && (error.status === 403 || error.status === 404)) return undefined;
      const passes = error instanceof NetworkError || (error instanceof ApiError && (error.status === 429 || error.status >= 500));
      if (!passes || tried === TRIES || signal.aborted) throw error;
      await pause((error instanceof ApiError ? error.retryAfterMs : undefined) ?? 500 * 2 ** (tried - 1), signal);
    }
  }
}
