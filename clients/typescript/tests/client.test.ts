import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { KataClient, KataError } from "../src/index.ts";
import { gateway } from "./gateway.ts";

const options = { url: "ws://127.0.0.1:1/ws", token: "t", client: "test" };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

async function connected() {
  const world = gateway();
  const client = new KataClient({ ...options, WebSocket: world.WebSocket });
  const arrived = client.connect();
  world.newest().greet();
  await arrived;
  return { ...world, client };
}

describe("a connection", () => {
  it("answers hello with connect and resolves with the welcome", async () => {
    const { newest, client } = await connected();
    expect(newest().last("connect")).toMatchObject({ version: 1, token: "t", client: "test", topics: null });
    expect(client.welcome).toEqual({ boot: "boot-1", scope: "admin", operations: ["session.list"] });
  });

  it("comes back by itself with what it had last, and waits longer each time", async () => {
    const { sockets, newest, client } = await connected();
    const states: string[] = [];
    client.on("state", (state) => states.push(state));
    newest().say({ type: "event", seq: 7, fact: { topic: "pairing_changed" } });
    newest().drop();
    await vi.advanceTimersByTimeAsync(700);
    expect(sockets).toHaveLength(2);
    newest().drop();
    await vi.advanceTimersByTimeAsync(700);
    expect(sockets, "the second wait is longer").toHaveLength(2);
    await vi.advanceTimersByTimeAsync(700);
    newest().greet("boot-1", 9);
    expect(newest().last("connect")).toMatchObject({ boot: "boot-1", lastSeq: 7 });
    expect(states).toEqual(["waiting", "connecting", "waiting", "connecting", "connected"]);
  });

  it.each([4001, 4002, 4003])("does not come back after close code %i", async (code) => {
    const { sockets, newest, client } = await connected();
    const told = new Promise<string>((resolve) => client.on("state", (state, reason) => state === "closed" && resolve(reason)));
    newest().say({ type: "goodbye", reason: "the token was withdrawn" });
    newest().drop(code);
    await expect(told).resolves.toBe("the token was withdrawn");
    await vi.advanceTimersByTimeAsync(120_000);
    expect(sockets).toHaveLength(1);
  });

  it("rejects the first connect where it is refused for good", async () => {
    const world = gateway();
    const arrived = new KataClient({ ...options, WebSocket: world.WebSocket }).connect();
    world.newest().say({ type: "hello", nonce: "n", versions: [1] });
    world.newest().say({ type: "goodbye", reason: "the token is not valid" });
    world.newest().drop(4001);
    await expect(arrived).rejects.toThrow("the token is not valid");
  });

  it("says what is missing in a runtime without a WebSocket", () => {
    vi.stubGlobal("WebSocket", undefined);
    expect(() => new KataClient(options)).toThrow("option `WebSocket`");
    vi.unstubAllGlobals();
  });

  it("ends with close, and rejects what was under way", async () => {
    const { newest, client } = await connected();
    const asked = client.call("session.list", {});
    client.close();
    await expect(asked).rejects.toMatchObject({ code: "disconnected" });
    expect(newest().closed).toBe(true);
    await expect(client.call("session.list", {})).rejects.toBeInstanceOf(KataError);
  });
});

describe("operations", () => {
  it("resolve with the result of their own request, in whatever order answers come", async () => {
    const { newest, client } = await connected();
    const [first, second] = [client.call("session.list", {}), client.call("session.list", { limit: 1 })];
    const [a, b] = newest().of("request");
    newest().say({ type: "response", id: b?.id ?? 0, result: "second", error: null });
    newest().say({ type: "response", id: a?.id ?? 0, result: "first", error: null });
    expect([await first, await second]).toEqual(["first", "second"]);
  });

  it("reject with code, words and hint", async () => {
    const { newest, client } = await connected();
    const asked = client.call("session.get", { id: "nope" });
    const error = { code: "not_found" as const, message: "no session named “nope”", hint: "look again", details: null };
    newest().say({ type: "response", id: newest().last("request").id, result: null, error });
    await expect(asked).rejects.toMatchObject({ code: "not_found", message: "no session named “nope”", hint: "look again" });
  });
});

describe("events", () => {
  it("come in order with their numbers until nobody listens", async () => {
    const { newest, client } = await connected();
    const seen: number[] = [];
    const stop = client.on("fact", (fact, seq) => {
      expect(fact.topic).toBe("pairing_changed");
      seen.push(seq);
    });
    for (const seq of [1, 2]) newest().say({ type: "event", seq, fact: { topic: "pairing_changed" } });
    stop();
    newest().say({ type: "event", seq: 3, fact: { topic: "pairing_changed" } });
    expect(seen).toEqual([1, 2]);
  });

  it("that are gone for good are told as a resync, after which the newest number counts", async () => {
    const { newest, client } = await connected();
    const resync = vi.fn();
    client.on("resync", resync);
    newest().drop();
    await vi.advanceTimersByTimeAsync(1_000);
    newest().greet("boot-2", 40);
    newest().say({ type: "resync", seq: 40 });
    expect(resync).toHaveBeenCalledOnce();
    newest().drop();
    await vi.advanceTimersByTimeAsync(1_000);
    newest().greet("boot-2", 41);
    expect(newest().last("connect")).toMatchObject({ boot: "boot-2", lastSeq: 40 });
  });

  it("and frames of a newer gateway are passed over", async () => {
    const { newest, client } = await connected();
    newest().say({ type: "weather", sun: true } as never);
    const asked = client.call("session.list", {});
    newest().say({ type: "response", id: newest().last("request").id, result: [], error: null });
    await expect(asked).resolves.toEqual([]);
  });
});
