/** Gmail: a service that notices new mail, tools for the agent, and a channel for one label. Wiring only. */

import { definePlugin, type PluginContext } from "@kata-agents/plugin-sdk";
import { systemClock } from "@kata-agents/plugin-sdk/sending";
import { connect, download, FILES_MAX } from "./channel.ts";
import { Mailbox } from "./mailbox.ts";
import { send } from "./outbound.ts";
import { gmailService, recents, RECENT } from "./service.ts";
import { type Settings, settingsOf } from "./settings.ts";
import { nextStep, probe, validate, warnings } from "./setup.ts";
import { registerTools } from "./tools.ts";

export default definePlugin((api) => {
  // One for all parts, so that they share the quota and a message is read once.
  let kept: { key: string; box: Mailbox } | undefined;
  const boxFor = (settings: Settings): Mailbox => {
    const key = `${settings.apiRoot} ${settings.unitsPerMinute}`;
    if (kept?.key !== key) kept = { key, box: new Mailbox(settings, systemClock) };
    return kept.box;
  };
  const boxOf = (ctx: PluginContext): Mailbox => boxFor(settingsOf(ctx));

  api.registerService(gmailService({ box: boxFor, clock: systemClock }));

  api.registerChannel({
    id: "gmail",
    meta: { label: "Gmail", icon: "📬" },
    capabilities: {
      chatTypes: ["direct"],
      textMax: 100_000,
      textUnit: "chars",
      dialect: "html",
      // Gmail cannot tell a second copy, so a send whose answer was lost is shown to the person.
      idempotentSend: false,
      filesIn: true,
      filesOut: true,
      fileMax: FILES_MAX,
      delivery: "cursor",
      catchUp: true,
    },
    setup: { next: (ctx) => nextStep(ctx, boxOf(ctx)) },
    auth: { validate: (ctx) => validate(ctx, boxOf(ctx)) },
    status: { probe: (ctx) => probe(ctx, boxOf(ctx)) },
    security: { warnings },
    threading: { sessionScope: "conversation", quoteReplies: false },
    messaging: {
      connect: (ctx) => connect(ctx, boxOf(ctx), systemClock),
      download: (attachment, ctx) => download(attachment, ctx, boxOf(ctx)),
    },
    outbound: { send: (message, ctx) => send(message, ctx, boxOf(ctx)) },
  });

  api.registerCommand({
    name: "gmail",
    description: "Lists the newest mail the service has noticed.",
    run: async (_args, ctx) => {
      const list = recents(await ctx.state.get(RECENT));
      return list.length === 0 ? "No new mail was noticed yet." : list.slice(0, 20).map(({ at, from, subject }) => `${new Date(at).toISOString().slice(0, 16)}Z  ${from}: ${subject}`).join("\n");
    },
  });

  registerTools(api, boxOf);
});
