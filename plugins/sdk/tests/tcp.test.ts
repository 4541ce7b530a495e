import { connect, type Socket } from "@kata-agents/plugin-sdk";
import { FakeHost } from "@kata-agents/plugin-sdk/testing";
import { expect, test } from "vitest";

const TO = { hostname: "mail.example.org", port: 143 };

async function say(socket: Socket, text: string): Promise<void> {
  const writer = socket.writable.getWriter();
  await writer.write(new TextEncoder().encode(text));
  writer.releaseLock();
}

async function hear(socket: Socket): Promise<string> {
  const reader = socket.readable.getReader();
  const { value, done } = await reader.read();
  reader.releaseLock();
  return done ? "end" : new TextDecoder().decode(value);
}

test("a scripted server hears lines and bytes and answers", async () => {
  const host = new FakeHost({
    tcp: async (server) => {
      server.write("* hello\r\n");
      const line = await server.line();
      const bytes = await server.read(3);
      server.write(`${line}|${new TextDecoder().decode(bytes)}`);
      expect(await server.line()).toBe(undefined);
    },
  });
  await host.run(async () => {
    const socket = connect(TO);
    await socket.opened;
    expect(await hear(socket)).toBe("* hello\r\n");
    await say(socket, "a1 LOGIN\r\nab");
    await say(socket, "c");
    expect(await hear(socket)).toBe("a1 LOGIN|abc");
    await socket.close();
    await socket.closed;
    expect(host.tcp.last).toMatchObject({ address: TO, secure: false, ended: true, transcript: "a1 LOGIN\r\nabc" });
  });
});

test("nobody listening, a break, an end and silence are what they are on a real network", async () => {
  const host = new FakeHost();
  await host.run(async () => {
    const refused = connect(TO);
    await expect(refused.opened).rejects.toMatchObject({ code: "connect" });
    await refused.closed;

    host.tcp.answerWith((server) => server.end());
    expect(await hear(connect(TO))).toBe("end");

    host.tcp.answerWith(() => undefined);
    const broken = connect(TO);
    await broken.opened;
    host.tcp.last?.drop();
    await expect(hear(broken)).rejects.toMatchObject({ code: "closed" });

    const silent = connect(TO);
    await silent.opened;
    host.tcp.last?.goSilent();
    await say(silent, "anybody?\r\n");
    const heard = hear(silent);
    host.tcp.last?.write("yes");
    expect(await Promise.race([heard, new Promise((resolve) => resolve("nothing"))])).toBe("nothing");
    await silent.close();
    expect(host.tcp.open).toEqual([]);
  });
});

test("TLS begins once on a connection that may, and what was said before is not said again", async () => {
  const host = new FakeHost({
    tcp: async (server) => {
      expect(await server.line()).toBe("STARTTLS");
      server.write("go\r\n");
      await new Promise<void>((resolve) => (server.onSecure = resolve));
      expect(server.secure).toBe(true);
      expect(await server.line()).toBe("secret");
      server.write("ok");
    },
  });
  await host.run(async () => {
    const plain = connect(TO, { secureTransport: "starttls" });
    await say(plain, "STARTTLS\r\n");
    expect(await hear(plain)).toBe("go\r\n");
    const socket = plain.startTls();
    await socket.opened;
    await plain.closed;
    await expect(say(plain, "in the clear")).rejects.toMatchObject({ code: "closed" });
    expect(() => plain.startTls()).toThrow(TypeError);
    await say(socket, "secret\r\n");
    expect(await hear(socket)).toBe("ok");
  });
});

test("without a host there is no connection", () => {
  expect(() => connect(TO)).toThrow("there is no host here");
});
