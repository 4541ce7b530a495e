/** The connection: how it is renewed, mended, and given up. */

import { expect, test } from "vitest";
import { APP, BOT, no } from "./platform.ts";
import { Bench, bench } from "./support.ts";

test("Slack asks for a new line: the old one works until the new one stands", () =>
  bench(async (b) => {
    const running = await b.connected();
    await b.host.clock.advance(120_000);
    const [first] = b.slack.lines;
    let whileBoth: number | undefined;
    b.slack.onSocket = (connection) => {
      whileBoth = b.host.sockets.open.length;
      b.slack.greet(connection);
    };
    b.slack.giving = false;
    first?.send({ type: "disconnect", reason: "refresh_requested" });
    const id = b.slack.say({ channel: "D1", channel_type: "im", user: "UANN", text: "over the old line" });
    first?.send(b.slack.open[0] ?? {});
    await b.host.clock.advance(1_000);
    expect(whileBoth).toBe(2);
    expect(first?.goodbye).toEqual({ code: 1000, reason: "" });
    expect(b.host.received).toEqual([id]);
    expect([b.slack.open.length, b.host.states.at(-1), b.slack.lines.length]).toEqual([0, "running", 2]);
    expect(b.host.states).toEqual(["connecting", "running"]);
    await running.stopped(b.host);
  }));

test("a line that Slack forgets to end is renewed when its time is over, without a gap", () =>
  bench(async (b) => {
    b.slack.lastsSeconds = 600;
    const running = await b.connected();
    await b.host.clock.advance(3_000_000);
    expect(b.slack.lines.length).toBe(5);
    expect(b.host.states).toEqual(["connecting", "running"]);
    expect(b.host.clock.pending).toBeLessThan(12);
    await running.stopped(b.host);
  }));

test("an envelope is acknowledged only when the host has the message", () =>
  bench(async (b) => {
    let store: (() => void) | undefined;
    b.host.door = () => new Promise((resolve) => (store = () => resolve({ outcome: "admitted" })));
    const running = await b.connected();
    b.slack.write("keep me");
    await b.host.clock.advance(2_000);
    expect([b.host.drafts.length, b.slack.acks]).toEqual([1, []]);
    store?.();
    await b.host.clock.advance(0);
    expect(b.slack.acks).toEqual([{ envelope_id: "env-1" }]);
    await running.stopped(b.host);
  }));

test("what cannot be stored is tried again in its place, and those behind it in the conversation wait", () =>
  bench(async (b) => {
    let full = true;
    b.host.door = () => {
      if (full) throw new Error("the disk is full");
      return { outcome: "admitted" };
    };
    const running = await b.connected();
    b.slack.write("one");
    b.slack.write("two");
    await b.host.clock.advance(45_000);
    expect(b.host.states.at(-1)).toBe("degraded/not_stored");
    expect(new Set(b.texts())).toEqual(new Set(["one"]));
    full = false;
    await b.host.clock.advance(60_000);
    expect(b.texts().slice(-2)).toEqual(["one", "two"]);
    expect([b.host.states.at(-1), b.slack.open.length]).toEqual(["running", 0]);
    await running.stopped(b.host);
  }));

test("a mention that comes as two events, and an event that comes three times, are handed in once", () =>
  bench(async (b) => {
    const running = await b.connected();
    const event = { channel: "C1", channel_type: "channel", user: "UANN", text: "<@UBOT> hi", ts: b.slack.ts() };
    b.slack.say(event);
    b.slack.happen({ ...event, type: "app_mention", channel_type: undefined });
    b.slack.happen({ ...event, type: "message" }, { event_id: "Ev1" });
    await b.host.clock.advance(1_000);
    expect([b.host.drafts.length, b.slack.acks.length]).toEqual([1, 3]);
    expect(b.host.drafts[0]).toMatchObject({ text: "hi", mentionsBot: true, thread: event.ts, chatType: "channel" });
    await running.stopped(b.host);
  }));

