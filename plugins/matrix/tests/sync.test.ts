import { json } from "@kata-agents/plugin-sdk/testing";
import { expect, test } from "vitest";
import { sinceInvited } from "../sync.ts";
import { eventsOf } from "../events.ts";
import { ANN, Homeserver, ME, ROOM } from "./homeserver.ts";
import { Bench } from "./support.ts";

test("what was written before the first sync is not for the bot, and what comes after it is", () =>
  Bench.run({}, async (bench) => {
    bench.server.say("old");
    const running = await bench.connected();
    bench.server.say("new");
    await bench.until(() => bench.host.drafts.length === 1);
    expect(bench.texts).toEqual(["new"]);
    expect(bench.host.drafts[0]).toMatchObject({ account: ME, conversation: ROOM, chatType: "direct", conversationName: "Ann", sender: { id: ANN, name: "Ann", isBot: false }, mentionsBot: true, thread: null });
    await running.stopped(bench.host);
  }));

test("the place in the stream is written only after every event of a batch was taken", () =>
  Bench.run({}, async (bench) => {
    const running = await bench.connected();
    let hold = true;
    const order: string[] = [];
    const place = () => (bench.host.state.get(`place:${ME}`) as { since: string }).since;
    bench.host.door = (draft) => {
      if (hold && draft.text === "two") throw new Error("the disk is full");
      order.push(`${draft.text} at ${place()}`);
      return { outcome: "admitted" };
    };
    bench.server.say("one");
    await bench.until(() => order.length === 1);
    bench.server.say("two");
    bench.server.say("three");
    await bench.until(() => bench.host.states.includes("degraded/not_stored"));
    hold = false;
    await bench.until(() => order.length === 3);
    await bench.until(() => place() === "s3");
    expect(order).toEqual(["one at s0", "two at s1", "three at s1"]);
    await running.stopped(bench.host);
  }));

test("a timeline that is cut short is read back, in order and without doubles", () =>
  Bench.run({}, async (bench) => {
    const running = await bench.connected();
    bench.host.state.set("marker", 1);
    bench.server.fault = (_, path) => (path === "/sync" ? json({ errcode: "M_UNKNOWN" }, 502) : undefined);
    await bench.host.clock.advance(40_000);
    for (let n = 0; n < 333; n += 1) bench.server.say(`m${n}`);
    bench.server.fault = () => undefined;
    await bench.until(() => bench.host.drafts.length >= 333);
    bench.server.say("last");
    await bench.until(() => bench.texts.at(-1) === "last");
    expect(bench.texts).toEqual([...Array.from({ length: 333 }, (_, n) => `m${n}`), "last"]);
    await running.stopped(bench.host);
  }));

test("after an absence at most 200 messages and a day of each room are read", async () => {
  const server = new Homeserver();
  const state = new Map<string, unknown>();
  await Bench.run({ server, state }, async (bench) => {
    await (await bench.connected()).stopped(bench.host);
  });
  const now = 1_700_000_000_000;
  for (let n = 0; n < 40; n += 1) server.say(`ancient ${n}`, { at: now - 30 * 3600_000 });
  for (let n = 0; n < 300; n += 1) server.say(`m${n}`, { at: now + 3600_000 + n });
  await Bench.run({ server, state }, async (bench) => {
    await bench.host.clock.advance(2 * 3600_000);
    const running = await bench.connected();
    expect(bench.texts).toEqual(Array.from({ length: 250 }, (_, n) => `m${n + 50}`));
    expect(bench.host.said()).toContain("left out");
    await running.stopped(bench.host);
  });
});

test("events that come twice or late are handed in once", () =>
  Bench.run({}, async (bench) => {
    const running = await bench.connected();
    bench.server.say("one");
    await bench.until(() => bench.host.drafts.length === 1);
    const first = bench.server.stream[0];
    if (first !== undefined) bench.server.stream.push(first);
    const hit = bench.server.post("m.reaction", { "m.relates_to": { rel_type: "m.annotation", event_id: "$e1", key: "👍" } });
    bench.server.stream.push({ room: ROOM, event: { ...(bench.server.stream.at(-1)?.event as { event_id: string }), event_id: hit } });
    bench.server.say("two");
    await bench.until(() => bench.texts.includes("two"));
    expect(bench.texts).toEqual(["one", "two"]);
    expect(bench.host.notices).toHaveLength(1);
    await running.stopped(bench.host);
  }));

