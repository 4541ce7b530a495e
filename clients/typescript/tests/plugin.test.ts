import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type CallContext, KataClient, type PluginDefinition, SendFailed, tool } from "../src/index.ts";
import { gateway } from "./gateway.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const words: PluginDefinition = {
  id: "words",
  name: "Words",
  version: "1.0.0",
  tools: {
    count: tool<{ text: string }>({ description: "Counts.", parameters: { type: "object" }, run: ({ text }, { session }) => `${text.split(" ").length} in ${session}` }),
    fails: tool({ description: "", parameters: {}, run: () => Promise.reject(new Error("no luck")) }),
  },
  hooks: {
    message_received: { priority: 3, run: ({ text }) => ({ text: text.toUpperCase() }) },
    message_sent: { run: () => undefined },
  },
  channels: {
    line: {
      name: "Line",
      send: ({ text, idempotencyKey }) => {
        if (text === "busy") throw new SendFailed("rate_limited", "slower", { certain: true, retryAfterMs: 1_500 });
        if (text === "who knows") throw new Error("the wire broke");
        return { messageIds: [idempotencyKey] };
      },
    },
  },
};

async function joined(plugin = words) {
  const world = gateway();
  const client = new KataClient({ url: "ws://x/ws", token: "t", client: "test", WebSocket: world.WebSocket });
  const arrived = client.connect();
  world.newest().greet();
  await arrived;
  const asked = client.register(plugin);
  accept(world.newest());
  return { ...world, client, plugin: await asked };
}

function accept(socket: ReturnType<typeof gateway>["sockets"][number], error: { code: "conflict"; message: string } | null = null): void {
  const { id } = socket.last("register");
  socket.say({ type: "response", id, result: null, error: error === null ? null : { ...error, hint: null, details: null } });
}

async function call(socket: ReturnType<typeof gateway>["sockets"][number], number: number, kind: "tool" | "hook" | "send" | "start" | "stop", params: object) {
  socket.say({ type: "call", call: number, plugin: "words", kind, params, deadlineMs: 1_000 });
  await vi.waitFor(() => expect(socket.of("answer").some((answer) => answer.call === number)).toBe(true));
  const answer = socket.of("answer").find((each) => each.call === number);
  return { result: answer?.result, error: answer?.error };
}

const message = (text: string) => ({ channel: "line", message: { route: {}, text, idempotencyKey: "k1", attempt: 1 } });