test("an event of another workspace that has the same app is acknowledged and left alone", () =>
  bench(async (b) => {
    const running = await b.connected();
    const event = { type: "message", channel: "D9", channel_type: "im", user: "UEVE", text: "elsewhere", ts: b.slack.ts() };
    b.slack.happen(event, { team_id: "T2", authorizations: [{ team_id: "T2" }] });
    b.slack.happen({ ...event, channel: "C7", text: "shared with us" }, { team_id: "T2", event_id: "EvX", authorizations: [{ team_id: "T1" }] });
    await b.host.clock.advance(1_000);
    expect([b.texts(), b.slack.open.length]).toEqual([["shared with us"], 0]);
    await running.stopped(b.host);
  }));

test("a line that broke off is opened again with growing waits, and what was missed is read from the history in order", () =>
  bench(async (b) => {
    const running = await b.connected();
    await b.host.clock.advance(120_000);
    let turnedAway = 0;
    b.slack.onSocket = (connection) => {
      turnedAway += 1;
      if (turnedAway < 4) throw new Error("refused");
      b.slack.greet(connection);
    };
    b.slack.lines[0]?.drop();
    b.slack.giving = false;
    const ids = ["a", "b", "c"].map((text) => b.slack.write(text));
    b.slack.forget();
    await b.host.clock.until(() => b.host.received.length === 3, 60_000);
    expect(b.host.received).toEqual(ids);
    expect(b.host.states).toContain("degraded/unreachable");
    expect(b.host.states.at(-1)).toBe("running");
    await running.stopped(b.host);
  }));

test("a half-open line is found, and what Slack gave to it comes all the same", () =>
  bench(async (b) => {
    const running = await b.connected();
    b.slack.lines[0]?.goSilent();
    const id = b.slack.write("into the void");
    b.slack.forget();
    await b.host.clock.until(() => b.host.received.includes(id), 120_000);
    expect(b.host.received).toEqual([id]);
    await running.stopped(b.host);
  }));

test("a line that Slack still counts though it is dead is looked after", () =>
  bench(async (b) => {
    b.slack.connectionsSaid = 2;
    const running = await b.connected();
    const id = b.slack.write("given to the ghost");
    b.slack.forget();
    b.host.drafts.splice(0);
    b.slack.lines[0]?.goSilent(Infinity);
    await b.host.clock.until(() => b.host.received.includes(id), 60_000);
    expect(b.host.received).toEqual([id]);
    await running.stopped(b.host);
  }));

test("a storm of lines that break at once is met with about one try a minute, and says so", () =>
  bench(async (b) => {
    b.slack.onSocket = (connection) => {
      b.slack.greet(connection);
      connection.close(1000);
    };
    const running = b.connect();
    await b.host.clock.advance(600_000);
    const before = b.host.sockets.connections.length;
    await b.host.clock.advance(600_000);
    expect(b.host.sockets.connections.length - before).toBeLessThanOrEqual(21);
    expect(b.host.states).toContain("degraded/reconnect_storm");
    b.slack.onSocket = undefined;
    await b.host.clock.advance(120_000);
    expect(b.host.states.at(-1)).toBe("running");
    await running.stopped(b.host);
  }));

test("Slack that asks for a new line right after each is not followed without a pause", () =>
  bench(async (b) => {
    b.slack.onSocket = (connection) => {
      b.slack.greet(connection);
      connection.send({ type: "disconnect", reason: "refresh_requested" });
    };
    const running = b.connect();
    await b.host.clock.advance(600_000);
    expect(b.host.sockets.connections.length).toBeLessThan(40);
    await running.stopped(b.host);
  }));

test("Slack's wait for opening a line is kept", () =>
  bench(async (b) => {
    const asked: number[] = [];
    b.slack.fault = ({ method }) => {
      if (method !== "apps.connections.open") return undefined;
      asked.push(b.host.clock.now);
      return asked.length === 1 ? new Response("{}", { status: 429, headers: { "retry-after": "47" } }) : undefined;
    };
    const running = b.connect();
    await b.host.clock.until(() => b.host.states.at(-1) === "running", 120_000);
    expect((asked[1] ?? 0) - (asked[0] ?? 0)).toBeGreaterThanOrEqual(47_000);
    expect(b.host.states).toEqual(["connecting", "degraded/rate_limited", "running"]);
    await running.stopped(b.host);
  }));

