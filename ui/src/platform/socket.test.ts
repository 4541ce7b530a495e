import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { NumberedFact } from "@/generated/protocol";
import { type Identity, signedText, takeCode, type Vault } from "./device";
import { socketPlatform } from "./socket";
import type { Connection } from "./types";

/** Stands where the browser's WebSocket stands, and plays the server by hand. */
class FakeSocket extends EventTarget {
  readonly sent: Record<string, unknown>[] = [];
  closed = false;

  send(text: string): void {
    this.sent.push(JSON.parse(text) as Record<string, unknown>);
  }

  close(): void {
    this.closed = true;
  }

  say(frame: unknown): void {
    this.dispatchEvent(new MessageEvent("message", { data: JSON.stringify(frame) }));
  }

  drop(code = 1006): void {
    this.dispatchEvent(Object.assign(new Event("close"), { code }));
  }

  welcome(boot = "boot-1", seq = 10): void {
    this.say({ type: "hello", nonce: "n", versions: [1] });
    this.say({ type: "welcome", version: 1, boot, seq, scope: "admin", operations: ["system.status", "plugin.list", "session.submit", "model.test", "gateway.state"] });
  }
}

const fact = (seq: number) => ({ type: "event", seq, fact: { topic: "pairing_changed" } });

const KEY = { type: "private" } as unknown as CryptoKey;

/** A vault that remembers in memory, and signs by saying what it signed. */
function memoryVault(identity: Identity | null = null) {
  const state = { identity };
  const vault: Vault = {
    load: () => Promise.resolve(state.identity),
    keep: (next) => {
      state.identity = next;
      return Promise.resolve();
    },
    forget: () => {
      state.identity = null;
      return Promise.resolve();
    },
    make: () => Promise.resolve({ key: KEY, publicKey: "public" }),
    sign: (_, text) => Promise.resolve(`signed(${text})`),
  };
  return { vault, state };
}

function setUp(token: string | null = "secret-token", { vault = null, code = null }: { vault?: Vault | null; code?: string | null } = {}) {
  const sockets: FakeSocket[] = [];
  const urls: string[] = [];
  if (token !== null) sessionStorage.setItem("kata.token", token);
  const platform = socketPlatform({
    url: "ws://127.0.0.1:18790/ws",
    storage: sessionStorage,
    vault,
    code,
    open: (url) => {
      const socket = new FakeSocket();
      sockets.push(socket);
      urls.push(url);
      return socket as unknown as WebSocket;
    },
  });
  const states: Connection[] = [];
  const facts: NumberedFact[] = [];
  let resyncs = 0;
  platform.onConnection((state) => states.push(state));
  platform.onFact((each) => facts.push(each));
  platform.onResync(() => {
    resyncs += 1;
  });
  const socket = (i = sockets.length - 1): FakeSocket => {
    const found = sockets[i];
    if (found === undefined) throw new Error("no socket was opened");
    return found;
  };
  return { platform, socket, sockets, urls, states, facts, resyncs: () => resyncs };
}

