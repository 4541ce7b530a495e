/** Slack as a channel: wiring only. What happens is told in `connect.ts`, `inbound.ts` and `outbound.ts`. */

import { definePlugin, SendError, type PluginContext } from "@kata-agents/plugin-sdk";
import { PartialSends } from "@kata-agents/plugin-sdk/sending";
import { Pauses, SlackApi } from "./api.ts";
import { MAX_BUTTONS } from "./blocks.ts";
import { connect, type Shared } from "./connect.ts";
import { groups, members, peers, self } from "./directory.ts";
import { download, FILE_MAX } from "./files.ts";
import { listTool, sendTool } from "./tools.ts";
import { needs } from "./listen.ts";
import { Places } from "./memory.ts";
import { edit, react, remove, send, type Sending } from "./outbound.ts";
import { answered } from "./pressed.ts";
import { TEXT_AIM } from "./render.ts";
import { type Access, nextStep, probe, validate, warnings } from "./setup.ts";
import { Streams } from "./stream.ts";
import { Typing } from "./typing.ts";

function apiRoot(ctx: PluginContext): string {
  const root = ctx.config["apiRoot"];
  return typeof root === "string" && root !== "" ? root : "https://slack.com/api/";
}

export default definePlugin((api) => {
  const shared: Shared = { places: new Places(), takesPart: undefined, refused: undefined };
  const pauses = { botToken: new Pauses(), appToken: new Pauses() };
  const streams = new Streams();
  const typing = new Typing();
  let sending: Sending | undefined;

  const access: Access = {
    async open(ctx, secret) {
      const token = (await ctx.secrets.get(secret))?.trim();
      return token ? new SlackApi(apiRoot(ctx), token, pauses[secret]) : undefined;
    },
    command: (ctx) => (typeof ctx.config["command"] === "string" && ctx.config["command"] !== "" ? ctx.config["command"] : "/kata"),
  };

  async function must(ctx: PluginContext): Promise<SlackApi> {
    const slack = await access.open(ctx, "botToken");
    if (slack === undefined) throw new SendError({ code: "unauthorized", message: "there is no bot token", certain: true });
    return slack;
  }

  /** Does a piece of work at Slack; where the token is refused, the connection hears of it at once. */
  async function work<T>(ctx: PluginContext, what: (slack: SlackApi) => Promise<T>): Promise<T> {
    const slack = await must(ctx);
    try {
      return await what(slack);
    } catch (error) {
      if (error instanceof SendError && error.code === "unauthorized") {
        shared.refused?.({ token: "bot", report: needs("token_refused", `${error.message}. Paste a new bot token.`, "botToken") });
      }
      throw error;
    }
  }

  function sendingOf(ctx: PluginContext): Sending {
    return (sending ??= {
      partial: new PartialSends(ctx.state),
      streams,
      certain: new Set(),
      wrote: ({ channel, thread_ts }, id) => {
        if (thread_ts !== undefined) shared.takesPart?.(channel, thread_ts);
        shared.places.note(id, { thread: thread_ts ?? null });
      },
    });
  }

  api.registerTool(sendTool);
  api.registerTool(listTool);
  api.registerChannel({
    id: "slack",
    meta: { label: "Slack", icon: "💼" },
    capabilities: {
      chatTypes: ["direct", "group", "channel"],
      textMax: TEXT_AIM,
      textUnit: "utf16",
      dialect: "mrkdwn",
      edit: true,
      delete: true,
      reactions: true,
      threads: true,
      typingTtlMs: 60_000,
      idempotentSend: true,
      buttons: MAX_BUTTONS,
      filesIn: true,
      filesOut: true,
      fileMax: FILE_MAX,
      stream: "edit",
      streamIntervalMs: 1_000,
      delivery: "ack_gated",
      catchUp: true,
    },
    setup: { next: (ctx) => nextStep(access, ctx) },
    auth: { validate: (ctx) => validate(access, ctx) },
    status: { probe: (ctx) => probe(access, ctx) },
    threading: { sessionScope: "thread", quoteReplies: false },
    security: { requireMention: true, warnings: (ctx) => warnings(access, ctx) },
    directory: {
      self: async (ctx) => self(await must(ctx), ctx),
      peers: async (ctx) => peers(await must(ctx), ctx),
      groups: async (ctx) => groups(await must(ctx), ctx),
      members: async (conversation, ctx) => members(await must(ctx), conversation, ctx),
    },
    messaging: {
      connect: (ctx) =>
        connect(ctx, {
          api: (token) => new SlackApi(apiRoot(ctx), token, token.startsWith("xapp-") ? pauses.appToken : pauses.botToken),
          replyInThread: ctx.config["replyInThread"] !== false,
          shared,
          random: Math.random,
          answered: (slack, payload, answer) => answered(slack, payload, answer),
        }),
      download: (attachment, ctx) => work(ctx, (slack) => download(slack, apiRoot(ctx), attachment, ctx)),
    },
    outbound: {
      send: (message, ctx) => work(ctx, (slack) => send(slack, sendingOf(ctx), message, ctx)),
      edit: (id, message, ctx) => work(ctx, (slack) => edit(slack, streams, id, message, ctx)),
      stream: (preview, ctx) => work(ctx, (slack) => streams.show(slack, shared.places, preview, ctx)),
      delete: (id, _route, ctx) => work(ctx, (slack) => remove(slack, id, ctx)),
      react: (id, emoji, route, ctx) => work(ctx, (slack) => react(slack, id, emoji, route, ctx)),
    },
    heartbeat: { typing: async (route, ctx) => typing.show(await must(ctx), route, ctx) },
  });
});
