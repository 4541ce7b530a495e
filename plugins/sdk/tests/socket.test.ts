/** The fake sockets behave as the host's do, and the channel contract finds mistakes of a channel that listens by one. */

import type { Channel, ConnectContext } from "@kata-agents/plugin-sdk";
import { SendError } from "@kata-agents/plugin-sdk";
import { channelContract, FakeHost, type FakePlatform, json, refused, runContract, settle, SOCKET_SILENCE_MS } from "@kata-agents/plugin-sdk/testing";
import { describe, expect, test } from "vitest";

/** Opens a socket and keeps what happens to it. */
function listen(url = "wss://chat.example/socket") {
  const socket = new WebSocket(url, ["chat.v1"]);
  const seen: string[] = [];
  socket.onopen = () => void seen.push("open");
  socket.addEventListener("message", (event) => void seen.push(`message ${String(event.data)}`));
  socket.addEventListener("error", (event) => void seen.push(`error ${(event as ErrorEvent).message}`));
  socket.onclose = (event) => void seen.push(`close ${event.code} ${event.reason} ${event.wasClean}`);
  return { socket, seen };
}

describe("a socket", () => {
  test("opens, carries texts both ways in order, and ends with the server's goodbye", async () => {
    const host = new FakeHost({ sockets: (connection) => connection.send("early") });
    await host.run(async () => {
      const { socket, seen } = listen();
      expect(socket.readyState).toBe(WebSocket.CONNECTING);
      expect(() => socket.send("too soon")).toThrow("the socket is not open yet");
      await settle();
      expect([socket.readyState, socket.url, host.sockets.last?.protocols]).toEqual([WebSocket.OPEN, "wss://chat.example/socket", ["chat.v1"]]);
      for (const text of ["a", "b"]) socket.send(text);
      host.sockets.last?.send({ type: "hello" });
      await settle();
      expect(host.sockets.last?.received).toEqual(["a", "b"]);
      host.sockets.last?.close(4004, "bad token");
      await settle();
      expect(seen).toEqual(["open", "message early", 'message {"type":"hello"}', "close 4004 bad token true"]);
      expect([socket.readyState, host.sockets.open.length]).toEqual([WebSocket.CLOSED, 0]);
    });
  });

  test("that is refused says error, then close with 1006", async () => {
    await new FakeHost().run(async () => {
      const { seen } = listen();
      await settle();
      expect(seen).toEqual(["error WebSocket: chat.example: cannot connect", "close 1006  false"]);
    });
  });

  test("that the plugin closes gives its code to the server and back", async () => {
    const host = new FakeHost({ sockets: () => {} });
    await host.run(async () => {
      const { socket, seen } = listen();
      await settle();
      expect(() => socket.close(1001)).toThrow("the code is 1000 or from 3000 to 4999");
      socket.close(3001, "bye");
      await settle();
      expect(host.sockets.last?.goodbye).toEqual({ code: 3001, reason: "bye" });
      expect(seen).toEqual(["open", "close 3001 bye true"]);
    });
  });

  test("that is half-open carries nothing, and is noticed after a while or not at all", async () => {
    const host = new FakeHost({ sockets: () => {} });
    await host.run(async () => {
      const [first, second] = [listen(), listen()];
      await settle();
      const [one, two] = host.sockets.connections;
      one?.goSilent();
      two?.goSilent(Infinity);
      one?.send("lost");
      first.socket.send("lost too");
      await host.clock.advance(SOCKET_SILENCE_MS - 1);
      expect([one?.received, first.seen]).toEqual([[], ["open"]]);
      await host.clock.advance(1);
      expect(first.seen.slice(1)).toEqual(["error WebSocket: the connection broke off", "close 1006  false"]);
      await host.clock.advance(3_600_000);
      expect(second.seen).toEqual(["open"]);
      second.socket.close();
      await host.clock.advance(10_000);
      expect(second.seen.at(-1)).toBe("close 1006  false");
    });
  });

  test("carries bytes as a Blob, or as a buffer where that is asked for", async () => {
    const host = new FakeHost({ sockets: () => {} });
    await host.run(async () => {
      const socket = new WebSocket("ws://chat.example/");
      const got: unknown[] = [];
      socket.onmessage = (event) => void got.push(event.data);
      await settle();
      host.sockets.last?.send(new Uint8Array([1, 2]));
      await settle();
      socket.binaryType = "arraybuffer";
      host.sockets.last?.send(new Uint8Array([9, 3]).subarray(1));
      await settle();
      expect(got[0]).toBeInstanceOf(Blob);
      expect(got[1]).toEqual(new Uint8Array([3]).buffer);
    });
  });
});

