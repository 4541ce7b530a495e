// The TypeScript client as an author uses it, with Node's own WebSocket. `tests/peers/python.rs` starts it.
import { createInterface } from "node:readline";
import { KataClient, tool } from "../../../clients/typescript/dist/index.js";

const kata = new KataClient({ url: process.env.KATA_URL, token: process.env.KATA_TOKEN, client: "client.mjs" });
kata.on("state", (state) => console.log("state", state));
kata.on("fact", (fact) => console.log("fact", fact.topic));
kata.on("refused", (plugin, error) => console.log("refused", plugin, error.message));
await kata.connect();
const plugin = await kata.register({
  id: "node-example",
  name: "Node example",
  version: "1.0.0",
  tools: {
    shout: tool({
      description: "Gives a text back in capitals.",
      parameters: { type: "object", properties: { text: { type: "string" } }, required: ["text"] },
      readOnly: true,
      run: ({ text }) => text.toUpperCase(),
    }),
  },
  channels: {
    line: {
      name: "Line",
      send: ({ text, idempotencyKey }) => {
        console.log("reply:", text);
        return { messageIds: [idempotencyKey] };
      },
    },
  },
});
const sessions = await kata.call("session.list", {});
console.log("joined", Array.isArray(sessions.sessions ?? sessions));
let n = 0;
createInterface({ input: process.stdin }).on("line", async (text) => {
  const draft = { account: "me", messageId: `${Date.now()}-${n++}`, conversation: "tty", chatType: "direct", sender: { id: "me" }, text };
  console.log("answer", JSON.stringify(await plugin.receive("line", draft)));
});
