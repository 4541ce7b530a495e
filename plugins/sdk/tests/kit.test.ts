/** The contracts themselves: each mistake an author makes is found, by the sentence that names it. */

import { type Channel, type ConnectContext, type Service, SendError, type Tool } from "@kata-agents/plugin-sdk";
import { channelContract, type ContractCase, FakeHost, type FakePlatform, json, runContract, serviceContract, toolContract } from "@kata-agents/plugin-sdk/testing";
import { describe, expect, test } from "vitest";

type Mistake =
  | "none"
  | "takes before it is stored"
  | "asks without a pause"
  | "ends when it should not"
  | "never ends"
  | "forgets where it was"
  | "logs the text"
  | "throws anything"
  | "is always certain"
  | "is certain of what it asked before"
  | "sends by GET and is certain"
  | "sends twice"
  | "ignores 429"
  | "hands in again and again";

function platform(): FakePlatform {
  const written: { id: number; text: string }[] = [];
  const sent: string[] = [];
  return {
    route: { account: "me", conversation: "room" },
    write: (text) => String(written.push({ id: written.length + 1, text })),
    sent: () => sent,
    answer(request) {
      if (request.url.pathname === "/typing") return json({ id: 0 });
      if (request.url.searchParams.has("say")) return json({ id: sent.push(request.url.searchParams.get("say") ?? "") });
      if (request.method === "POST") return json({ id: sent.push(String(request.json()["text"])) });
      const after = Number(request.url.searchParams.get("after"));
      return json(written.filter((one) => one.id > after));
    },
    tooFast: () => json({}, 429, { "retry-after": "2" }),
  };
}

function channel(mistake: Mistake): Channel {
  const pause = (ms: number, signal: AbortSignal) =>
    new Promise<void>((resolve) => {
      const done = () => (clearTimeout(timer), signal.removeEventListener("abort", done), resolve());
      const timer = setTimeout(done, ms);
      if (mistake !== "never ends") signal.addEventListener("abort", done);
      if (mistake !== "never ends" && signal.aborted) done();
    });
  async function connect(ctx: ConnectContext): Promise<void> {
    let after = mistake === "forgets where it was" ? 1000 : Number((await ctx.state.get("after")) ?? 0);
    while (!ctx.signal.aborted || mistake === "never ends") {
      try {
        const response = await fetch(`http://chat.example/?after=${after}`, { signal: ctx.signal });
        const messages = (await response.json()) as { id: number; text: string }[];
        ctx.status({ state: "running" });
        for (const { id, text } of messages) {
          if (mistake === "takes before it is stored") after = id;
          if (mistake === "logs the text") ctx.logger.info(`got ${text}`);
          await ctx.receive({ account: "me", messageId: String(id), conversation: "room", chatType: "direct", sender: { id: "ann" }, text });
          if (mistake === "hands in again and again") continue;
          after = id;
          await ctx.state.set("after", after);
        }
        if (mistake === "ends when it should not") throw new Error("enough");
        await pause(1000, ctx.signal);
      } catch (error) {
        if (mistake === "ends when it should not") throw error;
        if (!ctx.signal.aborted || mistake === "never ends") await pause(mistake === "asks without a pause" ? 10 : 1000, ctx.signal);
      }
    }
  }
  return {
    id: "chat",
    meta: { label: "Chat" },
    capabilities: { textMax: 100 },
    messaging: { connect },
    outbound: {
      async send(message, ctx) {
        const unsent = (error: unknown): never => {
          throw new SendError({ code: "unreachable", message: String(error), certain: true });
        };
        if (mistake === "is certain of what it asked before") await fetch("http://chat.example/typing", { method: "POST", signal: ctx.signal }).catch(unsent);
        const say = `http://chat.example/?say=${encodeURIComponent(message.text)}`;
        const post = () => (mistake === "sends by GET and is certain" ? fetch(say, { signal: ctx.signal }).catch(unsent) : write());
        const write = () => fetch("http://chat.example/", { method: "POST", body: JSON.stringify({ text: message.text }), signal: ctx.signal });
        try {
          if (mistake === "sends twice") await post();
          const response = await post();
          if (response.status === 429 && mistake !== "ignores 429") {
            throw new SendError({ code: "rate_limited", message: "slow down", retryAfterMs: 2000, certain: true });
          }
          if (!response.ok) throw new SendError({ code: "invalid", message: "no", certain: true });
          return { messageIds: [String(((await response.json()) as { id: number }).id)] };
        } catch (error) {
          if (mistake === "throws anything" || error instanceof SendError) throw error;
          const certain = mistake === "is always certain" || (error as { code?: unknown }).code === "connect";
          throw new SendError({ code: "unreachable", message: "no answer", certain });
        }
      },
    },
  };
}