describe("a plugin", () => {
  it("is registered with what it brings", async () => {
    const { newest } = await joined();
    const { plugin } = newest().last("register");
    expect(plugin).toMatchObject({
      id: "words",
      tools: [{ name: "count", readOnly: false }, { name: "fails" }],
      hooks: [{ event: "message_received", priority: 3 }, { event: "message_sent", priority: 0 }],
      channels: [{ id: "line", name: "Line", capabilities: null }],
    });
  });

  it("is rejected with the gateway's reason, and not registered again after a reconnect then", async () => {
    const { client, newest, sockets } = await joined();
    const asked = client.register({ id: "echo", name: "Echo", version: "1" });
    accept(newest(), { code: "conflict", message: "the id “echo” is that of plugin “Echo”" });
    await expect(asked).rejects.toMatchObject({ code: "conflict" });
    newest().drop();
    await vi.advanceTimersByTimeAsync(1_000);
    newest().greet();
    expect(sockets).toHaveLength(2);
    expect(newest().of("register").map((frame) => frame.plugin.id)).toEqual(["words"]);
  });

  it("that is refused after a reconnect is told of", async () => {
    const { client, newest } = await joined();
    const refused = vi.fn();
    client.on("refused", refused);
    newest().drop();
    await vi.advanceTimersByTimeAsync(1_000);
    newest().greet();
    accept(newest(), { code: "conflict", message: "switched off" });
    await vi.waitFor(() => expect(refused).toHaveBeenCalledWith("words", expect.objectContaining({ message: "switched off" })));
  });

  it("answers tools, hooks and sends by its handlers", async () => {
    const { newest } = await joined();
    expect(await call(newest(), 1, "tool", { name: "count", params: { text: "a b" }, session: "s1" })).toEqual({ result: { text: "2 in s1" }, error: null });
    expect(await call(newest(), 2, "hook", { event: "message_received", input: { text: "hi" } })).toEqual({ result: { text: "HI" }, error: null });
    expect(await call(newest(), 3, "hook", { event: "message_sent", input: {} })).toEqual({ result: null, error: null });
    expect(await call(newest(), 4, "send", message("hello"))).toEqual({ result: { messageIds: ["k1"] }, error: null });
    expect(await call(newest(), 5, "start", { channel: "line", cursor: null })).toEqual({ result: null, error: null });
  });

  it("turns what is thrown into errors that say how sure they are", async () => {
    const { newest } = await joined();
    expect((await call(newest(), 1, "tool", { name: "fails", params: {} })).error).toMatchObject({ code: "upstream", message: "no luck" });
    expect((await call(newest(), 2, "tool", { name: "nope", params: {} })).error?.message).toContain("no tool “nope”");
    expect((await call(newest(), 3, "send", message("busy"))).error?.details).toEqual({ code: "rate_limited", certain: true, retryAfterMs: 1_500 });
    expect((await call(newest(), 4, "send", message("who knows"))).error).toMatchObject({ message: "the wire broke", details: null });
  });

  it("hands messages in and says how it stands", async () => {
    const { newest, plugin } = await joined();
    const asked = plugin.receive("line", { account: "a", messageId: "1", conversation: "c", chatType: "direct", sender: { id: "u" }, text: "hi" });
    expect(newest().last("inbound")).toMatchObject({ plugin: "words", channel: "line", message: { text: "hi" } });
    newest().say({ type: "response", id: newest().last("inbound").id, result: { outcome: "admitted" }, error: null });
    await expect(asked).resolves.toEqual({ outcome: "admitted" });
    plugin.report("line", { kind: "running" }, { cursor: "42" });
    expect(newest().last("report")).toMatchObject({ channel: "line", cursor: "42", status: { state: { kind: "running" } } });
  });
});

describe("a call that nobody waits for", () => {
  const slow = () => {
    const seen: CallContext[] = [];
    let finish = (_: string) => {};
    const run = (_: object, context: CallContext) => {
      seen.push(context);
      return new Promise<string>((resolve) => (finish = resolve));
    };
    const plugin: PluginDefinition = { id: "words", name: "W", version: "1", tools: { slow: tool({ description: "", parameters: {}, run }) } };
    return { plugin, seen, finish: (text: string) => finish(text) };
  };

  it("is aborted, and its late answer is not sent", async () => {
    const { plugin, seen, finish } = slow();
    const { newest } = await joined(plugin);
    newest().say({ type: "call", call: 1, plugin: "words", kind: "tool", params: { name: "slow", params: {} }, deadlineMs: 1_000 });
    newest().say({ type: "cancel", call: 1 });
    expect(seen[0]?.signal.aborted).toBe(true);
    finish("late");
    await vi.advanceTimersByTimeAsync(0);
    expect(newest().of("answer")).toHaveLength(0);
  });

  it("is never answered over another connection than its own", async () => {
    const { plugin, seen, finish } = slow();
    const { newest, sockets } = await joined(plugin);
    newest().say({ type: "call", call: 1, plugin: "words", kind: "tool", params: { name: "slow", params: {} }, deadlineMs: 60_000 });
    newest().drop();
    expect(seen[0]?.signal.aborted).toBe(true);
    await vi.advanceTimersByTimeAsync(1_000);
    newest().greet();
    finish("late");
    await vi.advanceTimersByTimeAsync(0);
    expect(sockets).toHaveLength(2);
    expect(newest().of("answer")).toHaveLength(0);
  });
});
