/** Matrix as a channel: wiring only. What happens is told in `session.ts`, `sync.ts`, `inbound.ts` and `outbound.ts`. */

import { definePlugin } from "@kata-agents/plugin-sdk";
import * as directory from "./directory.ts";
import { download } from "./media.ts";
import { Outbound, TYPING_MS } from "./outbound.ts";
import { People } from "./people.ts";
import { Session } from "./session.ts";
import { nextStep, probe, validate } from "./setup.ts";
import { SingleSignOn } from "./sso.ts";
import { sync } from "./sync.ts";
import { registerTools } from "./tools.ts";

export default definePlugin((api) => {
  const session = new Session();
  const sso = new SingleSignOn(session);
  const outbound = new Outbound(session, new People());

  api.registerChannel({
    id: "matrix",
    meta: { label: "Matrix", icon: "🟩" },
    capabilities: {
      chatTypes: ["direct", "group"],
      textMax: 16_000,
      textUnit: "bytes",
      dialect: "html",
      edit: true,
      delete: true,
      reactions: true,
      threads: true,
      typingTtlMs: TYPING_MS,
      idempotentSend: true,
      buttons: 0,
      filesIn: true,
      filesOut: true,
      fileMax: 0,
      stream: "edit",
      // Servers allow few messages as they come out of the box (Synapse: one in five seconds after a burst of ten).
      streamIntervalMs: 5_000,
      delivery: "cursor",
      catchUp: true,
    },
    setup: { next: (ctx) => nextStep(session, sso, ctx) },
    auth: {
      validate: (ctx) => validate(session, ctx),
      login: (ctx) => validate(session, ctx),
      logout: (ctx) => session.logout(ctx),
    },
    status: { probe: (ctx) => probe(session, ctx) },
    threading: { sessionScope: "thread", quoteReplies: true },
    security: { requireMention: true, warnings: (ctx) => directory.warnings(session, ctx) },
    directory: {
      self: (ctx) => directory.self(session, ctx),
      peers: (ctx) => directory.rooms(session, "direct", ctx),
      groups: (ctx) => directory.rooms(session, "group", ctx),
      members: (room, ctx) => directory.members(session, room, ctx),
    },
    messaging: {
      connect: (ctx) => sync(ctx, session),
      download: (attachment, ctx) => download(session, attachment, ctx),
    },
    outbound: {
      send: (message, ctx) => outbound.send(message, ctx),
      edit: (id, message, ctx) => outbound.edit(id, message, ctx),
      stream: (preview, ctx) => outbound.stream(preview, ctx),
      delete: (id, route, ctx) => outbound.delete(id, route, ctx),
      react: (id, emoji, route, ctx) => outbound.react(id, emoji, route, ctx),
    },
    heartbeat: { typing: (route, ctx) => outbound.typing(route, ctx) },
  });
  registerTools(api);
  api.registerRoute(sso.route);
});
