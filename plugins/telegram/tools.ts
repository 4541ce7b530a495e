/** What the agent can do of its own accord: write to a conversation it knows, and see which there are. */

import type { KataPluginApi } from "@kata-agents/plugin-sdk";

const CHANNEL = "telegram";

interface SendArgs {
  to: string;
  text: string;
  thread?: string;
}

export function registerTools(api: KataPluginApi): void {
  api.registerTool<SendArgs>({
    name: "send_telegram_message",
    description: "Sends a message to a Telegram chat, of your own accord. Not for the answer to a message: that is sent by itself.",
    parameters: {
      type: "object",
      properties: {
        to: { type: "string", description: "Name or id of a chat, as list_telegram_conversations gives them." },
        text: { type: "string", description: "Markdown." },
        thread: { type: "string", description: "Id of a topic in a group with topics." },
      },
      required: ["to", "text"],
      additionalProperties: false,
    },
    execute: async ({ to, text, thread }, ctx) => {
      await ctx.channels.send(CHANNEL, { to, text, ...(thread === undefined ? {} : { thread }) });
      return `The message to ${to} is on its way.`;
    },
  });
  api.registerTool({
    name: "list_telegram_conversations",
    description: "Lists the Telegram chats you may write to.",
    parameters: { type: "object", properties: {}, additionalProperties: false },
    readOnly: true,
    execute: async (_, ctx) => {
      const known = await ctx.channels.conversations(CHANNEL);
      if (known.length === 0) return "No chat is known yet: somebody must write to the bot first.";
      return known.map(({ id, name, chatType }) => `${name} (${chatType}, id ${id})`).join("\n");
    },
  });
}