test("an invitation is accepted as the setting says, and what its sender wrote behind it is read", async () => {
  const joined = async (config: Record<string, unknown>) => {
    const server = new Homeserver();
    await Bench.run({ server, config }, async (bench) => {
      const running = await bench.connected();
      server.invite("!new");
      server.say("hello?", { room: "!new" });
      await bench.host.clock.advance(60_000);
      expect(bench.texts).toEqual(server.joins.length > 0 ? ["hello?"] : []);
      await running.stopped(bench.host);
    });
    return server.joins;
  };
  expect(await joined({ invites: "never" })).toEqual([]);
  expect(await joined({ invites: "listed" })).toEqual([]);
  expect(await joined({ invites: "listed", inviters: ["@bob:example.org", "elsewhere.org"] })).toEqual([]);
  expect(await joined({ invites: "listed", inviters: [ANN] })).toEqual(["!new"]);
  expect(await joined({ invites: "listed", inviters: ["example.org"] })).toEqual(["!new"]);
  expect(await joined({ invites: "all" })).toEqual(["!new"]);
});

test("an invitation that waited is accepted when the setting allows it later", async () => {
  const server = new Homeserver();
  const state = new Map<string, unknown>();
  await Bench.run({ server, state, config: { invites: "listed" } }, async (bench) => {
    const running = await bench.connected();
    server.invite("!new");
    await bench.host.clock.advance(60_000);
    expect(await bench.settled(bench.channel.security?.warnings?.(bench.host.context()) ?? Promise.resolve([]))).toContainEqual(expect.objectContaining({ code: "invites_waiting", message: expect.stringContaining(ANN) as string }));
    await running.stopped(bench.host);
  });
  await Bench.run({ server, state, config: { invites: "listed", inviters: [ANN] } }, async (bench) => {
    const running = await bench.connected();
    expect(server.joins).toEqual(["!new"]);
    await running.stopped(bench.host);
  });
});

test("of a room the bot comes into, only what was written since its invitation is read", () => {
  const event = (id: string, type: string, content: unknown, state_key?: string) => ({ event_id: id, type, sender: ANN, content, ...(state_key === undefined ? {} : { state_key }) });
  const all = eventsOf([
    event("$1", "m.room.message", {}),
    event("$2", "m.room.member", { membership: "invite" }, ME),
    event("$3", "m.room.message", {}),
    event("$4", "m.room.member", { membership: "join" }, ME),
    event("$5", "m.room.message", {}),
  ]);
  expect(sinceInvited(all, ME).map((one) => one.id)).toEqual(["$3", "$4", "$5"]);
  expect(sinceInvited(all.slice(2), ME).map((one) => one.id)).toEqual(["$5"]);
});

test("in an encrypted room whoever writes is told once, also after a restart, and the audit names the room", async () => {
  const server = new Homeserver();
  server.encrypted.add(ROOM);
  const state = new Map<string, unknown>();
  for (const _ of [1, 2]) {
    await Bench.run({ server, state }, async (bench) => {
      const running = await bench.connected();
      for (let n = 0; n < 3; n += 1) server.post("m.room.encrypted", { algorithm: "m.megolm.v1.aes-sha2", ciphertext: "…" });
      await bench.host.clock.advance(60_000);
      expect(bench.host.drafts).toEqual([]);
      expect(server.bodies.filter((body) => body.includes("encrypted"))).toHaveLength(1);
      const warnings = (await bench.settled(bench.channel.security?.warnings?.(bench.host.context()) ?? Promise.resolve([]))) ?? [];
      expect(warnings.find((one) => one.code === "encrypted_rooms")?.message).toContain("Ann");
      await expect(bench.send("a secret")).rejects.toMatchObject({ code: "forbidden", certain: true });
      await running.stopped(bench.host);
    });
  }
});

