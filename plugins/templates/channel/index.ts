import { definePlugin } from "@kata-agents/plugin-sdk";
import { read } from "./read.ts";
import { send } from "./send.ts";

export default definePlugin((api) => {
  api.registerChannel({
    id: "{{id}}",
    meta: { label: "{{name}}", icon: "💬" },
    // What the platform can do. The host cuts texts, shows typing and quotes by this.
    capabilities: { chatTypes: ["direct", "group"], textMax: 4000, textUnit: "chars", dialect: "plain", idempotentSend: true },
    messaging: { connect: read },
    outbound: { send },
  });
});