const refusals: [string, string, string, string][] = [
  ["auth.test", "token_revoked", "botToken", "revoked"],
  ["auth.test", "account_inactive", "botToken", "gone"],
  ["apps.connections.open", "invalid_auth", "appToken", "app-level token"],
  ["apps.connections.open", "not_allowed_token_type", "appToken", "xapp-"],
  ["apps.connections.open", "missing_scope", "appToken", "connections:write"],
];
test.each(refusals)("%s says %s: a person is asked at once, nobody is asked again, and a new token is taken up", async (method, error, field, words) => {
  await bench(async (b) => {
    b.slack.fault = (call) => (call.method === method && call.token !== "xoxb-new" && call.token !== "xapp-new" ? no(error, { needed: "connections:write" }) : undefined);
    b.slack.tokens.add("xoxb-new").add("xapp-new");
    const running = b.connect();
    await b.host.clock.advance(60_000);
    expect(b.host.statuses.at(-1)).toMatchObject({ state: "needs_user", code: error, action: { kind: "configure", field } });
    expect(b.host.statuses.at(-1)?.message).toContain(words);
    expect(b.slack.called(method).length).toBe(1);
    b.host.secrets.set(field, field === "botToken" ? "xoxb-new" : "xapp-new");
    await b.host.clock.until(() => b.host.states.at(-1) === "running", 30_000);
    expect(b.host.states.at(-1)).toBe("running");
    await running.stopped(b.host);
  });
});

test("without tokens it asks for them one after the other, and asks Slack nothing", () =>
  bench(async (b) => {
    b.host.secrets.clear();
    const running = b.connect();
    await b.host.clock.advance(1_000);
    expect(b.host.statuses.at(-1)).toMatchObject({ state: "needs_user", code: "token_missing", action: { field: "botToken" } });
    b.host.secrets.set("botToken", BOT);
    await b.host.clock.advance(11_000);
    expect(b.host.statuses.at(-1)).toMatchObject({ code: "token_missing", action: { field: "appToken" } });
    expect(b.slack.calls).toEqual([]);
    b.host.secrets.set("appToken", APP);
    await b.host.clock.advance(11_000);
    expect(b.host.states.at(-1)).toBe("running");
    await running.stopped(b.host);
  }));

test("Socket Mode that is switched off, a token that is revoked and an app that is removed wait for a person", async () => {
  const ends: [string, (b: Bench) => void][] = [
    ["socket_mode_off", (b) => b.slack.lines[0]?.send({ type: "disconnect", reason: "link_disabled" })],
    ["token_revoked", (b) => void b.slack.happen({ type: "tokens_revoked", tokens: { bot: ["UBOT"] } })],
    ["app_uninstalled", (b) => void b.slack.happen({ type: "app_uninstalled" })],
  ];
  for (const [code, end] of ends) {
    await bench(async (b) => {
      const running = await b.connected();
      end(b);
      await b.host.clock.advance(1_000);
      expect(b.host.states.at(-1)).toBe(`needs_user/${code}`);
      expect(b.host.sockets.open.length).toBe(0);
      await running.stopped(b.host);
    });
  }
});

test("a token that a send finds revoked ends the line, and the reply is not lost", () =>
  bench(async (b) => {
    const running = await b.connected();
    b.slack.tokens.delete(BOT);
    const message = { route: { channel: "slack", account: "T1", conversation: "D1" }, text: "hi", idempotencyKey: "k", attempt: 1 };
    await expect(b.channel.outbound.send(message, b.host.context())).rejects.toMatchObject({ code: "unauthorized", certain: true });
    await b.host.clock.advance(1_000);
    expect(b.host.states.at(-1)).toBe("needs_user/token_refused");
    expect(b.host.sockets.open.length).toBe(0);
    await running.stopped(b.host);
  }));

