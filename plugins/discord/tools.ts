/** What the agent can do here of its own accord. Which conversations it may write to is the host's to say. */

import type { Tool } from "@kata-agents/plugin-sdk";

const CHANNEL = "discord";

interface SendArgs {
  to: string;
  text: string;
  thread?: string;
}

export const sendTool: Tool<SendArgs> = {
  name: "send_discord_message",
  description: "Sends a message to a Discord conversation the person has let in, as the bot. Use list_discord_conversations to see which there are.",
  parameters: {
    type: "object",
    properties: {
      to: { type: "string", description: "Id or name of the conversation, as listed." },
      text: { type: "string", description: "Markdown." },
      thread: { type: "string", description: "Id of a thread in it." },
    },
    required: ["to", "text"],
    additionalProperties: false,
  },
  execute: async ({ to, text, thread }, ctx) => {
    try {
      await ctx.channels.send(CHANNEL, { to, text, ...(thread === undefined ? {} : { thread }) });
      return `Queued for ${to}.`;
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : undefined;
      if (code === "forbidden") return { text: `“${to}” is not a conversation you may write to; list_discord_conversations lists those.`, isError: true };
      if (code === "ambiguous") return { text: `More than one conversation is called “${to}”; use the id from list_discord_conversations.`, isError: true };
      throw error;
    }
  },
};

export const listTool: Tool<Record<string, never>> = {
  name: "list_discord_conversations",
  description: "Lists the Discord conversations you may write to: id, name, kind.",
  parameters: { type: "object", properties: {}, additionalProperties: false },
  readOnly: true,
  execute: async (_, ctx) => {
    const known = await ctx.channels.conversations(CHANNEL);
    if (known.length === 0) return "There are none yet: somebody has to write to the bot first.";
    return known.map(({ id, name, chatType }) => `${id}\t${name}\t${chatType}`).join("\n");
  },
};
