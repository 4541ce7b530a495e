import { FakeHost, load, Running, settle } from "@kata-agents/plugin-sdk/testing";
import { expect, test } from "vitest";
import plugin from "../index.ts";
import { fits, isFilter, isTopic, MOST, Reader } from "../packets.ts";
import { Broker } from "./broker.ts";

interface Home {
  host: FakeHost;
  broker: Broker;
  running: Running;
  tool(name: string, args: Record<string, unknown>): Promise<string>;
  status(): string;
}

const TOLD = { broker: "mqtt://broker.example", topics: ["#"], rules: ["home/door/+"], session: "260101-a-b", restSeconds: 0 };

async function at(config: Record<string, unknown>, test: (home: Home) => Promise<void>, state?: Map<string, unknown>, broker = new Broker()): Promise<FakeHost> {
  const host = new FakeHost({ config, secrets: { password: "secret-of-the-test" }, tcp: broker.answer, ...(state === undefined ? {} : { state }) });
  const loaded = await load(plugin);
  await host.run(async () => {
    const service = loaded.service();
    const running = new Running((signal) => service.start(host.serviceContext(signal)));
    const tool = async (name: string, args: Record<string, unknown>) => {
      const result = await loaded.tool<Record<string, unknown>>(name).execute(args, host.context());
      return typeof result === "string" ? result : result.text;
    };
    const status = () => {
      const last = host.statuses.at(-1);
      return last === undefined ? "" : `${last.state} ${last.code ?? ""} ${last.message ?? ""}`.trim();
    };
    await settle();
    await host.clock.advance(1_000);
    await test({ host, broker, running, tool, status });
    running.stop();
    await service.stop?.(host.context());
    await settle();
  });
  return host;
}

test("filters fit topics as the standard says", () => {
  for (const [filter, topic, fit] of [
    ["a/+/c", "a/b/c", true],
    ["a/+/c", "a/b/d/c", false],
    ["a/#", "a", true],
    ["a/#", "a/b/c", true],
    ["#", "a/b", true],
    ["#", "$SYS/uptime", false],
    ["$SYS/#", "$SYS/uptime", true],
    ["+/b", "/b", true],
    ["a/+", "a", false],
  ] as const) {
    expect([filter, topic, fits(filter, topic)]).toEqual([filter, topic, fit]);
  }
  expect(["a/#/b", "a+", "", "a#"].map(isFilter)).toEqual([false, false, false, false]);
  expect(["a/+", "#", ""].map(isTopic)).toEqual([false, false, false]);
});

test("packets are read in whatever pieces they come, and of a huge one only the beginning is kept", () => {
  const body = new Uint8Array(MOST + 5_000).fill(7);
  const length = [(body.length % 128) | 0x80, (Math.floor(body.length / 128) % 128) | 0x80, Math.floor(body.length / 16384)];
  const bytes = Uint8Array.from([0x30, ...length, ...body, 0xd0, 0]);
  for (const size of [1_000, 65_536, bytes.length]) {
    const reader = new Reader();
    const packets = [];
    for (let from = 0; from < bytes.length; from += size) packets.push(...reader.push(bytes.subarray(from, from + size)));
    expect(packets.map((one) => [one.kind, one.body.length, one.whole])).toEqual([
      [3, MOST, body.length],
      [13, 0, 0],
    ]);
  }
  expect(() => new Reader().push(Uint8Array.of(0x30, 0xff, 0xff, 0xff, 0xff, 0xff))).toThrow("four bytes");
});

test("it signs in with its session kept, remembers values, and the agent reads them", async () => {
  await at({ broker: "mqtt://broker.example:1884", username: "ann" }, async ({ broker, host, tool, status }) => {
    expect(status()).toBe("running");
    expect(host.tcp).toBeDefined();
    expect(broker.connects[0]).toMatchObject({ username: "ann", password: "secret-of-the-test", clean: false, keepAlive: 60 });
    expect(broker.connects[0]?.client).toMatch(/^kata[0-9a-f]{12}$/);
    expect(broker.subscribed).toEqual(["#"]);
    broker.send("home/hall/temperature", "21.5", { qos: 0 });
    broker.send("home/lamp", "ON", { retain: true, id: 7 });
    await host.clock.advance(10);
    expect(broker.acknowledged).toEqual([7]);
    const read = await tool("read_mqtt", {});
    expect(read).toContain('"topic":"home/hall/temperature","value":"21.5"');
    expect(read).toContain('"retained":true');
    expect(await tool("read_mqtt", { filter: "home/lamp" })).not.toContain("hall");
    expect(await tool("read_mqtt", { filter: "home#" })).toContain("no topic filter");
  });
});

test("messages of named topics are told once, also when the broker sends one again, and retained ones never", async () => {
  const host = await at(TOLD, async ({ broker, host }) => {
    broker.send("home/door/front", "open", { id: 5 });
    broker.send("home/door/front", "old", { id: 6, retain: true });
    broker.send("home/lamp", "ON", { id: 7 });
    await host.clock.advance(10);
    expect(host.submitted.map((one) => one.text)).toEqual([expect.stringContaining('"home/door/front"')]);
    expect(broker.acknowledged).toEqual([5, 6, 7]);
  });
  // Its acknowledgement was lost: after a restart the broker sends it again. The same word of another day is another message.
  const again = await at(
    TOLD,
    async ({ broker, host }) => {
      broker.send("home/door/front", "open", { id: 5, dup: true });
      await host.clock.advance(10);
      expect(host.submitted).toEqual([]);
      expect(broker.acknowledged).toEqual([5]);
      broker.send("home/door/front", "open", { id: 5 });
      await host.clock.advance(10);
    },
    host.state,
  );
  expect(again.submitted).toHaveLength(1);
  expect(again.submitted[0]?.idempotencyKey).not.toBe(host.submitted[0]?.idempotencyKey);
});

