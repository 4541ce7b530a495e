/** HTTP in and out as a channel: wiring only. What happens is told in `inbound.ts` and `outbound.ts`. */

import { type ConnectContext, definePlugin, SendError, type StatusReport } from "@kata-agents/plugin-sdk";
import { type Door, handle, Seen, verify } from "./inbound.ts";
import { ACCOUNT } from "./mapping.ts";
import { FILES_MAX, send } from "./outbound.ts";
import { nextStep, probe, standing, warnings } from "./setup.ts";
import { secretOf } from "./settings.ts";
import { Waiting } from "./waiting.ts";

/** How often changed settings are looked for while something is missing. */
const LOOK_MS = 10_000;

const REFUSED: StatusReport = {
  state: "needs_user",
  code: "receiver_refuses",
  message: "The address for answers refuses our signature (401). Give both sides the same secret.",
  action: { kind: "configure", field: "signingSecret" },
};

/** Is up as long as the host wants it; requests come by the route meanwhile. */
async function connect(ctx: ConnectContext, door: Door): Promise<void> {
  door.connected = ctx;
  try {
    while (!ctx.signal.aborted) {
      ctx.status(door.refused ? REFUSED : await standing(ctx));
      await new Promise<void>((resolve) => {
        const done = () => {
          clearTimeout(timer);
          ctx.signal.removeEventListener("abort", done);
          resolve();
        };
        const timer = setTimeout(done, LOOK_MS);
        ctx.signal.addEventListener("abort", done);
        if (ctx.signal.aborted) done();
      });
    }
  } finally {
    if (door.connected === ctx) door.connected = undefined;
    door.waiting.stop();
  }
}

export default definePlugin((api) => {
  const door: Door = { connected: undefined, seen: new Seen(), refused: false, waiting: new Waiting() };

  api.registerChannel({
    id: "webhook",
    meta: { label: "Webhook", icon: "🪝" },
    capabilities: {
      chatTypes: ["direct", "group"],
      textMax: 60_000,
      textUnit: "chars",
      dialect: "markdown",
      threads: true,
      idempotentSend: true,
      filesIn: true,
      filesOut: true,
      fileMax: FILES_MAX,
      delivery: "ack_gated",
    },
    setup: { next: nextStep },
    auth: {
      validate: async (ctx) =>
        (await secretOf(ctx)) === undefined
          ? { ok: false, code: "secret_missing", message: "There is no signing secret yet.", action: { kind: "configure", field: "signingSecret" } }
          : { ok: true, account: ACCOUNT, name: "Webhook" },
    },
    status: { probe },
    security: { requireMention: true, warnings },
    threading: { sessionScope: "thread", quoteReplies: false },
    messaging: {
      connect: (ctx) => connect(ctx, door),
      download: async (attachment, ctx) => {
        try {
          return await ctx.media.fetch(attachment.reference, { name: attachment.name });
        } catch (error) {
          const code = (error as { code?: unknown }).code;
          if (code === "forbidden") throw new SendError({ code: "forbidden", message: "the file's host is not one of the settings (filesFrom)", certain: true });
          throw error;
        }
      },
    },
    outbound: { send: (message, ctx) => send(message, ctx, door) },
  });

  api.registerRoute({
    path: "in",
    methods: ["POST"],
    verify,
    handle: (request, ctx) => handle(request, ctx, door),
  });

  api.registerTool<{ to: string; text: string; thread?: string }>({
    name: "send_webhook_message",
    description: "Sends a message to a conversation of the webhook channel. Only conversations that list_webhook_conversations gives can be written to.",
    parameters: {
      type: "object",
      properties: {
        to: { type: "string", description: "Id or name of the conversation." },
        text: { type: "string", description: "The message, in Markdown." },
        thread: { type: "string", description: "Thread in the conversation, if it is to go into one." },
      },
      required: ["to", "text"],
      additionalProperties: false,
    },
    execute: async ({ to, text, thread }, ctx) => {
      await ctx.channels.send("webhook", { to, text, ...(thread === undefined ? {} : { thread }) });
      return "It is on its way.";
    },
  });

  api.registerTool({
    name: "list_webhook_conversations",
    description: "Lists the conversations of the webhook channel that can be written to.",
    parameters: { type: "object", properties: {}, additionalProperties: false },
    readOnly: true,
    execute: async (_args, ctx) => JSON.stringify(await ctx.channels.conversations("webhook")),
  });
});
