/** Telegram as a channel: wiring only. What happens is told in `poll.ts`, `updates.ts`, `outbound.ts` and `stream.ts`. */

import { definePlugin, type PluginContext, SendError } from "@kata-agents/plugin-sdk";
import { PartialSends, systemClock } from "@kata-agents/plugin-sdk/sending";
import { BotApi } from "./api.ts";
import { Chats } from "./chats.ts";
import { download, DOWNLOAD_MAX } from "./files.ts";
import { edit, type Line, react, remove, send, typing } from "./outbound.ts";
import { poll } from "./poll.ts";
import { TEXT_MAX } from "./render.ts";
import { nextStep, probe, self, validate, warnings } from "./setup.ts";
import { Previews } from "./stream.ts";
import { registerTools } from "./tools.ts";

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
  let chats: Chats | undefined;
  const previews = new Previews();
  const known = (ctx: PluginContext) => (chats ??= new Chats(ctx.state));
  const line = async (ctx: PluginContext): Promise<Line> => ({
    api: await mustOpen(ctx),
    partial: (partial ??= new PartialSends(ctx.state)),
    chats: known(ctx),
    ctx,
  });

  registerTools(api);
  api.registerChannel({
    id: "telegram",
    meta: { label: "Telegram", icon: "✈️" },
    capabilities: {
      chatTypes: ["direct", "group", "channel"],
      textMax: TEXT_MAX,
      textUnit: "utf16",
      dialect: "html",
      edit: true,
      delete: true,
      reactions: true,
      buttons: 12,
      threads: true,
      typingTtlMs: 5000,
      idempotentSend: false,
      filesIn: true,
      filesOut: true,
      fileMax: DOWNLOAD_MAX,
      stream: "draft",
      streamIntervalMs: 1000,
      delivery: "cursor",
      catchUp: true,
    },
    setup: { next: (ctx) => nextStep(open, ctx) },
    auth: { validate: (ctx) => validate(open, ctx) },
    status: { probe: (ctx) => probe(open, ctx) },
    threading: { sessionScope: "thread", quoteReplies: true },
    security: { requireMention: true, warnings: (ctx) => warnings(open, ctx) },
    directory: {
      self: async (ctx) => self(await mustOpen(ctx), ctx),
      peers: (ctx) => known(ctx).list((type) => type === "direct"),
      groups: (ctx) => known(ctx).list((type) => type !== "direct"),
    },
    messaging: {
      connect: (ctx) => {
        const seconds = ctx.config["pollSeconds"];
        return poll(ctx, {
          api: (token) => new BotApi(apiRoot(ctx), token),
          pollSeconds: typeof seconds === "number" ? seconds : 25,
          clock: systemClock,
          chats: known(ctx),
          random: Math.random,
        });
      },
      download: async (attachment, ctx) => download(await mustOpen(ctx), attachment, ctx),
    },
    outbound: {
      send: async (message, ctx) => send(await line(ctx), message),
      edit: async (id, message, ctx) => edit(await line(ctx), id, message),
      delete: async (id, _, ctx) => remove(await line(ctx), id),
      react: async (id, emoji, _, ctx) => react(await line(ctx), id, emoji),
      stream: async (preview, ctx) =>
        previews.show(await line(ctx), preview, { groups: ctx.config["groupPreviews"] === true, now: systemClock.now() }),
    },
    heartbeat: {
      typing: async (route, ctx) => typing(await line(ctx), route),
    },
  });
});