test("what was written while the app was closed is read at the next start: newest conversations, threads it takes part in, one day", async () => {
  const first = await Bench.make();
  await first.host.run(async () => {
    const running = await first.connected();
    first.slack.say({ channel: "C1", channel_type: "channel", user: "UANN", text: "<@UBOT> begin", ts: "1700000001.000001" });
    await first.host.clock.advance(1_000);
    const route = { channel: "slack", account: "T1", conversation: "C1", thread: "1700000001.000001" };
    await first.channel.outbound.send({ route, text: "begun", idempotencyKey: "k", attempt: 1 }, first.host.context());
    await first.host.clock.advance(61_000);
    await running.stopped(first.host);
  });
  const second = await Bench.make({}, first);
  await second.host.clock.advance(3 * 3600_000 + 120_000);
  await second.host.run(async () => {
    const { slack } = second;
    const missed = [
      slack.say({ channel: "D1", channel_type: "im", user: "UANN", text: "in direct" }),
      slack.say({ channel: "C1", channel_type: "channel", user: "UANN", text: "goes on", thread_ts: "1700000001.000001" }),
    ];
    slack.forget();
    const running = await second.connected();
    await second.host.clock.advance(10_000);
    expect(second.host.received).toEqual(expect.arrayContaining(missed));
    const reply = second.host.drafts.find((draft) => draft.text === "goes on");
    expect(reply).toMatchObject({ thread: "1700000001.000001", mentionsBot: true });
    await running.stopped(second.host);
  });
  const third = await Bench.make({}, second);
  await third.host.clock.advance(3 * 24 * 3600_000);
  await third.host.run(async () => {
    const old = String(Math.floor(Date.now() / 1000) - 25 * 3600);
    third.slack.say({ channel: "D1", channel_type: "im", user: "UANN", text: "too old", ts: `${old}.000001` });
    third.slack.forget();
    const running = await third.connected();
    await third.host.clock.advance(10_000);
    expect(third.texts()).toEqual([]);
    await running.stopped(third.host);
  });
});

test("a crash right after a thread began loses nothing that was said in it meanwhile", async () => {
  const first = await Bench.make();
  const root = "1700000001.000001";
  await first.host.run(async () => {
    await first.connected();
    first.slack.say({ channel: "C1", channel_type: "channel", user: "UANN", text: "<@UBOT> begin", ts: root });
    await first.host.clock.advance(1_000);
    const route = { channel: "slack", account: "T1", conversation: "C1", thread: root };
    await first.channel.outbound.send({ route, text: "begun", idempotencyKey: "k", attempt: 1 }, first.host.context());
    await first.host.clock.advance(0);
    // Neither the minute in which things are written down nor a farewell.
  });
  const second = await Bench.make({}, first);
  await second.host.clock.advance(30_000);
  await second.host.run(async () => {
    const missed = ["one", "two"].map((text) => second.slack.say({ channel: "C1", channel_type: "channel", user: "UBOB", text, thread_ts: root }));
    // A thread under a message of somebody else, in which the bot is called.
    const other = second.slack.say({ channel: "C1", channel_type: "channel", user: "UANN", text: "by the way" });
    missed.push(second.slack.say({ channel: "C1", channel_type: "channel", user: "UBOB", text: "<@UBOT> what of this?", thread_ts: other.slice(3) }));
    second.slack.forget();
    const running = await second.connected();
    await second.host.clock.advance(10_000);
    expect(second.host.received).toEqual(expect.arrayContaining(missed));
    expect(second.host.drafts.filter((draft) => missed.includes(draft.messageId)).every((draft) => draft.mentionsBot)).toBe(true);
    await running.stopped(second.host);
  });
});

