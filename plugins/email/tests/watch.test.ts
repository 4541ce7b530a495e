import { FakeHost, type Loaded, load, outbound, Running } from "@kata-agents/plugin-sdk/testing";
import { expect, test } from "vitest";
import plugin from "../index.ts";
import { CONFIG, fromAnn, MailServers, PASSWORD } from "./servers.ts";

interface Bench {
  host: FakeHost;
  servers: MailServers;
  loaded: Loaded;
  connect(): Running;
}

async function bench(check: (bench: Bench) => Promise<void>, config: Record<string, unknown> = {}): Promise<void> {
  const servers = new MailServers();
  const host = new FakeHost({ config: { ...CONFIG, ...config }, secrets: { password: PASSWORD }, tcp: servers.serve });
  const loaded = await load(plugin);
  await host.run(() => check({ host, servers, loaded, connect: () => new Running((signal) => loaded.channel().messaging?.connect(host.connectContext(signal))) }));
}

test("IDLE is begun anew every 25 minutes, and a connection that is dead without saying so is found by it", () =>
  bench(async ({ host, servers, connect }) => {
    const running = connect();
    await host.clock.advance(1_000);
    expect([servers.idles, host.tcp.connections.length]).toEqual([1, 1]);
    await host.clock.advance(3 * 25 * 60_000 + 1_000);
    expect([servers.idles, host.tcp.connections.length]).toEqual([4, 1]);
    host.tcp.last?.goSilent();
    await host.clock.advance(30 * 60_000);
    expect(host.tcp.connections.length).toBe(2);
    expect(host.states.at(-1)).toBe("running");
    servers.deliver(fromAnn("late@x", "are you there?"));
    await host.clock.advance(1_000);
    expect(host.received).toEqual(["late@x"]);
    await running.stopped(host);
  }));

test("twelve hours with a break every half an hour: each message is handed in once, in order", () =>
  bench(async ({ host, servers, connect }) => {
    const running = connect();
    const wanted: string[] = [];
    for (let round = 0; round < 24; round += 1) {
      await host.clock.advance(15 * 60_000);
      wanted.push(`a${round}@x`);
      servers.deliver(fromAnn(`a${round}@x`, "before the break"));
      await host.clock.advance(60_000);
      host.tcp.dropAll();
      wanted.push(`b${round}@x`);
      servers.deliver(fromAnn(`b${round}@x`, "in the break"));
      await host.clock.advance(14 * 60_000);
    }
    expect(host.drafts.map((draft) => draft.messageId)).toEqual(wanted);
    await running.stopped(host);
  }));

test("a server that is away for hours is asked ever less often, and found again", () =>
  bench(async ({ host, servers, connect }) => {
    const running = connect();
    await host.clock.advance(1_000);
    host.tcp.answerWith(() => {
      throw new Error("nobody listens");
    });
    host.tcp.dropAll();
    const before = host.tcp.connections.length;
    await host.clock.advance(3_600_000);
    const tries = host.tcp.connections.length - before;
    expect(tries).toBeGreaterThan(55);
    expect(tries).toBeLessThan(140);
    expect(host.states.at(-1)).toBe("degraded/unreachable");
    host.tcp.answerWith(servers.serve);
    await host.clock.advance(61_000);
    expect(host.states.at(-1)).toBe("running");
    await running.stopped(host);
  }));

test("numbers that begin anew (UIDVALIDITY) lose nothing, and the host sees again only what it knows", () =>
  bench(async ({ host, servers, connect }) => {
    const running = connect();
    await host.clock.advance(1_000);
    for (const id of ["1@x", "2@x"]) servers.deliver(fromAnn(id, id));
    await host.clock.advance(1_000);
    servers.renew();
    host.tcp.dropAll();
    servers.deliver(fromAnn("3@x", "3"));
    await host.clock.advance(10_000);
    expect(host.received).toEqual(["1@x", "2@x", "3@x"]);
    expect(host.log.map((line) => line.message).join()).toContain("UIDVALIDITY");
    await running.stopped(host);
  }));

test("what was there before the channel was switched on, and what is older than a day, is not answered", () =>
  bench(async ({ host, servers, connect }) => {
    servers.deliver(fromAnn("old@x", "from last week"), Date.now() - 7 * 24 * 3600_000);
    servers.deliver(fromAnn("yesterday@x", "before it was switched on"), Date.now() - 3600_000);
    const first = connect();
    await host.clock.advance(1_000);
    servers.deliver(fromAnn("new@x", "now"));
    await host.clock.advance(1_000);
    await first.stopped(host);
    await host.clock.advance(30 * 3600_000);
    servers.deliver(fromAnn("stale@x", "while it was away"), Date.now() - 25 * 3600_000);
    servers.deliver(fromAnn("fresh@x", "an hour ago"), Date.now() - 3600_000);
    const second = connect();
    await host.clock.advance(1_000);
    expect(host.received).toEqual(["new@x", "fresh@x"]);
    await second.stopped(host);
  }));

