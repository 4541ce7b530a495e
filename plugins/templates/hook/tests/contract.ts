// Run it with `kata plugins check`. It runs in the same sandbox as the plugin itself.
import { hookContract, load } from "@kata-agents/plugin-sdk/testing";
import plugin from "../index.ts";

const session = "260101-calm-lake";
const route = { channel: "telegram", account: "bot", conversation: "42" };

export default hookContract("message_sending", async () => (await load(plugin)).hook("message_sending"), {
  config: { signature: "– me" },
  examples: [
    { event: { session, text: "Hello.", route }, answers: { text: "Hello.\n\n– me" } },
    { event: { session, text: "Hello.\n\n– me", route }, answers: undefined },
    { event: { session, text: "For the window.", route: null }, answers: undefined },
  ],
});
