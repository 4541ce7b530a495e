import { definePlugin } from "@kata-agents/plugin-sdk";

/** What the model writes; the host checks it against `parameters` before it calls. */
interface Args {
  text: string;
}

export default definePlugin((api) => {
  api.registerTool<Args>({
    name: "{{id}}",
    // The model chooses a tool by this sentence: say what it does and when it helps.
    description: "Counts the words, lines and characters of a text.",
    parameters: {
      type: "object",
      properties: { text: { type: "string", description: "The text to count in." } },
      required: ["text"],
      additionalProperties: false,
    },
    // It changes nothing anywhere, so it runs without asking. Take this away when that is no longer true.
    readOnly: true,
    execute: ({ text }) => {
      const words = text.split(/\s+/).filter((word) => word !== "").length;
      const lines = text === "" ? 0 : text.split("\n").length;
      return `${words} words, ${lines} lines, ${[...text].length} characters`;
    },
  });
});
