import { definePlugin } from "@kata-agents/plugin-sdk";

export default definePlugin((api) => {
  // A reply is about to be sent. What this answers is what goes out; `undefined` changes nothing.
  api.registerHook("message_sending", (event, ctx) => {
    // Without a route the reply is for the window or the CLI: nothing leaves this machine.
    if (event.route === null) return undefined;
    const signature = ctx.config["signature"];
    if (typeof signature !== "string" || signature === "" || event.text.endsWith(signature)) return undefined;
    ctx.logger.debug(`signed a reply of session ${event.session}`);
    return { text: `${event.text}\n\n${signature}` };
  });
});
