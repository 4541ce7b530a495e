/** What the agent can do of its own accord: write to conversations that a person let in. */

import type { KataPluginApi, PluginContext, ToolResult } from "@kata-agents/plugin-sdk";

interface SendArgs {
  to: string;
  text: string;
  thread?: string;
}

export function registerTools(api: KataPluginApi): void {
  api.registerTool<SendArgs>({
    name: "send_matrix_message",
    description: "Sends a message to a Matrix room or direct chat the agent may write to (see list_matrix_conversations). Answers to a message go by themselves; this is for writing elsewhere or first.",
    parameters: {
      type: "object",
      properties: {
        to: { type: "string", minLength: 1, maxLength: 255, description: "Id or name of the conversation." },
        text: { type: "string", minLength: 1, maxLength: 60_000, description: "Markdown." },
        thread: { type: "string", minLength: 1, maxLength: 255, description: "Event id of the thread's first message." },
      },
      required: ["to", "text"],
      additionalProperties: false,
    },
    execute: ({ to, text, thread }, ctx) => sendTo(ctx, { to, text, thread: thread ?? null }),
  });
  api.registerTool({
    name: "list_matrix_conversations",
    description: "Lists the Matrix rooms and direct chats the agent may write to.",
    parameters: { type: "object", properties: {}, additionalProperties: false },
    readOnly: true,
    execute: async (_, ctx) => {
      const known = await ctx.channels.conversations("matrix");
      if (known.length === 0) return "There is no conversation yet: somebody has to write first.";
      return known.map(({ name, id, chatType }) => `${name} (${chatType}): ${id}`).join("\n");
    },
  });
}

async function sendTo(ctx: PluginContext, message: { to: string; text: string; thread: string | null }): Promise<ToolResult> {
  try {
    await ctx.channels.send("matrix", message);
    return "Queued; it is sent in order and tried again if need be.";
  } catch (error) {
    const code: unknown = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "forbidden") return { text: "That conversation is not known, or may not be written to. list_matrix_conversations names those that may.", isError: true };
    if (code === "ambiguous") return { text: "Two conversations have that name; use the id.", isError: true };
    throw error;
  }
}
