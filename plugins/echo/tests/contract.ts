// Run it with `kata plugins check`, or with vitest beside the other tests.
import { expect, hookContract, load, toolContract } from "@kata-agents/plugin-sdk/testing";
import plugin from "../index.ts";

const tool = toolContract<{ text: string }>("echo", async () => (await load(plugin)).tool("echo"), {
  examples: [
    { args: { text: "hällo" }, gives: "hällo" },
    { args: { text: "" }, gives: "" },
  ],
});

const hook = hookContract("message_received", async () => (await load(plugin)).hook("message_received"), {
  examples: [
    {
      event: { session: "260201-swift-river", text: "secret words", sender: null, channel: null },
      answers: undefined,
      then: (host) => {
        const lines = host.log.map((line) => line.message);
        expect(lines.join() === "a message of 12 UTF-16 units goes to 260201-swift-river", `the log is ${lines.join()}`);
      },
    },
  ],
});

export default [...tool, ...hook];
