/** The orders the host takes, in the menu of the bot. */

import type { PluginContext } from "@kata-agents/plugin-sdk";
import { messageOf as text } from "@kata-agents/plugin-sdk/sending";
import { type BotApi, isTrouble } from "./api.ts";

const ORDERS = [
  { command: "new", description: "Begin a new conversation" },
  { command: "stop", description: "Stop the work that runs" },
  { command: "status", description: "Say what runs here" },
  { command: "approve", description: "Allow what was asked: /approve CODE" },
  { command: "deny", description: "Refuse what was asked: /deny CODE" },
] as const;

const KEY = "orders";

/** Tells Telegram once; a list a person has set with @BotFather since is not written over. */
export async function announceOrders(api: BotApi, ctx: PluginContext): Promise<void> {
  const list = JSON.stringify(ORDERS);
  if ((await ctx.state.get(KEY)) === list) return;
  try {
    await api.call("setMyCommands", { commands: ORDERS }, { signal: ctx.signal, timeoutMs: 10_000 });
  } catch (error) {
    if (!isTrouble(error)) throw error;
    // A menu is a convenience: the next start tries again.
    ctx.logger.debug(`the bot's menu was not set: ${text(error)}`);
    return;
  }
  await ctx.state.set(KEY, list);
}