test("a message that cannot be told is not acknowledged, and comes again under the same key", async () => {
  const keys: (string | undefined)[] = [];
  await at(TOLD, async ({ broker, host, status }) => {
    const submit = host.submitted.push.bind(host.submitted);
    host.submitted.push = (...args) => {
      keys.push(...args.map((one) => one.idempotencyKey));
      if (keys.length === 1) throw new Error("the disk is full");
      return submit(...args);
    };
    broker.send("home/door/front", "open", { id: 5 });
    await host.clock.advance(10);
    expect(broker.acknowledged).toEqual([]);
    expect(status()).toContain("degraded");
    await host.clock.advance(5_000);
    expect(broker.connections).toBe(2);
    broker.send("home/door/front", "open", { id: 5, dup: true });
    await host.clock.advance(10);
    expect(host.submitted).toHaveLength(1);
    expect(new Set(keys).size).toBe(1);
  });
});

test("one topic is not told more often than its rest allows", async () => {
  await at({ ...TOLD, restSeconds: 60 }, async ({ broker, host }) => {
    for (let n = 1; n <= 50; n += 1) broker.send("home/door/front", `${n}`, { id: n });
    broker.send("home/door/back", "1", { id: 99 });
    await host.clock.advance(10);
    expect(host.submitted).toHaveLength(2);
    expect(broker.acknowledged).toHaveLength(51);
    await host.clock.advance(61_000);
    broker.send("home/door/front", "again", { id: 100 });
    await host.clock.advance(10);
    expect(host.submitted).toHaveLength(3);
  });
});

test("publishing waits for the broker, keeps to the topics that are allowed, and says when there is no connection", async () => {
  await at({ broker: "mqtt://broker.example", publish: ["home/lamp/#"] }, async ({ broker, host, tool }) => {
    expect(await tool("publish_mqtt", { topic: "home/lamp/set", payload: "ON", retain: true })).toBe("The broker has it.");
    expect(await tool("publish_mqtt", { topic: "home/lamp/set", payload: "OFF", qos: 0 })).toBe("Sent.");
    await settle();
    expect(broker.published).toEqual([
      { topic: "home/lamp/set", payload: "ON", qos: 1, retain: true },
      { topic: "home/lamp/set", payload: "OFF", qos: 0, retain: false },
    ]);
    expect(await tool("publish_mqtt", { topic: "home/door/open", payload: "1" })).toContain("do not allow");
    expect(await tool("publish_mqtt", { topic: "home/+", payload: "1" })).toContain("no topic");
    broker.deaf = true;
    const late = tool("publish_mqtt", { topic: "home/lamp/set", payload: "ON" }).catch((error: unknown) => String(error));
    await host.clock.advance(21_000);
    expect(await late).toContain("may have it all the same");
    broker.drop();
    await host.clock.advance(10);
    expect(await tool("publish_mqtt", { topic: "home/lamp/set", payload: "ON" })).toContain("no connection");
  });
});

test("a broker that falls silent is given up within a minute, and tried again with a growing wait", async () => {
  await at({ broker: "mqtt://broker.example" }, async ({ broker, host, status }) => {
    await host.clock.advance(300_000);
    expect([broker.connections, status()]).toEqual([1, "running"]);
    expect(broker.pings).toBeGreaterThan(5);
    broker.silent = true;
    await host.clock.advance(65_000);
    expect(broker.connections).toBe(2);
    await host.clock.advance(3_600_000);
    expect(status()).toContain("degraded timeout");
    // Twenty seconds for an answer, and up to two minutes of wait: no tight loop.
    expect(broker.connections).toBeLessThan(70);
    broker.silent = false;
    await host.clock.advance(180_000);
    expect(status()).toBe("running");
  });
});

test("what only a person can mend is said and not tried again", async () => {
  const broker = new Broker();
  broker.refuse = 5;
  await at({ broker: "mqtt://broker.example" }, async ({ host, status }) => {
    expect(status()).toContain("needs_user sign_in");
    await host.clock.advance(3_600_000);
    expect(broker.connections).toBe(1);
  }, undefined, broker);
  const picky = new Broker();
  picky.refuseTopics = true;
  await at({ broker: "mqtt://broker.example" }, async ({ status }) => expect(status()).toContain("needs_user filter_refused"), undefined, picky);
  await at({}, async ({ status }) => expect(status()).toContain("needs_user no_broker"));
  await at({ broker: "http://x.example" }, async ({ status }) => expect(status()).toContain("needs_user no_broker"));
  await at({ broker: "mqtt://x.example", topics: ["a#"] }, async ({ status }) => expect(status()).toContain("needs_user filter_wrong"));
  await at({ broker: "mqtt://x.example", rules: ["a"] }, async ({ status }) => expect(status()).toContain("needs_user no_session"));
  await at(TOLD, async ({ broker: own, host, status }) => {
    host.submitted.push = () => {
      throw Object.assign(new Error("there is no session"), { code: "not_found" });
    };
    own.send("home/door/front", "open");
    await host.clock.advance(10);
    expect(status()).toContain("needs_user session_gone");
  });
});

test("filters that are not wanted any more are taken back from the session the broker keeps", async () => {
  const before = await at({ broker: "mqtt://broker.example", topics: ["a/#", "b/#"] }, async () => undefined);
  await at({ broker: "mqtt://broker.example", topics: ["b/#", "c"] }, async ({ broker }) => {
    expect(broker.unsubscribed).toEqual(["a/#"]);
    expect(broker.subscribed).toEqual(["b/#", "c"]);
  }, before.state);
});
