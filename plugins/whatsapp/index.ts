/**
 * WhatsApp as a channel: wiring only. There can be more ways in than one (setting `mode`); each has files of its own, and the
 * channel asks the one that is set. `cloud` is Meta's Cloud API.
 */

import { definePlugin, SendError } from "@kata-agents/plugin-sdk";
import { systemClock } from "@kata-agents/plugin-sdk/sending";
import { graph, sendError } from "./cloud-api.ts";
import { BUTTONS_MAX, FILES_MAX, react, send, type TokenWatch, typing } from "./cloud-outbound.ts";
import { type Door, handle, verify } from "./cloud-route.ts";
import { cloudOf, phoneOf } from "./cloud-settings.ts";
import { nextStep, probe, stayUp, validate, warnings } from "./cloud-setup.ts";
import { TEXT_MAX } from "./render.ts";

export default definePlugin((api) => {
  const door: Door = { connected: undefined };
  const watch: TokenWatch = { refused: undefined };

  api.registerChannel({
    id: "whatsapp",
    meta: { label: "WhatsApp", icon: "🟢" },
    capabilities: {
      chatTypes: ["direct"],
      textMax: TEXT_MAX,
      textUnit: "chars",
      dialect: "markdown",
      typingTtlMs: 25_000,
      idempotentSend: false,
      reactions: true,
      buttons: BUTTONS_MAX,
      filesIn: true,
      filesOut: true,
      fileMax: FILES_MAX,
      delivery: "ack_gated",
    },
    setup: { next: nextStep },
    auth: { validate },
    status: { probe },
    security: { warnings },
    threading: { sessionScope: "conversation", quoteReplies: false },
    directory: { self: async (ctx) => ({ id: phoneOf(ctx), name: null, isBot: true }) },
    messaging: {
      connect: (ctx) => stayUp(ctx, door, watch, systemClock, Math.random),
      download: async (attachment, ctx) => {
        const cloud = await cloudOf(ctx);
        if ("field" in cloud) throw new SendError({ code: "unauthorized", message: cloud.message, certain: true });
        // Meta gives an address that is good for five minutes, and only with the token.
        const { url } = await graph(cloud, encodeURIComponent(attachment.reference), { signal: ctx.signal }).catch((error: unknown) => {
          throw sendError(error);
        });
        if (typeof url !== "string") throw new SendError({ code: "not_found", message: "WhatsApp no longer has the file", certain: true });
        return ctx.media.fetch(url, { headers: { authorization: `Bearer ${cloud.token}` }, name: attachment.name, maxBytes: FILES_MAX, ...(attachment.kind ? { kind: attachment.kind } : {}) });
      },
    },
    outbound: { send: (message, ctx) => send(message, ctx, watch), react },
    heartbeat: { typing },
  });

  api.registerRoute({ path: "cloud", methods: ["GET", "POST"], verify, handle: (request, ctx) => handle(request, ctx, door) });

  api.registerTool<{ to: string; text: string }>({
    name: "send_whatsapp_message",
    description: "Sends a WhatsApp message to a person who wrote before. More than 24 hours after they wrote last it may not get through.",
    parameters: {
      type: "object",
      properties: {
        to: { type: "string", description: "Id or name of the conversation, from list_whatsapp_conversations." },
        text: { type: "string", description: "The message, in Markdown." },
      },
      required: ["to", "text"],
      additionalProperties: false,
    },
    execute: async ({ to, text }, ctx) => {
      await ctx.channels.send("whatsapp", { to, text });
      return "It is on its way.";
    },
  });

  api.registerTool({
    name: "list_whatsapp_conversations",
    description: "Lists the WhatsApp conversations that can be written to.",
    parameters: { type: "object", properties: {}, additionalProperties: false },
    readOnly: true,
    execute: async (_args, ctx) => JSON.stringify(await ctx.channels.conversations("whatsapp")),
  });
});
