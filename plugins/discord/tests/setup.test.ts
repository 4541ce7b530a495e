import { load } from "@kata-agents/plugin-sdk/testing";
import { expect, test } from "vitest";
import plugin from "../index.ts";
import manifest from "../kata-plugin.json" with { type: "json" };
import { GENERAL, GUILD, ME, TOKEN } from "./platform.ts";
import { bench } from "./support.ts";

test("what is registered is what the manifest says", async () => {
  const { tools, channels, hooks, services, commands, routes } = await load(plugin);
  expect(tools.map((tool) => tool.name)).toEqual(manifest.contributes.tools);
  expect(channels.map((channel) => channel.id)).toEqual(manifest.contributes.channels);
  expect([hooks, services, commands, routes]).toEqual([[], [], [], []]);
});

test("the wizard asks for the token, the intent and a server, one after the other, each until it is there", async () => {
  await bench(async ({ host, discord, channel }) => {
    const next = () => channel.setup?.next(host.context());
    host.secrets.delete("botToken");
    expect(await next()).toMatchObject({ kind: "secret", secret: "botToken" });
    host.secrets.set("botToken", "wrong");
    expect(await next()).toMatchObject({ kind: "secret", error: "Discord refuses the token." });
    host.secrets.set("botToken", ` Bot ${TOKEN}\n`);
    discord.flags = 0;
    expect(await next()).toMatchObject({ kind: "open", url: `https://discord.com/developers/applications/${ME.id}/bot` });
    host.config = { ...host.config, reads: "addressed" };
    expect(await next()).toMatchObject({ kind: "done" });
    host.config = { ...host.config, reads: "all" };
    discord.flags = 1 << 19;
    discord.override = (_, route) => (route === "GET /users/@me/guilds" ? Response.json([]) : undefined);
    const invite = await next();
    expect(invite).toMatchObject({ kind: "open" });
    const url = new URL(invite?.kind === "open" ? invite.url : "");
    expect([url.searchParams.get("client_id"), url.searchParams.get("scope"), url.searchParams.get("permissions")]).toEqual([ME.id, "bot applications.commands", "274878024768"]);
    discord.override = undefined;
    expect(await next()).toEqual({ kind: "done", account: ME.id, name: "Kata" });
  });
});

test("the invitation asks for no power a talking bot has no use for", () => {
  const asked = 274878024768n;
  for (const bit of [1n, 2n, 3n, 4n, 5n, 13n, 17n, 28n, 29n]) expect(asked & (1n << bit)).toBe(0n);
});

test("the audit names what is too broad, what is missing and what is not used", async () => {
  await bench(async ({ host, discord, channel }) => {
    const codes = async () => (await channel.security?.warnings?.(host.context()))?.map((warning) => warning.code);
    expect(await codes()).toEqual([]);
    discord.flags = (1 << 15) | (1 << 13);
    discord.override = (_, route) => {
      if (route === "GET /users/@me/guilds") return Response.json([{ name: "Home", permissions: "8" }, { name: "Work", permissions: String(1n << 28n) }]);
      if (route === "GET /applications/@me") return Response.json({ id: ME.id, flags: discord.flags, bot_public: true });
      return undefined;
    };
    expect(await codes()).toEqual(["message_content_off", "members_intent", "presence_intent", "public_bot", "administrator", "permissions_too_broad"]);
    host.config = { ...host.config, reads: "addressed" };
    discord.flags = 1 << 19;
    expect(await codes()).toContain("message_content_unused");
  });
});

test("the directory lists text channels with their server", async () => {
  await bench(async ({ host, discord, channel }) => {
    discord.override = (_, route) => (route === "GET /guilds/:id/channels" ? Response.json([{ id: GENERAL, type: 0, name: "general" }, { id: "3", type: 2, name: "voice" }, { id: "4", type: 4, name: "category" }]) : undefined);
    expect(await channel.directory?.groups?.(host.context())).toEqual([{ id: GENERAL, name: "#general (Home)", chatType: "channel" }]);
    expect(await channel.directory?.self(host.context())).toEqual({ id: ME.id, name: "Kata", isBot: true });
    expect(GUILD).not.toBe("");
  });
});

test("the agent's tools go by the host, which says where they may write", async () => {
  await bench(async ({ host }) => {
    const loaded = await load(plugin);
    host.conversations = [{ account: ME.id, id: GENERAL, name: "#general (Home)", chatType: "channel" }];
    expect(await loaded.tool("list_discord_conversations").execute({}, host.context())).toBe(`${GENERAL}\t#general (Home)\tchannel`);
    const tool = loaded.tool<{ to: string; text: string }>("send_discord_message");
    await tool.execute({ to: GENERAL, text: "hello" }, host.context());
    expect(host.directed).toEqual([{ channel: "discord", to: GENERAL, text: "hello" }]);
    expect(await tool.execute({ to: "somewhere", text: "x" }, host.context())).toMatchObject({ isError: true });
    expect([tool.readOnly, loaded.tool("list_discord_conversations").readOnly]).toEqual([undefined, true]);
  });
});