async function failures(cases: ContractCase[]): Promise<string[]> {
  return (await runContract(cases)).filter((result) => result.error !== undefined).map((result) => result.name.replace(/^\w+: /, ""));
}

const contract = (mistake: Mistake, sentence = "") =>
  failures(channelContract("chat", () => channel(mistake), { platform }).filter((one) => one.name.endsWith(sentence)));

describe("channelContract", () => {
  test("a channel without a mistake passes", async () => expect(await contract("none")).toEqual([]));

  const found: [Mistake, string][] = [
    ["takes before it is stored", "a message that could not be stored is handed in again"],
    ["asks without a pause", "a platform that was down is found again, and is not asked without a pause"],
    ["never ends", "it ends when it is told to, and leaves nothing behind"],
    ["forgets where it was", "a message is handed in as it was written"],
    ["logs the text", "neither secrets nor a message's text are said in log, states and errors"],
    ["throws anything", "an unreachable platform is a SendError that says so"],
    ["is always certain", "a send whose answer is lost is not certain"],
    ["sends by GET and is certain", "a send whose answer is lost is not certain"],
    ["sends twice", "a send reaches the readers once and gives the platform's ids"],
    ["ignores 429", "a platform that is asked too fast is waited for as long as it says"],
    ["hands in again and again", "what the host refuses or has seen already is passed over, and the next message comes"],
  ];
  test.each(found)("one that %s is found", async (mistake, sentence) => expect(await contract(mistake, sentence)).toEqual([sentence]));

  test("what it asked before may be certain, by whatever method, since the readers have nothing", async () => {
    expect(await contract("is certain of what it asked before")).toEqual([]);
  });

  test("one that throws is connected again by the host, as in the app", async () => {
    expect(await contract("ends when it should not", "a message is handed in as it was written")).toEqual([]);
  });
});

describe("serviceContract", () => {
  const cases = (service: Service) => failures(serviceContract("s", () => service, { secrets: { key: "s3cret-value" } }));
  test("one that is right passes", async () => expect(await cases({ id: "s", start: () => {} })).toEqual([]));
  test("one that does not end is found", async () => {
    const service: Service = { id: "s", start: () => new Promise(() => {}) };
    expect(await cases(service)).toContain("it ends when it is told to, and asks for nothing after");
  });
  test("one that hammers a dead network is found", async () => {
    const start: Service["start"] = async (ctx) => {
      while (!ctx.signal.aborted) {
        await fetch("http://a.example/").catch(() => undefined);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    };
    expect(await cases({ id: "s", start })).toContain("a network that is down is not asked without a pause");
  });
  test("one that says a secret is found", async () => {
    const start: Service["start"] = async (ctx) => ctx.logger.info(`key ${await ctx.secrets.get("key")}`);
    expect(await cases({ id: "s", start })).toEqual(["no secret is said in log, states and errors"]);
  });
});

describe("toolContract", () => {
  const tool = (change: Partial<Tool<{ n: number }>>): Tool<{ n: number }> => ({
    name: "t",
    description: "Doubles.",
    parameters: { type: "object", properties: { n: { type: "number", description: "Which number." } } },
    execute: ({ n }) => String(n * 2),
    ...change,
  });
  const cases = (change: Partial<Tool<{ n: number }>>) =>
    failures(toolContract("t", () => tool(change), { secrets: { key: "s3cret-value" }, examples: [{ args: { n: 2 }, gives: "4" }] }));
  test("one that is right passes", async () => expect(await cases({})).toEqual([]));
  test("a parameter without a description is found", async () => {
    const parameters = { type: "object", properties: { n: { type: "number" } } };
    expect(await cases({ parameters })).toEqual(["the model is told what it does and what it takes"]);
  });
  test("a wrong answer is found", async () => expect(await cases({ execute: () => "5" })).toContain('example 1, {"n":2}, is answered'));
  test("calls that share what they should not are found", async () => {
    let shared = 0;
    const execute: Tool<{ n: number }>["execute"] = async ({ n }) => {
      shared += n;
      await Promise.resolve();
      const sum = shared;
      shared = 0;
      return String(sum * 2);
    };
    expect(await cases({ execute })).toContain("calls side by side do not disturb each other");
  });
  test("one that waits without its signal is found", async () => {
    const execute: Tool<{ n: number }>["execute"] = () => new Promise(() => {});
    expect(await cases({ execute })).toContain("a call that nobody waits for any more ends");
  });
});

test("a file written from a part of a buffer is that part", async () => {
  const host = new FakeHost();
  const { files } = host.context();
  await files.state.write("a/b.bin", new Uint8Array([1, 2, 3, 4]).subarray(1, 3));
  expect([...(await files.state.read("a/b.bin"))]).toEqual([2, 3]);
  expect(await files.state.list()).toEqual([{ name: "a", kind: "folder", bytes: 0 }]);
});