test("of a flood a hundred envelopes are worked on at a time, all are taken, in order, and a press passes them by", () =>
  bench(async (b) => {
    let atOnce = 0;
    let most = 0;
    b.host.door = async () => {
      most = Math.max(most, (atOnce += 1));
      await new Promise((resolve) => setTimeout(resolve, 10));
      atOnce -= 1;
      return { outcome: "admitted" };
    };
    const running = await b.connected();
    b.slack.giving = false;
    const ids = Array.from({ length: 800 }, (_, n) => b.slack.say({ channel: `D${n % 200}`, channel_type: "im", user: "UANN", text: `number ${n}` }));
    const press = { type: "block_actions", team: { id: "T1" }, user: { id: "UANN" }, container: { channel_id: "D1", message_ts: b.slack.ts() }, channel: { id: "D1" }, actions: [{ action_id: "kata:0", value: "ok:AB12", action_ts: "1" }] };
    for (const envelope of b.slack.open) b.slack.lines[0]?.send(envelope);
    b.slack.lines[0]?.send({ envelope_id: "press", type: "interactive", payload: press });
    await b.host.clock.advance(20);
    expect([b.host.presses.length, b.host.received.length < 400]).toEqual([1, true]);
    await b.host.clock.advance(10_000);
    expect(most).toBe(100);
    for (let channel = 0; channel < 200; channel += 1) {
      const there = (id: string) => id.startsWith(`D${channel}:`);
      expect(b.host.received.filter(there)).toEqual(ids.filter(there));
    }
    expect(b.slack.open.length).toBe(0);
    await running.stopped(b.host);
  }));

test("of a flood beyond what may wait, what there was no room for is read from the history, so that each conversation stays in order", () =>
  bench(async (b) => {
    b.host.door = async () => {
      await new Promise((resolve) => setTimeout(resolve, 100));
      return { outcome: "admitted" };
    };
    const running = await b.connected();
    b.slack.giving = false;
    const write = (n: number) => b.slack.say({ channel: `D${n % 100}`, channel_type: "im", user: "UANN", text: `number ${n}` });
    const ids = Array.from({ length: 1_200 }, (_, n) => write(n));
    for (const envelope of b.slack.open) b.slack.lines[0]?.send(envelope);
    // Some are done, and there would be room again, before those there was none for are given once more.
    await b.host.clock.advance(300);
    const before = b.slack.open.length;
    ids.push(...Array.from({ length: 100 }, (_, n) => write(n)));
    for (const envelope of b.slack.open.slice(before)) b.slack.lines[0]?.send(envelope);
    b.slack.giving = true;
    await b.host.clock.until(() => b.host.received.length >= ids.length, 120_000);
    for (let channel = 0; channel < 100; channel += 1) {
      const there = (id: string) => id.startsWith(`D${channel}:`);
      expect(b.host.received.filter(there)).toEqual(ids.filter(there));
    }
    await running.stopped(b.host);
  }));

test("defect 2 of the earlier app: the very first start reads nothing that was written before", () =>
  bench(async (b) => {
    b.slack.write("from before the app was here");
    b.slack.forget();
    const running = await b.connected();
    await b.host.clock.advance(10_000);
    expect([b.texts(), b.slack.called("conversations.history")]).toEqual([[], []]);
    await running.stopped(b.host);
  }));

test("twelve hours with refreshes, breaks, half-open lines and a message every minute: none is lost, none is doubled, in order", () =>
  bench(async (b) => {
    b.slack.lastsSeconds = 3_600;
    const running = await b.connected();
    const ids: string[] = [];
    for (let minute = 0; minute < 12 * 60; minute += 1) {
      const line = b.slack.lines.at(-1);
      if (minute % 60 === 17) line?.send({ type: "disconnect", reason: "warning" });
      if (minute % 90 === 40) line?.drop();
      if (minute % 120 === 75) line?.goSilent();
      ids.push(b.slack.write(`minute ${minute}`));
      // What nobody acknowledged is forgotten after a while, as Slack does.
      if (minute % 30 === 0) b.slack.forget();
      await b.host.clock.advance(60_000);
    }
    await b.host.clock.advance(120_000);
    expect(b.host.received).toEqual(ids);
    expect(b.host.states.at(-1)).toBe("running");
    expect(b.host.sockets.open.length).toBe(1);
    await running.stopped(b.host);
  }), 60_000);
