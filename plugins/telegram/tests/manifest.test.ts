import type { Channel } from "@kata-agents/plugin-sdk";
import { load } from "@kata-agents/plugin-sdk/testing";
import { afterEach, expect, test, vi } from "vitest";
import telegram from "../index.ts";
import manifest from "../kata-plugin.json" with { type: "json" };
import { fail, fakeFetch, ME, ok, TestHost } from "./support.ts";

async function channel(): Promise<Channel> {
  const { tools, hooks, channels, services, commands, routes } = await load(telegram);
  expect([tools, hooks, services, commands, routes]).toEqual([[], [], [], [], []]);
  expect(channels.map((c) => c.id)).toEqual(manifest.contributes.channels);
  return channels[0] as Channel;
}

afterEach(() => vi.unstubAllGlobals());

test("the set-up asks for the token until Telegram takes it", async () => {
  const host = new TestHost();
  const { setup } = await channel();
  host.token = undefined;
  expect(await setup?.next(host.plugin)).toMatchObject({ kind: "secret", secret: "botToken" });
  vi.stubGlobal("fetch", fakeFetch(() => fail(401, "Unauthorized")).fetch);
  host.token = "wrong";
  expect(await setup?.next(host.plugin)).toMatchObject({ kind: "secret", error: "Telegram refuses the token." });
  const good = fakeFetch(() => ok(ME));
  vi.stubGlobal("fetch", good.fetch);
  host.token = " 42:token\n";
  expect(await setup?.next(host.plugin)).toEqual({ kind: "done", account: "42", name: "@kata_bot" });
  expect(good.calls[0]?.url).toBe("https://api.telegram.org/bot42:token/getMe");
});

test("the probe answers also when nothing does", async () => {
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("fetch failed")));
  expect(await (await channel()).status?.probe(new TestHost().plugin)).toMatchObject({ ok: false, message: "Telegram does not answer." });
});

test("a send without a token fails for good", async () => {
  const host = new TestHost();
  host.token = undefined;
  const message = { route: { channel: "telegram", account: "42", conversation: "7" }, text: "hi", idempotencyKey: "k", attempt: 1 };
  await expect((await channel()).outbound.send(message, host.plugin)).rejects.toMatchObject({ code: "unauthorized", certain: true });
});
