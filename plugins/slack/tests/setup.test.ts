/** What a person meets: the wizard, the manifest to paste, the probe, the audit, the directory, and the agent's tools. */

import { load } from "@kata-agents/plugin-sdk/testing";
import { expect, test } from "vitest";
import plugin from "../index.ts";
import manifest from "../kata-plugin.json" with { type: "json" };
import { BOT_EVENTS, BOT_SCOPES } from "../scopes.ts";
import { APP, BOT } from "./platform.ts";
import { bench } from "./support.ts";

test("the wizard asks for both tokens, says what is wrong with each by name, and ends with the workspace", () =>
  bench(async (b) => {
    const next = () => b.channel.setup?.next(b.host.context());
    b.host.secrets.clear();
    expect(await next()).toMatchObject({ kind: "secret", secret: "botToken", copy: expect.stringContaining("socket_mode_enabled") });
    b.host.secrets.set("botToken", APP);
    expect(await next()).toMatchObject({ secret: "botToken", error: expect.stringContaining("xoxb-") });
    b.host.secrets.set("botToken", BOT);
    b.slack.scopes = ["channels:read"];
    expect(await next()).toMatchObject({ secret: "botToken", error: expect.stringContaining("chat:write, im:history") });
    b.slack.scopes = ["chat:write", "im:history"];
    expect(await next()).toMatchObject({ kind: "secret", secret: "appToken" });
    expect(await next()).not.toHaveProperty("error");
    b.host.secrets.set("appToken", BOT);
    expect(await next()).toMatchObject({ secret: "appToken", error: expect.stringContaining("xapp-") });
    b.host.secrets.set("appToken", ` ${APP}\n`);
    expect(await next()).toEqual({ kind: "done", account: "T1", name: "Acme (@kata)" });
    b.slack.fault = () => {
      throw new TypeError("fetch failed");
    };
    expect(await next()).toMatchObject({ kind: "secret", secret: "appToken", error: expect.stringContaining("does not answer") });
  }));

test("the manifest to paste asks for exactly the scopes and events the plugin uses, and has the command of the settings", () =>
  bench(
    async (b) => {
      b.host.secrets.clear();
      const step = await b.channel.setup?.next(b.host.context());
      const app = JSON.parse(step?.kind === "secret" ? (step.copy ?? "") : "") as {
        features: { slash_commands: { command: string }[] };
        oauth_config: { scopes: { bot: string[] } };
        settings: { event_subscriptions: { bot_events: string[] }; socket_mode_enabled: boolean; interactivity: { is_enabled: boolean } };
      };
      expect(app.oauth_config.scopes.bot).toEqual(Object.keys(BOT_SCOPES));
      expect(app.settings.event_subscriptions.bot_events).toEqual([...BOT_EVENTS]);
      expect(app.features.slash_commands[0]?.command).toBe("/agent");
      expect([app.settings.socket_mode_enabled, app.settings.interactivity.is_enabled]).toEqual([true, true]);
    },
    { command: "/agent" },
  ));

test("the account is the workspace, or the organisation an app was installed for", () =>
  bench(async (b) => {
    const validate = () => b.channel.auth?.validate(b.host.context());
    expect(await validate()).toMatchObject({ ok: true, account: "T1" });
    b.slack.fault = ({ method }) =>
      method === "auth.test" ? b.slack.yes({ team_id: "T1", enterprise_id: "E1", is_enterprise_install: true, user_id: "UBOT", team: "Acme", user: "kata" }) : undefined;
    expect(await validate()).toMatchObject({ ok: true, account: "E1" });
  }));

test("the audit names each scope that is missing with what does not work, and those that are too many", () =>
  bench(async (b) => {
    const warnings = async () => (await b.channel.security?.warnings?.(b.host.context()))?.map((one) => `${one.code}: ${one.message}`);
    expect(await warnings()).toEqual([]);
    b.slack.scopes = b.slack.scopes.filter((scope) => scope !== "files:read" && scope !== "reactions:write").concat("admin", "chat:write.public");
    expect(await warnings()).toEqual([
      "missing_scope: The bot token lacks “files:read”: fetching files does not work.",
      "missing_scope: The bot token lacks “reactions:write”: reacting does not work.",
      "wide_scope: The bot token has “admin”, which this channel does not use.",
      "wide_scope: The bot token has “chat:write.public”, which this channel does not use.",
    ]);
  }));

test("the directory knows the bot, the people it talks with, its channels and their members", () =>
  bench(async (b) => {
    b.slack.messages.set("D1", []).set("C1", []);
    const ctx = b.host.context();
    expect(await b.channel.directory?.self(ctx)).toEqual({ id: "UBOT", name: "Acme (@kata)", isBot: true });
    expect((await b.channel.directory?.peers?.(ctx))?.[0]).toEqual({ id: "D1", name: "Ann", chatType: "direct" });
    expect(await b.channel.directory?.groups?.(ctx)).toContainEqual({ id: "C1", name: "#c1", chatType: "channel" });
    expect(await b.channel.directory?.members?.("C1", ctx)).toContainEqual({ id: "UANN", name: "Ann", isBot: false });
  }));

test("the agent writes to conversations that are known, and is told when one is not", () =>
  bench(async (b) => {
    const loaded = await load(plugin);
    expect(loaded.tools.map((tool) => tool.name)).toEqual(manifest.contributes.tools);
    const tool = loaded.tool<{ to: string; text: string; thread?: string }>("send_slack_message");
    const ctx = b.host.context();
    b.host.conversations = [{ account: "T1", id: "C1", name: "#team", chatType: "channel" }];
    expect(await tool.execute({ to: "#team", text: "hi", thread: "1700000000.000001" }, ctx)).toContain("#team");
    expect(b.host.directed).toEqual([{ channel: "slack", to: "#team", text: "hi", thread: "1700000000.000001" }]);
    expect(await tool.execute({ to: "#other", text: "hi" }, ctx)).toMatchObject({ isError: true });
    b.host.conversations.push({ account: "T1", id: "C2", name: "#team", chatType: "channel" });
    expect(await tool.execute({ to: "#team", text: "hi" }, ctx)).toMatchObject({ isError: true, text: expect.stringContaining("Several") });
    expect(await loaded.tool<Record<string, never>>("list_slack_conversations").execute({}, ctx)).toBe("C1\t#team\tchannel\nC2\t#team\tchannel");
    expect(tool.readOnly).not.toBe(true);
  }));