type Mistake = "none" | "takes before it is stored" | "leaves its socket open" | "opens without a pause" | "never opens another";

/** A platform that pushes each message until it is taken. */
function platform(): FakePlatform {
  const written: { id: number; text: string; taken: boolean }[] = [];
  const sent: string[] = [];
  let push = () => {};
  return {
    route: { account: "me", conversation: "room" },
    sent: () => sent,
    write(text) {
      const id = written.push({ id: written.length + 1, text, taken: false });
      push();
      return String(id);
    },
    answer: (request) => json({ id: sent.push(String(request.json()["text"])) }),
    socket(connection) {
      push = () => written.filter((one) => !one.taken).forEach((one) => connection.send({ id: one.id, text: one.text }));
      connection.onMessage = (data) => {
        for (const one of written) if (String(one.id) === data) one.taken = true;
      };
      push();
      const again = setInterval(() => (connection.open ? push() : clearInterval(again)), 5_000);
    },
  };
}

function channel(mistake: Mistake): Channel {
  const once = (ctx: ConnectContext) =>
    new Promise<void>((resolve) => {
      const socket = new WebSocket("wss://chat.example/");
      socket.onopen = () => ctx.status({ state: "running" });
      socket.onmessage = async (event) => {
        const { id, text } = JSON.parse(String(event.data)) as { id: number; text: string };
        if (mistake === "takes before it is stored") socket.send(String(id));
        const draft = { account: "me", messageId: String(id), conversation: "room", chatType: "direct" as const, sender: { id: "ann" }, text };
        await ctx.receive(draft).then(() => socket.send(String(id)), () => undefined);
      };
      socket.onclose = () => (mistake === "never opens another" ? undefined : resolve());
      const stop = () => {
        if (mistake !== "leaves its socket open") socket.close(1000);
        resolve();
      };
      ctx.signal.addEventListener("abort", stop);
      socket.addEventListener("close", () => ctx.signal.removeEventListener("abort", stop));
    });
  return {
    id: "chat",
    meta: { label: "Chat" },
    capabilities: { textMax: 100 },
    messaging: {
      async connect(ctx) {
        while (!ctx.signal.aborted) {
          await once(ctx);
          if (!ctx.signal.aborted) await new Promise((resolve) => setTimeout(resolve, mistake === "opens without a pause" ? 1 : 1_000));
        }
      },
    },
    outbound: {
      async send(message, ctx) {
        try {
          const response = await fetch("https://chat.example/", { method: "POST", body: JSON.stringify({ text: message.text }), signal: ctx.signal });
          return { messageIds: [String(((await response.json()) as { id: number }).id)] };
        } catch (error) {
          throw new SendError({ code: "unreachable", message: "no answer", certain: (error as { code?: unknown }).code === "connect" });
        }
      },
    },
  };
}

describe("the contract of a channel that listens by socket", () => {
  const failures = async (mistake: Mistake) =>
    (await runContract(channelContract("chat", () => channel(mistake), { platform }))).filter((one) => one.error !== undefined).map((one) => one.name);

  test("passes one without a mistake", async () => expect(await failures("none")).toEqual([]));
  const found: [Mistake, string][] = [
    ["takes before it is stored", "chat: a message that could not be stored is handed in again"],
    ["leaves its socket open", "chat: it ends when it is told to, and leaves nothing behind"],
    ["opens without a pause", "chat: a platform that was down is found again, and is not asked without a pause"],
    ["never opens another", "chat: a platform that was down is found again, and is not asked without a pause"],
  ];
  test.each(found)("finds one that %s", async (mistake, sentence) => expect(await failures(mistake)).toContain(sentence));

  test("a refusal by the platform is one more try, not the end", async () => {
    let tries = 0;
    const host = new FakeHost({
      sockets: () => {
        tries += 1;
        if (tries < 3) throw refused();
      },
    });
    await host.run(async () => {
      const abort = new AbortController();
      void channel("none").messaging?.connect(host.connectContext(abort.signal));
      await host.clock.advance(3_000);
      expect([tries, host.states]).toEqual([3, ["running"]]);
      abort.abort();
    });
  });
});
