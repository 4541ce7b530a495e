/** What the agent can do here of its own accord. Which conversations it may write to is the host's to say. */

import type { Tool } from "@kata-agents/plugin-sdk";
import { fields } from "./json.ts";

const CHANNEL = "slack";

interface SendArgs {
  to: string;
  text: string;
  thread?: string;
}

export const sendTool: Tool<SendArgs> = {
  name: "send_slack_message",
  description: "Writes a message as the bot to a Slack conversation that a person has let in. list_slack_conversations says which those are.",
  parameters: {
    type: "object",
    properties: {
      to: { type: "string", description: "Id or name of the conversation, as list_slack_conversations gives it." },
      text: { type: "string", description: "The message, in Markdown." },
      thread: { type: "string", description: "A thread in it, by its first message's ts, such as 1712345678.123456. Left out: the conversation itself." },
    },
    required: ["to", "text"],
    additionalProperties: false,
  },
  async execute({ to, text, thread }, ctx) {
    try {
      await ctx.channels.send(CHANNEL, { to, text, ...(thread === undefined ? {} : { thread }) });
      return `The message to ${to} is on its way.`;
    } catch (error) {
      const code = fields(error)?.["code"];
      if (code === "forbidden") return { text: `“${to}” is none of the conversations you may write to. list_slack_conversations says which those are.`, isError: true };
      if (code === "ambiguous") return { text: `Several conversations are called “${to}”. Use the id that list_slack_conversations gives.`, isError: true };
      throw error;
    }
  },
};

export const listTool: Tool<Record<string, never>> = {
  name: "list_slack_conversations",
  description: "Says which Slack conversations you may write to: id, name and kind, one to a line.",
  parameters: { type: "object", properties: {}, additionalProperties: false },
  readOnly: true,
  async execute(_, ctx) {
    const known = await ctx.channels.conversations(CHANNEL);
    if (known.length === 0) return "None so far: a person who was let in has to write to the bot first.";
    return known.map(({ id, name, chatType }) => `${id}\t${name}\t${chatType}`).join("\n");
  },
};
