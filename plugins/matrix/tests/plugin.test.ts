import { expect, test } from "vitest";
import manifest from "../kata-plugin.json" with { type: "json" };
import { ANN, ME, ROOM } from "./homeserver.ts";
import { Bench } from "./support.ts";

test("it registers what its manifest says, and nothing else", () =>
  Bench.run({}, async ({ loaded }) => {
    const { channels, tools, routes, hooks, services, commands } = loaded;
    expect({ channels: channels.map((one) => one.id), tools: tools.map((one) => one.name), routes: routes.map((one) => one.path) }).toEqual(manifest.contributes);
    expect([hooks, services, commands]).toEqual([[], [], []]);
  }));

test("the agent writes to conversations that are known, and is told when one is not", () =>
  Bench.run({}, async ({ loaded, host }) => {
    host.conversations = [
      { account: ME, id: ROOM, name: "Kitchen", chatType: "group" },
      { account: ME, id: "!other", name: "Twice", chatType: "group" },
      { account: ME, id: "!third", name: "Twice", chatType: "group" },
    ];
    expect(await loaded.tool("list_matrix_conversations").execute({}, host.context())).toContain(`Kitchen (group): ${ROOM}`);
    const send = loaded.tool<{ to: string; text: string; thread?: string }>("send_matrix_message");
    expect(await send.execute({ to: "Kitchen", text: "dinner", thread: "$root" }, host.context())).toContain("Queued");
    expect(host.directed).toEqual([{ channel: "matrix", to: "Kitchen", text: "dinner", thread: "$root" }]);
    expect(await send.execute({ to: "Nowhere", text: "x" }, host.context())).toMatchObject({ isError: true, text: expect.stringContaining("not known") as string });
    expect(await send.execute({ to: "Twice", text: "x" }, host.context())).toMatchObject({ isError: true, text: expect.stringContaining("use the id") as string });
  }));

test("the directory names direct chats by the person and knows a room's members", () =>
  Bench.run({}, async (bench) => {
    const { directory } = bench.channel;
    const ctx = bench.host.context();
    expect(await bench.settled(directory?.peers?.(ctx) ?? Promise.resolve([]))).toEqual([{ id: ROOM, name: "Ann", chatType: "direct" }]);
    expect(await bench.settled(directory?.groups?.(ctx) ?? Promise.resolve([]))).toEqual([]);
    bench.server.members["@bob:example.org"] = {};
    expect(await bench.settled(directory?.members?.(ROOM, ctx) ?? Promise.resolve([]))).toEqual([
      { id: ME, name: "Kata", isBot: true },
      { id: ANN, name: "Ann", isBot: false },
      { id: "@bob:example.org", name: null, isBot: false },
    ]);
  }));

test("what the host can never take is left out and named, and what comes behind it is read", () =>
  Bench.run({}, async (bench) => {
    const running = await bench.connected();
    bench.host.door = (draft) => {
      if (draft.text === "odd") throw Object.assign(new Error("“text” does not fit"), { code: "invalid" });
      return { outcome: "admitted" };
    };
    bench.server.say("odd");
    bench.server.say("good");
    await bench.until(() => bench.texts.includes("good"));
    expect(bench.host.said()).toContain("is left out");
    expect(bench.host.states).toEqual(["connecting", "running"]);
    await running.stopped(bench.host);
  }));