test("after a long time away at most a thousand messages are taken in, the newest", () =>
  bench(async ({ host, servers, connect }) => {
    const first = connect();
    await host.clock.advance(1_000);
    servers.deliver(fromAnn("first@x", "x"));
    await host.clock.advance(1_000);
    await first.stopped(host);
    for (let n = 0; n < 1_030; n += 1) servers.deliver(fromAnn(`m${n}@x`, "x"));
    const second = connect();
    await host.clock.until(() => host.received.length >= 1_001, 60_000);
    expect([host.received.length, host.received[1], host.received.at(-1)]).toEqual([1_001, "m30@x", "m1029@x"]);
    expect(host.log.map((line) => line.message).join()).toContain("30 messages of the time away are left out");
    await second.stopped(host);
  }));

test("a password that is changed while it runs waits for a person, is not tried again, and the new one is taken up", () =>
  bench(async ({ host, servers, connect }) => {
    const running = connect();
    await host.clock.advance(1_000);
    servers.password = "another";
    host.tcp.dropAll();
    await host.clock.advance(5_000);
    expect(host.states.at(-1)).toBe("needs_user/sign_in_refused");
    const tries = host.tcp.connections.length;
    await host.clock.advance(3_600_000);
    expect(host.tcp.connections.length, "a refused password locks accounts").toBe(tries);
    servers.deliver(fromAnn("kept@x", "while it waited"));
    host.secrets.set("password", "another\n");
    await host.clock.advance(11_000);
    expect(host.received).toEqual(["kept@x"]);
    expect(host.said()).not.toContain("another");
    await running.stopped(host);
  }));

test("a server without IDLE is asked every half a minute", () =>
  bench(async ({ host, servers, connect }) => {
    servers.idle = false;
    const running = connect();
    await host.clock.advance(1_000);
    servers.deliver(fromAnn("a@x", "hello"));
    await host.clock.advance(31_000);
    expect([host.received, servers.idles, servers.stored[0]?.seen]).toEqual([["a@x"], 0, true]);
    await running.stopped(host);
  }));

test("a thread is a conversation of those in it; who else names its ids begins one of their own", () =>
  bench(async ({ host, servers, loaded, connect }) => {
    const running = connect();
    await host.clock.advance(1_000);
    servers.deliver(fromAnn("root@ann.example", "hello", "Subject: Plans\nCc: carl@ann.example\n"));
    await host.clock.advance(1_000);
    const route = { channel: "email", account: CONFIG.address, conversation: "<root@ann.example>", replyTo: "root@ann.example" };
    const { messageIds } = await loaded.channel().outbound.send(outbound("an answer", { route }), host.context());
    // Ann's program sends no References, only In-Reply-To; Carl was in Cc; Eve was not.
    servers.deliver(fromAnn("second@ann.example", "thanks", `In-Reply-To: <${messageIds[0]}>\n`));
    servers.deliver(fromAnn("third@ann.example", "me too", "References: <root@ann.example>\n").replace("Ann Lee <ann@", "Carl <carl@"));
    servers.deliver(fromAnn("fourth@ann.example", "let me in", "References: <root@ann.example>\n").replace("Ann Lee <ann@", "Eve <eve@"));
    await host.clock.advance(1_000);
    expect(host.drafts.map(({ conversation, sender, text }) => [conversation, sender.id, text])).toEqual([
      ["<root@ann.example>", "ann@ann.example", "Plans\n\nhello"],
      ["<root@ann.example>", "ann@ann.example", "thanks"],
      ["<root@ann.example>", "carl@ann.example", "me too"],
      ["<fourth@ann.example>", "eve@ann.example", "let me in"],
    ]);
    // Each answer goes to whoever is answered, and to nobody else.
    await loaded.channel().outbound.send(outbound("to Ann", { route: { ...route, replyTo: "second@ann.example" }, idempotencyKey: "k2" }), host.context());
    await loaded.channel().outbound.send(outbound("to Carl", { route: { ...route, replyTo: "third@ann.example" }, idempotencyKey: "k3" }), host.context());
    expect(servers.submitted.map(({ to, raw }) => [to, /^Subject: (.*)$/m.exec(raw)?.[1]?.trim()])).toEqual([
      ["ann@ann.example", "Re: Plans"],
      ["ann@ann.example", "Re: Plans"],
      ["carl@ann.example", "Re: Plans"],
    ]);
    // A thread that is forgotten is not taken for an address, though its root looks like one.
    await expect(loaded.channel().outbound.send(outbound("x", { route: { ...route, conversation: "<gone@ann.example>" } }), host.context())).rejects.toMatchObject({ code: "not_found", certain: true });
    await running.stopped(host);
  }));

