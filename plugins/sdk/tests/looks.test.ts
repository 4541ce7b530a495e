/** The cases of set-up, probe, audit and directory: each mistake is found by the sentence that names it. */

import type { Channel, PluginContext } from "@kata-agents/plugin-sdk";
import { channelContract, json, runContract } from "@kata-agents/plugin-sdk/testing";
import { expect, test } from "vitest";

const SETUP_DONE = "the set-up is done once everything is given, and names the account that messages carry";
const SETUP_ASKS = "the set-up asks for a secret that is missing, by its name in the manifest";
const SETUP_REFUSED = "the set-up says what was wrong with a sign-in that is refused, and asks again";
const PROBE = "a probe says whether the platform answers";
const PROBE_NOBODY = "a probe without a sign-in says so";
const AUDIT = "warnings have a code and a sentence, and looking for them changes nothing";
const DIRECTORY = "the directory names the bot and whom it knows, and writes to nobody";

/** Asks the platform who it is; nothing when it refuses. */
async function me(ctx: PluginContext): Promise<string | undefined> {
  const token = await ctx.secrets.get("token");
  if (token === undefined) return undefined;
  const response = await fetch("http://chat.example/me", { headers: { token } });
  return response.ok ? ((await response.json()) as { id: string }).id : undefined;
}

function channel(change: Partial<Channel>): Channel {
  const ask = { kind: "secret", secret: "token", title: "Token", help: "" } as const;
  return {
    id: "chat",
    meta: { label: "Chat" },
    capabilities: {} as never,
    outbound: { send: async () => ({ messageIds: ["1"] }) },
    setup: {
      async next(ctx) {
        if ((await ctx.secrets.get("token")) === undefined) return ask;
        const account = await me(ctx).catch(() => undefined);
        return account === undefined ? { ...ask, error: "It is refused." } : { kind: "done", account, name: "Me" };
      },
    },
    status: {
      async probe(ctx) {
        const ok = (await me(ctx).catch(() => undefined)) !== undefined;
        return { ok, latencyMs: 1, message: ok ? "It answers." : "It does not." };
      },
    },
    security: { warnings: async () => [{ code: "reads_all", message: "It reads everything." }] },
    directory: {
      self: async () => ({ id: "me", name: "Me" }),
      groups: async () => [{ id: "room", name: "Room", chatType: "group" }],
    },
    ...change,
  };
}

async function found(change: Partial<Channel>): Promise<string[]> {
  const sent: string[] = [];
  const cases = channelContract("chat", () => channel(change), {
    secrets: { token: "s3cret-value" },
    platform: () => ({
      route: { account: "me", conversation: "room" },
      write: () => "1",
      sent: () => sent,
      answer: (request) => {
        if (request.method === "POST") sent.push(request.body);
        return json({ id: "me" });
      },
      unauthorized: () => json({}, 401),
    }),
  });
  const looks = [SETUP_DONE, SETUP_ASKS, SETUP_REFUSED, PROBE, PROBE_NOBODY, AUDIT, DIRECTORY];
  const results = await runContract(cases.filter((one) => looks.some((sentence) => one.name.endsWith(sentence))));
  expect(results).toHaveLength(looks.length);
  return results.filter((result) => result.error !== undefined).map((result) => result.name.replace("chat: ", ""));
}

test("a channel that answers as it should passes, and one that offers nothing too", async () => {
  expect(await found({})).toEqual([]);
  const nothing: Partial<Channel> = { setup: undefined, status: undefined, security: undefined, directory: undefined } as never;
  expect(await found(nothing)).toEqual([]);
});

const setup = (next: NonNullable<Channel["setup"]>["next"]): Partial<Channel> => ({ setup: { next } });
const mistakes: [string, Partial<Channel>, string[]][] = [
  ["is done whatever there is", setup(async () => ({ kind: "done", account: "me", name: "Me" })), [SETUP_ASKS, SETUP_REFUSED]],
  ["names another account", setup(async (ctx) => ({ kind: "done", account: `x-${await me(ctx)}`, name: "Me" })), [SETUP_DONE, SETUP_ASKS, SETUP_REFUSED]],
  ["asks for a secret it has not", setup(async () => ({ kind: "secret", secret: "key", title: "Key", help: "", error: "No." })), [SETUP_DONE, SETUP_ASKS]],
  ["does not say what was wrong", setup(async () => ({ kind: "secret", secret: "token", title: "Token", help: "" })), [SETUP_DONE, SETUP_REFUSED]],
  ["never answers", setup(() => new Promise(() => {})), [SETUP_DONE, SETUP_ASKS, SETUP_REFUSED]],
  ["always works", { status: { probe: async () => ({ ok: true, latencyMs: 1, message: "Fine." }) } }, [PROBE, PROBE_NOBODY]],
  ["takes fractions of a millisecond", { status: { probe: async () => ({ ok: true, latencyMs: 0.5, message: "Fine." }) } }, [PROBE, PROBE_NOBODY]],
  ["warns without words", { security: { warnings: async () => [{ code: "Reads All", message: "" }] } }, [AUDIT]],
  ["knows a room by a number", { directory: { self: async () => ({ id: "me" }), groups: async () => [{ id: 7, name: "R", chatType: "group" } as never] } }, [DIRECTORY]],
  [
    "writes to look",
    { directory: { self: async () => (await fetch("http://chat.example/", { method: "POST", body: "hello" }), { id: "me" }) } },
    [DIRECTORY],
  ],
];
test.each(mistakes)("one that %s is found", async (_, change, sentences) => expect(await found(change)).toEqual(sentences));
