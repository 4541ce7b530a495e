/** Telegram as a channel: wiring only. What happens is told in `poll.ts`, `inbound.ts` and `outbound.ts`. */

import { definePlugin, SendError, type PluginContext } from "@kata-agents/plugin-sdk";
import { BotApi } from "./api.ts";
import { TEXT_MAX } from "./chunk.ts";
import { systemClock } from "./clock.ts";
import { edit, send, typing } from "./outbound.ts";
import { PartialSends } from "./partial.ts";
import { poll } from "./poll.ts";
import { nextStep, probe, validate } from "./setup.ts";

function apiRoot(ctx: PluginContext): string {
  const root = ctx.config["apiRoot"];
  return typeof root === "string" && root !== "" ? root : "https://api.telegram.org";
}

async function open(ctx: PluginContext): Promise<BotApi | undefined> {
  const token = (await ctx.secrets.get("botToken"))?.trim();
  return token ? new BotApi(apiRoot(ctx), token) : undefined;
}

async function mustOpen(ctx: PluginContext): Promise<BotApi> {
  const api = await open(ctx);
  if (api === undefined) throw new SendError({ code: "unauthorized", message: "the bot has no token", certain: true });
  return api;
}

export default definePlugin((api) => {
  let partial: PartialSends | undefined;

  api.registerChannel({
    id: "telegram",
    meta: { label: "Telegram", icon: "✈️" },
    capabilities: {
      chatTypes: ["direct", "group", "channel"],
      textMax: TEXT_MAX,
      textUnit: "utf16",
      dialect: "html",
      edit: true,
      threads: true,
      typingTtlMs: 5000,
      idempotentSend: false,
    },
    setup: { next: (ctx) => nextStep(open, ctx) },
    auth: { validate: (ctx) => validate(open, ctx) },
    status: { probe: (ctx) => probe(open, ctx) },
    threading: { sessionScope: "thread", quoteReplies: true },
    security: { requireMention: true },
    messaging: {
      connect: (ctx) => {
        const seconds = ctx.config["pollSeconds"];
        return poll(ctx, {
          api: (token) => new BotApi(apiRoot(ctx), token),
          pollSeconds: typeof seconds === "number" ? seconds : 25,
          clock: systemClock,
        });
      },
    },
    outbound: {
      send: async (message, ctx) => send(await mustOpen(ctx), (partial ??= new PartialSends(ctx.state)), message, ctx),
      edit: async (id, message, ctx) => edit(await mustOpen(ctx), id, message, ctx),
    },
    heartbeat: {
      typing: async (route, ctx) => typing(await mustOpen(ctx), route, ctx),
    },
  });
});
