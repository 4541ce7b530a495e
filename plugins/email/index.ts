/** A mailbox as a channel: wiring only. Reading is told in `watch.ts` and `read.ts`, sending in `outbound.ts`. */

import { definePlugin, SendError } from "@kata-agents/plugin-sdk";
import { systemClock } from "@kata-agents/plugin-sdk/sending";
import { accountOf } from "./account.ts";
import { FILES_MAX, send } from "./outbound.ts";
import { download } from "./read.ts";
import { nextStep, probe, validate, warnings } from "./setup.ts";
import { Threads } from "./threads.ts";
import { watch } from "./watch.ts";

export default definePlugin((api) => {
  let threads: Threads | undefined;

  api.registerChannel({
    id: "email",
    meta: { label: "E-mail", icon: "✉️" },
    capabilities: {
      chatTypes: ["direct"],
      textMax: 100_000,
      textUnit: "chars",
      dialect: "html",
      idempotentSend: false,
      filesIn: true,
      filesOut: true,
      fileMax: FILES_MAX,
      delivery: "cursor",
      catchUp: true,
    },
    setup: { next: nextStep },
    auth: { validate },
    status: { probe },
    security: { warnings },
    threading: { sessionScope: "conversation", quoteReplies: false },
    directory: {
      self: async (ctx) => {
        const { address, fromName } = ctx.config;
        return { id: String(address ?? ""), name: typeof fromName === "string" && fromName !== "" ? fromName : null, isBot: true };
      },
    },
    messaging: {
      connect: (ctx) => watch(ctx, { clock: systemClock, random: Math.random, threads: (threads ??= new Threads(ctx.state)) }),
      download: async (attachment, ctx) => {
        const account = await accountOf(ctx);
        if ("field" in account) throw new SendError({ code: "unauthorized", message: account.message, certain: true });
        return download(attachment, account, ctx, FILES_MAX);
      },
    },
    outbound: { send: (message, ctx) => send(message, ctx, (threads ??= new Threads(ctx.state))) },
  });

  api.registerTool<{ to: string; text: string }>({
    name: "send_email_message",
    description: "Sends an e-mail into a known thread or to a known address. list_email_conversations gives what can be written to.",
    parameters: {
      type: "object",
      properties: {
        to: { type: "string", description: "Id or name of the conversation." },
        text: { type: "string", description: "The message, in Markdown. Of a new message the first line is the subject." },
      },
      required: ["to", "text"],
      additionalProperties: false,
    },
    execute: async ({ to, text }, ctx) => {
      await ctx.channels.send("email", { to, text });
      return "It is on its way.";
    },
  });

  api.registerTool({
    name: "list_email_conversations",
    description: "Lists the e-mail threads and addresses that can be written to.",
    parameters: { type: "object", properties: {}, additionalProperties: false },
    readOnly: true,
    execute: async (_args, ctx) => JSON.stringify(await ctx.channels.conversations("email")),
  });
});
