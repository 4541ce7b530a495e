import { definePlugin } from "@kata-agents/plugin-sdk";

export default definePlugin((api) => {
  api.registerTool<{ text: string }>({
    name: "echo",
    description: "Gives the text back unchanged.",
    parameters: {
      type: "object",
      properties: { text: { type: "string", description: "What to give back." } },
      required: ["text"],
      additionalProperties: false,
    },
    readOnly: true,
    execute: ({ text }) => text,
  });

  api.registerHook("message_received", (event, ctx) => {
    ctx.logger.info(`a message of ${event.text.length} UTF-16 units goes to ${event.session}`);
  });

  api.registerCommand({ name: "echo", description: "Gives the text back unchanged.", run: (args) => args });
});