describe("the socket platform", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("answers hello with the token in the frame, never in the address", () => {
    const { socket, urls } = setUp();
    socket().say({ type: "hello", nonce: "n", versions: [1, 2] });
    expect(socket().sent).toEqual([{ type: "connect", version: 1, token: "secret-token", client: "web" }]);
    expect(urls.join()).not.toContain("secret-token");
  });

  it("asks for a token before it dials, and keeps the one it gets for the tab", () => {
    const { platform, sockets, states } = setUp(null);
    expect(sockets).toHaveLength(0);
    expect(states.at(-1)).toEqual({ kind: "needs_token", reason: null });
    platform.connect("  pasted  ");
    expect(sockets).toHaveLength(1);
    expect(sessionStorage.getItem("kata.token")).toBe("pasted");
  });

  it("holds requests back until the welcome and pairs answers by id", async () => {
    const { platform, socket } = setUp();
    const status = platform.request("system.status", {});
    const plugins = platform.request("plugin.list", {});
    expect(socket().sent).toEqual([]);
    socket().welcome();
    const [, first, second] = socket().sent;
    expect([first?.op, second?.op]).toEqual(["system.status", "plugin.list"]);
    socket().say({ type: "response", id: second?.id, result: [] });
    socket().say({ type: "response", id: first?.id, error: { code: "conflict", message: "not now", hint: "later" } });
    await expect(plugins).resolves.toEqual([]);
    await expect(status).rejects.toMatchObject({ wire: { code: "conflict", hint: "later" } });
  });

  it("comes back with the boot and the last number it has, and takes no fact twice", () => {
    const { socket, sockets, facts, resyncs } = setUp();
    socket().welcome("boot-1", 10);
    socket().say(fact(11));
    socket().say(fact(12));
    socket().drop();
    vi.advanceTimersByTime(250);
    expect(sockets).toHaveLength(2);
    socket().welcome("boot-1", 13);
    expect(socket().sent[0]).toMatchObject({ boot: "boot-1", lastSeq: 12 });
    socket().say(fact(12));
    socket().say(fact(13));
    expect(facts.map(({ seq }) => seq)).toEqual([11, 12, 13]);
    expect(resyncs()).toBe(0);
  });

  it("asks for everything again after a resync and after another boot", () => {
    const { socket, facts, resyncs } = setUp();
    socket().welcome("boot-1", 10);
    socket().say({ type: "resync", seq: 500 });
    expect(resyncs()).toBe(1);
    socket().say(fact(400));
    socket().say(fact(501));
    expect(facts.map(({ seq }) => seq)).toEqual([501]);
    socket().drop();
    vi.advanceTimersByTime(250);
    socket().welcome("boot-2", 3);
    expect(socket().sent[0]).toMatchObject({ boot: "boot-1", lastSeq: 501 });
    socket().say({ type: "resync", seq: 3 });
    expect(resyncs()).toBe(2);
    socket().say(fact(4));
    expect(facts.at(-1)?.seq).toBe(4);
  });

  it("waits longer after each failure and starts over after a success", () => {
    const { socket, sockets, states } = setUp();
    const waits: number[] = [];
    for (let i = 0; i < 4; i += 1) {
      socket().drop();
      const state = states.at(-1);
      if (state?.kind !== "offline") throw new Error("not offline");
      waits.push(state.retryAt - Date.now());
      vi.advanceTimersByTime(state.retryAt - Date.now());
    }
    expect(waits).toEqual([250, 500, 1_000, 2_000]);
    expect(sockets).toHaveLength(5);
    socket().welcome();
    socket().drop();
    expect(states.at(-1)).toMatchObject({ kind: "offline", retryAt: Date.now() + 250 });
  });

  it("fails what was sent when the connection goes, and sends what was not", async () => {
    const { platform, socket } = setUp();
    socket().welcome();
    const sent = platform.request("session.submit", { id: "a", text: "hello" });
    socket().drop();
    await expect(sent).rejects.toMatchObject({ wire: { code: "upstream" } });
    const waiting = platform.request("plugin.list", {});
    vi.advanceTimersByTime(250);
    socket().welcome();
    expect(socket().sent.map(({ op }) => op)).toEqual([undefined, "plugin.list"]);
    socket().say({ type: "response", id: socket().sent[1]?.id, result: [] });
    await expect(waiting).resolves.toEqual([]);
  });

  it.each([
    [4001, "the token is not valid", "The token is not valid."],
    [4003, "the token was withdrawn", "The token was withdrawn."],
  ])("asks for another token after close code %d, with the gateway's reason, and does not knock again", (code, said, shown) => {
    const { socket, sockets, states } = setUp("wrong");
    socket().say({ type: "hello", nonce: "n", versions: [1] });
    socket().say({ type: "goodbye", reason: said });
    socket().drop(code);
    expect(states.at(-1)).toEqual({ kind: "needs_token", reason: shown });
    expect(sessionStorage.getItem("kata.token")).toBeNull();
    vi.advanceTimersByTime(60_000);
    expect(sockets).toHaveLength(1);
  });

  it("keeps the token and waits out the minute when it is locked out", () => {
    const { socket, sockets, states } = setUp();
    socket().say({ type: "hello", nonce: "n", versions: [1] });
    socket().say({ type: "goodbye", reason: "too many wrong tokens; try again in 48 s" });
    socket().drop(4029);
    expect(states.at(-1)).toMatchObject({ kind: "offline", reason: "Too many wrong tokens; try again in 48 s." });
    expect(sessionStorage.getItem("kata.token")).toBe("secret-token");
    vi.advanceTimersByTime(59_000);
    expect(sockets).toHaveLength(1);
    vi.advanceTimersByTime(1_000);
    expect(sockets).toHaveLength(2);
  });

  it("gives up on a request that gets no answer, naming the operation", async () => {
    const { platform, socket } = setUp();
    socket().welcome();
    const answer = platform.request("model.test", { id: "x" });
    const failed = expect(answer).rejects.toMatchObject({ wire: { code: "timeout", message: expect.stringContaining("model.test") as string } });
    // The line itself is alive.
    for (let at = 0; at < 120_000; at += 20_000) {
      socket().say(fact(100 + at));
      vi.advanceTimersByTime(20_000);
    }
    await failed;
  });

  it("acknowledges what it took in, once for many", () => {
    const { socket } = setUp();
    socket().welcome("boot-1", 10);
    for (let seq = 11; seq <= 40; seq += 1) socket().say(fact(seq));
    vi.advanceTimersByTime(500);
    expect(socket().sent.filter(({ type }) => type === "ack")).toEqual([{ type: "ack", seq: 40 }]);
  });

  const PHONE: Identity = { device: "dev_1", scope: "chat", key: KEY };

  it("shows the code of the address, keeps what it becomes, and comes again by its signature", async () => {
    const { vault, state } = memoryVault();
    const { socket, sockets, states, urls } = setUp(null, { vault, code: "7K3QZM9XWB" });
    await vi.advanceTimersByTimeAsync(0);
    expect(states.at(-1)).toEqual({ kind: "pairing" });
    socket().say({ type: "hello", nonce: "n1", versions: [1] });
    expect(socket().sent).toEqual([{ type: "pair", version: 1, code: "7K3QZM9XWB", client: "web", publicKey: "public" }]);
    socket().say({ type: "paired", device: "dev_1", token: null, scope: "chat", expiresAt: null });
    socket().drop(1000);
    await vi.advanceTimersByTimeAsync(0);
    expect(state.identity).toEqual(PHONE);
    expect(sockets).toHaveLength(2);
    socket().say({ type: "hello", nonce: "n2", versions: [1] });
    await vi.advanceTimersByTimeAsync(0);
    expect(socket().sent).toEqual([{ type: "connect", version: 1, device: "dev_1", signature: `signed(${signedText("n2", "dev_1")})`, client: "web" }]);
    socket().say({ type: "welcome", version: 1, boot: "b", seq: 1, scope: "chat", operations: ["session.submit"] });
    expect(states.at(-1)).toEqual({ kind: "online" });
    expect(urls.join()).not.toContain("7K3QZ");
  });

  it("takes the code out of the address and the history at once", () => {
    window.history.replaceState(null, "", "/?x=1#/pair/7K3QZ-M9XWB");
    expect(takeCode()).toBe("7K3QZ-M9XWB");
    expect(window.location.href).not.toContain("7K3QZ");
    expect(takeCode()).toBeNull();
  });

  it("says why a code was not taken, and asks for another", async () => {
    const { socket, states } = setUp(null, { vault: memoryVault().vault, code: "WRONG" });
    await vi.advanceTimersByTimeAsync(0);
    socket().say({ type: "hello", nonce: "n", versions: [1] });
    socket().say({ type: "goodbye", reason: "the code is not right, or its time is over; ask for a new one" });
    socket().drop(4001);
    expect(states.at(-1)).toEqual({ kind: "needs_token", reason: "The code is not right, or its time is over; ask for a new one." });
  });

  it.each([4001, 4003])("forgets its key when it is shut out (%d), says so, and does not knock again", async (closed) => {
    const { vault, state } = memoryVault(PHONE);
    const { socket, sockets, states } = setUp(null, { vault });
    await vi.advanceTimersByTimeAsync(0);
    socket().say({ type: "hello", nonce: "n", versions: [1] });
    await vi.advanceTimersByTimeAsync(0);
    socket().say({ type: "goodbye", reason: "the token was withdrawn" });
    socket().drop(closed);
    await vi.advanceTimersByTimeAsync(120_000);
    expect(states.at(-1)?.kind).toBe("shut_out");
    expect(state.identity).toBeNull();
    expect(sockets).toHaveLength(1);
  });

  it("refuses by itself what its scope does not have, without asking", async () => {
    const { platform, socket } = setUp();
    socket().welcome();
    const sent = socket().sent.length;
    expect([platform.may("session.submit"), platform.may("settings.set")]).toEqual([true, false]);
    await expect(platform.request("settings.set", { path: "x", value: 1 })).rejects.toMatchObject({ wire: { code: "forbidden" } });
    expect(socket().sent).toHaveLength(sent);
  });

  it("notices a line that was cut without a word, and dials anew", async () => {
    const { socket, sockets, states } = setUp();
    socket().welcome();
    await vi.advanceTimersByTimeAsync(30_000);
    expect(socket().sent.at(-1)).toMatchObject({ op: "gateway.state" });
    socket().say({ type: "response", id: socket().sent.at(-1)?.id, result: {} });
    await vi.advanceTimersByTimeAsync(40_000);
    expect(sockets).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(states.some(({ kind }) => kind === "offline")).toBe(true);
    expect(sockets.length).toBeGreaterThan(1);
  });

  it("dials at once when the network is back", () => {
    const { socket, sockets } = setUp();
    for (let i = 0; i < 6; i += 1) {
      socket().drop();
      vi.advanceTimersByTime(10_000);
    }
    socket().drop();
    const before = sockets.length;
    window.dispatchEvent(new Event("online"));
    expect(sockets).toHaveLength(before + 1);
  });
});