test("what an SMTP server answers says whether it is tried again, and when bytes may have left", () =>
  bench(async ({ host, servers, loaded }) => {
    const send = () => loaded.channel().outbound.send(outbound("hi", { route: { channel: "email", account: CONFIG.address, conversation: "ann@ann.example" } }), host.context());
    servers.recipient = "550 5.1.1 no such person";
    await expect(send()).rejects.toMatchObject({ code: "not_found", certain: true });
    servers.recipient = "451 4.7.1 greylisted";
    await expect(send()).rejects.toMatchObject({ code: "rate_limited", retryAfterMs: 60_000, certain: true });
    servers.recipient = "250 fine";
    servers.verdict = "452 4.2.2 the disk is full";
    await expect(send()).rejects.toMatchObject({ code: "rate_limited", certain: true });
    servers.verdict = "554 5.7.1 looks like spam";
    await expect(send()).rejects.toMatchObject({ code: "invalid", certain: true });
    servers.password = "another";
    await expect(send()).rejects.toMatchObject({ code: "unauthorized", certain: true });
    servers.password = PASSWORD;
    servers.verdict = "250 taken";
    // The connection breaks right after the last dot: the message may be out.
    host.tcp.answerWith(async (connection) => {
      const serving = servers.serve(connection);
      const hear = connection.hear.bind(connection);
      connection.hear = (bytes) => (new TextDecoder().decode(bytes).endsWith(".\r\n") ? connection.drop() : hear(bytes));
      await serving;
    });
    await expect(send()).rejects.toMatchObject({ code: "unreachable", certain: false });
    host.tcp.answerWith((connection) => connection.drop());
    await expect(send()).rejects.toMatchObject({ code: "unreachable", certain: true });
    // A server that takes the connection and says nothing is given up.
    host.tcp.answerWith((connection) => connection.goSilent());
    const late = expect(send()).rejects.toMatchObject({ code: "unreachable", certain: true });
    await host.clock.advance(61_000);
    await late;
  }));

test("without a name of who checks senders nothing is read, and the audit warns where nobody checks", () =>
  bench(
    async ({ host, loaded, connect }) => {
      const running = connect();
      await host.clock.advance(1_000);
      expect(host.states).toEqual(["needs_user/authServer_missing"]);
      expect(host.tcp.connections).toEqual([]);
      await running.stopped(host);
      host.config = { ...host.config, senderCheck: "none" };
      expect((await loaded.channel().security?.warnings?.(host.context()))?.map((one) => one.code)).toEqual(["senders_unchecked"]);
    },
    { authServer: "" },
  ));

test("STARTTLS is not gone without, and a server that speaks before it is not believed", () =>
  bench(
    async ({ host, connect }) => {
      host.tcp.answerWith(async (connection) => {
        connection.write("* OK hi\r\n");
        const line = await connection.line();
        connection.write(`* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n${line?.split(" ")[0]} OK\r\n`);
        await connection.line();
      });
      const running = connect();
      await host.clock.advance(500);
      expect(host.states.at(-1)).toBe("degraded/tls");
      expect(host.tcp.last?.transcript).not.toMatch(/AUTHENTICATE|LOGIN/);
      host.tcp.answerWith(async (connection) => {
        connection.write("* OK hi\r\n");
        const first = (await connection.line())?.split(" ")[0];
        connection.write(`* CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN\r\n${first} OK\r\n`);
        const second = (await connection.line())?.split(" ")[0];
        connection.write(`${second} OK go\r\n* OK injected in the clear\r\n`);
        await connection.line();
      });
      await host.clock.advance(5_000);
      expect(host.states.at(-1)).toBe("degraded/tls");
      expect(host.tcp.connections.every((one) => !/AUTHENTICATE|LOGIN/.test(one.transcript))).toBe(true);
      await running.stopped(host);
    },
    { imapUrl: "imap://mail.kata.example:1993" },
  ));
