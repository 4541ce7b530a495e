import type { Channel } from "@kata-agents/plugin-sdk";
import { load } from "@kata-agents/plugin-sdk/testing";
import { afterEach, describe, expect, test, vi } from "vitest";
import telegram from "../index.ts";
import manifest from "../kata-plugin.json" with { type: "json" };
import { fail, fakeFetch, ME, ok, TestHost } from "./support.ts";

async function channel(): Promise<Channel> {
  const { tools, hooks, channels, services, commands, routes } = await load(telegram);
  expect([hooks, services, commands, routes]).toEqual([[], [], [], []]);
  expect(tools.map((tool) => tool.name).sort()).toEqual(manifest.contributes.tools);
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

test("a person is told how the bot stands in groups and whether its messages go elsewhere", async () => {
  const host = new TestHost();
  const { security } = await channel();
  const asked = async (me: object, hook: object) => {
    vi.stubGlobal("fetch", fakeFetch((call) => ok(call.method === "getMe" ? { ...ME, ...me } : hook)).fetch);
    return (await security?.warnings?.(host.plugin))?.map((warning) => warning.code);
  };
  expect(await asked({ can_read_all_group_messages: true }, { url: "" })).toEqual(["privacy_off"]);
  expect(await asked({ can_read_all_group_messages: false }, { url: "https://x.example" })).toEqual(["privacy_on", "webhook"]);
  expect(await asked({ can_join_groups: false }, {})).toEqual([]);
});

test("chats that were written from are in the directory", async () => {
  const host = new TestHost(new Map([["chats", { "7": { name: "Ann", type: "direct" }, "-5": { name: "Team", type: "group" }, bad: 3 }]]));
  const { directory } = await channel();
  vi.stubGlobal("fetch", fakeFetch(() => ok(ME)).fetch);
  expect(await directory?.self(host.plugin)).toEqual({ id: "42", name: "@kata_bot", isBot: true });
  expect(await directory?.peers?.(host.plugin)).toEqual([{ id: "7", name: "Ann", chatType: "direct" }]);
  expect(await directory?.groups?.(host.plugin)).toEqual([{ id: "-5", name: "Team", chatType: "group" }]);
});

describe("a person's file", () => {
  const attachment = { reference: "F1", kind: "file" as const, name: "a.pdf", mime: null, bytes: null };
  const download = async (answer: (url: string) => Response, change: object = {}) => {
    const host = new TestHost();
    vi.stubGlobal("fetch", async (input: unknown) => answer(String(input)));
    return (await channel()).messaging?.download?.({ ...attachment, ...change }, host.plugin);
  };
  test("is fetched from where getFile says", async () => {
    const media = await download((url) => (url.endsWith("/getFile") ? ok({ file_path: "documents/a b.pdf" }) : url.endsWith("/file/bot42:token/documents/a%20b.pdf") ? new Response("abc") : new Response("", { status: 404 })));
    expect(media).toMatchObject({ name: "a.pdf", kind: "file", bytes: 3 });
  });
  test.each([
    ["that is too large is refused", { bytes: 21 * 1024 * 1024 }, () => ok({}), "invalid"],
    ["that Telegram finds too large is refused", {}, () => fail(400, "Bad Request: file is too big"), "invalid"],
    ["that is gone is not there", {}, () => fail(400, "Bad Request: wrong file_id"), "not_found"],
    ["that cannot be reached is tried again", {}, () => fail(500, "Internal"), "unreachable"],
    ["whose bytes are gone is not there", {}, (url: string) => (url.endsWith("/getFile") ? ok({ file_path: "x" }) : new Response("", { status: 404 })), "not_found"],
  ] as const)("%s", async (_, change, answer, code) => {
    await expect(download(answer, change)).rejects.toMatchObject({ code });
  });
});
