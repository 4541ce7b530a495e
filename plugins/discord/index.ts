/** Discord as a channel: wiring only. What happens is told in `gateway.ts`, `events.ts` and `outbound.ts`. */

import { definePlugin, SendError, type PluginContext } from "@kata-agents/plugin-sdk";
import { groups, self } from "./directory.ts";
import { Doubts } from "./doubts.ts";
import { listen, type Shared } from "./gateway.ts";
import { download } from "./media.ts";
import { edit, FILES_MAX, react, remove, send, stream, type Tools, typing } from "./outbound.ts";
import { PartialSends } from "@kata-agents/plugin-sdk/sending";
import { TEXT_MAX } from "./render.ts";
import { Rest } from "./rest.ts";
import { channelOf } from "./route.ts";
import { warnings } from "./security.ts";
import { nextStep, probe, validate } from "./setup.ts";
import { listTool, sendTool } from "./tools.ts";
import { World } from "./world.ts";

export default definePlugin((api) => {
  let open: Rest | undefined;
  let partial: PartialSends | undefined;
  let doubts: Doubts | undefined;
  const shared: Shared = { rest: (token) => new Rest("", token), world: new World(), onRefused: undefined, me: undefined };

  /** The API with the token as it is stored now. Buckets are kept as long as the token is. */
  async function maybe(ctx: PluginContext): Promise<Rest | undefined> {
    const token = (await ctx.secrets.get("botToken"))?.trim();
    return token ? restOf(ctx, token) : undefined;
  }
  function restOf(ctx: PluginContext, token: string): Rest {
    const root = ctx.config["apiRoot"];
    const made = new Rest(typeof root === "string" && root !== "" ? root : "https://discord.com/api", token);
    return open?.token === made.token ? open : (open = made);
  }
  async function must(ctx: PluginContext): Promise<Rest> {
    const rest = await maybe(ctx);
    if (rest === undefined) throw new SendError({ code: "unauthorized", message: "the bot has no token", certain: true });
    return rest;
  }
  /** Does a piece of work; where the token is refused, the connection hears of it at once. */
  async function work<T>(ctx: PluginContext, what: (tools: Tools) => Promise<T>): Promise<T> {
    const rest = await must(ctx);
    try {
      return await what({ rest, ctx, partial: (partial ??= new PartialSends(ctx.state)), doubts: (doubts ??= new Doubts(ctx.state)) });
    } catch (error) {
      if (error instanceof SendError && error.code === "unauthorized") shared.onRefused?.(rest.token);
      throw error;
    }
  }

  api.registerTool(sendTool);
  api.registerTool(listTool);
  api.registerChannel({
    id: "discord",
    meta: { label: "Discord", icon: "🎮" },
    capabilities: {
      chatTypes: ["direct", "group", "channel"],
      textMax: TEXT_MAX,
      textUnit: "utf16",
      dialect: "markdown",
      edit: true,
      delete: true,
      reactions: true,
      threads: true,
      typingTtlMs: 10_000,
      idempotentSend: true,
      buttons: 25,
      filesIn: true,
      filesOut: true,
      fileMax: FILES_MAX,
      stream: "edit",
      streamIntervalMs: 1_500,
      delivery: "resume",
      catchUp: true,
    },
    setup: { next: (ctx) => nextStep(maybe, ctx) },
    auth: { validate: (ctx) => validate(maybe, ctx) },
    status: { probe: (ctx) => probe(maybe, ctx) },
    threading: { sessionScope: "thread", quoteReplies: true },
    security: { requireMention: true, warnings: async (ctx) => warnings(await must(ctx), ctx) },
    directory: { self: async (ctx) => self(await must(ctx), ctx), groups: async (ctx) => groups(await must(ctx), ctx) },
    messaging: {
      connect: (ctx) => {
        shared.rest = (token) => restOf(ctx, token);
        return listen(ctx, shared);
      },
      download: async (file, ctx) => download(await must(ctx), file, ctx),
    },
    outbound: {
      send: (message, ctx) => work(ctx, (tools) => send(tools, message)),
      edit: (id, message, ctx) => work(ctx, (tools) => edit(tools, id, message)),
      stream: (preview, ctx) => work(ctx, (tools) => stream(tools, preview)),
      delete: (id, route, ctx) => work(ctx, (tools) => remove(tools, channelOf(route), id)),
      react: (id, emoji, route, ctx) => work(ctx, (tools) => react(tools, id, emoji, route)),
    },
    heartbeat: { typing: async (route, ctx) => typing({ rest: await must(ctx), ctx }, route) },
  });
});
