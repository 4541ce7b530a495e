/** How this plugin writes places and reads them back. The host compares them and never looks inside. */

import type { ReplyRoute } from "@kata-agents/plugin-sdk";
import { SendError } from "@kata-agents/plugin-sdk";
import { isSnowflake } from "./snowflake.ts";

/** The channel to write to: a thread is a channel of its own. */
export function channelOf(route: ReplyRoute): string {
  const id = route.thread ?? route.conversation;
  if (isSnowflake(id)) return id;
  throw new SendError({ code: "invalid", message: `the ${route.thread ? "thread" : "conversation"} is not one of Discord's`, certain: true });
}

/** A message's id, or `undefined` for one that is none of Discord's (an interaction's). */
export function messageOf(id: string | null | undefined): string | undefined {
  return isSnowflake(id) ? id : undefined;
}
