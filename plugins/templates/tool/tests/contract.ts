// Run it with `kata plugins check`. It runs in the same sandbox as the plugin itself.
import { load, toolContract } from "@kata-agents/plugin-sdk/testing";
import plugin from "../index.ts";

export default toolContract<{ text: string }>("{{id}}", async () => (await load(plugin)).tool("{{id}}"), {
  examples: [
    { args: { text: "one two\nthree" }, gives: "3 words, 2 lines, 13 characters" },
    { args: { text: "" }, gives: "0 words, 0 lines, 0 characters" },
  ],
});