test("receipts are sent for what was admitted, the last of each thread, and for nothing else", () =>
  Bench.run({}, async (bench) => {
    const running = await bench.connected();
    bench.host.door = (draft) => (draft.text.startsWith("no") ? { outcome: "refused", code: "pairing_required" } : { outcome: "admitted" });
    bench.server.say("no 1");
    await bench.until(() => bench.host.drafts.length === 1);
    expect(bench.server.receipts).toEqual([]);
    bench.server.fault = (_, path) => (path === "/sync" ? json({}, 502) : undefined);
    await bench.host.clock.advance(40_000);
    bench.server.say("a");
    const last = bench.server.say("b");
    const inThread = bench.server.say("c", { relates: { rel_type: "m.thread", event_id: "$e1" } });
    bench.server.say("no 2");
    bench.server.fault = () => undefined;
    await bench.until(() => bench.host.drafts.length === 5);
    await bench.host.clock.advance(1_000);
    expect(bench.server.receipts.sort()).toEqual([last, inThread].sort());
    await running.stopped(bench.host);
  }));

test("a poll whose answer never comes is given up and begun again", () =>
  Bench.run({}, async (bench) => {
    const running = await bench.connected();
    let dead = true;
    bench.server.fault = (_, path) => (path === "/sync" && dead ? new Promise<Response>(() => {}) : undefined);
    bench.server.say("before");
    await bench.until(() => bench.texts.includes("before"));
    bench.server.say("into the void");
    await bench.host.clock.advance(60_000);
    dead = false;
    await bench.until(() => bench.texts.includes("into the void"), 120_000);
    expect(bench.host.states).toContain("degraded/unreachable");
    expect(bench.host.states.at(-1)).toBe("running");
    await running.stopped(bench.host);
  }));

test("429 is waited out for as long as the server says, by its body or its header", () =>
  Bench.run({}, async (bench) => {
    const running = await bench.connected();
    const answers = [json({ errcode: "M_LIMIT_EXCEEDED", retry_after_ms: 17_000 }, 429), json({ errcode: "M_LIMIT_EXCEEDED" }, 429, { "retry-after": "23" })];
    const asked: number[] = [];
    bench.server.fault = (_, path) => {
      if (path !== "/sync") return undefined;
      asked.push(bench.host.clock.now);
      return answers.shift();
    };
    await bench.host.clock.advance(120_000);
    expect((asked[1] ?? 0) - (asked[0] ?? 0)).toBe(17_000);
    expect((asked[2] ?? 0) - (asked[1] ?? 0)).toBe(23_000);
    expect(bench.host.states.slice(-2)).toEqual(["degraded/rate_limited", "running"]);
    await running.stopped(bench.host);
  }));

test("a batch that is larger than the host takes comes in smaller ones, and nothing is left out", () =>
  Bench.run({}, async (bench) => {
    const running = await bench.connected();
    bench.server.fault = (request, path) => {
      if (path !== "/sync") return undefined;
      const limit = (JSON.parse(request.url.searchParams.get("filter") ?? "{}") as { room: { timeline: { limit: number } } }).room.timeline.limit;
      if (limit > 10 && bench.server.stream.length > 20) throw new Error("fetch: matrix.example: the answer is over 4194304 bytes");
      return undefined;
    };
    for (let n = 0; n < 60; n += 1) bench.server.say(`m${n}`);
    await bench.until(() => bench.texts.includes("m59"));
    expect(bench.texts).toEqual(Array.from({ length: 60 }, (_, n) => `m${n}`));
    await running.stopped(bench.host);
  }));

test("half a day with a cut every hour, a server that falls over and comes back: nothing is lost, doubled or out of order", () =>
  Bench.run({}, async (bench) => {
    const running = await bench.connected();
    const written: string[] = [];
    for (let hour = 0; hour < 12; hour += 1) {
      for (let minute = 0; minute < 60; minute += 5) {
        written.push(`${hour}:${minute}`);
        bench.server.say(`${hour}:${minute}`);
        if (minute === 30) {
          const kinds = [
            () => json({}, 502),
            () => {
              throw Object.assign(new TypeError("fetch failed"), { code: "connect" });
            },
            () => new Promise<Response>(() => {}),
            () => new Response("<html>", { status: 200 }),
          ];
          const fail = kinds[hour % kinds.length] ?? kinds[0];
          bench.server.fault = () => fail?.();
        }
        if (minute === 40) bench.server.fault = () => undefined;
        await bench.host.clock.advance(5 * 60_000);
      }
    }
    expect(bench.texts).toEqual(written);
    expect(bench.host.clock.now).toBeGreaterThanOrEqual(1_700_000_000_000 + 12 * 3600_000);
    expect(bench.host.states.at(-1)).toBe("running");
    await running.stopped(bench.host);
  }));
