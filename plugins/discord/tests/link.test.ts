import { expect, test } from "vitest";
import { FrameBudget, identified, readIdentifies, waitToIdentify } from "../budget.ts";
import { type Act, Link } from "../link.ts";
import { intentsFor, verdictOf } from "../protocol.ts";

const IDENTITY = { token: "t", intents: 1 };
const HELLO = JSON.stringify({ op: 10, d: { heartbeat_interval: 40_000 } });
const READY = JSON.stringify({ op: 0, t: "READY", s: 1, d: { session_id: "s1", resume_gateway_url: "wss://r" } });
const ACK = JSON.stringify({ op: 11 });

function sent(acts: Act[]): unknown[] {
  return acts.flatMap((act) => (act.do === "send" ? [JSON.parse(act.text)] : []));
}
function ended(acts: Act[]) {
  return acts.flatMap((act) => (act.do === "end" ? [act.ending] : []))[0];
}
function ready(): Link {
  const link = new Link(IDENTITY, undefined, () => 0.25, 0);
  link.receive(HELLO, 0);
  link.receive(READY, 0);
  return link;
}

test("the first beat comes after a random part of the interval, the next ones after all of it, each with the last event that was dealt with", () => {
  const link = ready();
  expect(link.wakeAt).toBe(10_000);
  if (link.session) link.session.seq = 7;
  expect(sent(link.tick(10_000))).toEqual([{ op: 1, d: 7 }]);
  link.receive(ACK, 10_001);
  expect(link.wakeAt).toBe(50_000);
  expect(sent(link.tick(50_000))).toEqual([{ op: 1, d: 7 }]);
});

test("before the first event a beat says that there was none", () => {
  const link = new Link(IDENTITY, undefined, () => 0, 0);
  link.receive(HELLO, 0);
  expect(sent(link.tick(0))).toEqual([{ op: 1, d: null }]);
});

test("a beat that nothing answers ends the connection, and the session goes on", () => {
  const link = ready();
  link.tick(10_000);
  expect(ended(link.tick(50_000))).toMatchObject({ resume: true, why: "no answer to a heartbeat" });
  expect(link.session?.id).toBe("s1");
  expect([link.wakeAt, link.receive(HELLO, 50_001)]).toEqual([undefined, []]);
});

test("a server that asks for a beat gets one at once, and one that asks without an end uses up no beat of ours", () => {
  const link = ready();
  expect(sent(link.receive(JSON.stringify({ op: 1 }), 5_000))).toEqual([{ op: 1, d: null }]);
  let answers = 0;
  for (let n = 0; n < 1_000; n += 1) answers += link.receive(JSON.stringify({ op: 1 }), 5_001).length;
  expect(answers).toBeLessThan(120);
  expect(sent(link.tick(10_000))).toHaveLength(1);
});

test("signing in says who and what, without “Bot”, in less than 4,096 bytes; a session is gone on with instead", () => {
  const [identify] = sent(new Link({ token: "abc", intents: intentsFor("all") }, undefined, () => 0, 0).receive(HELLO, 0));
  expect(identify).toEqual({ op: 2, d: { token: "abc", intents: 46_593, properties: { os: "kata", browser: "kata-agents", device: "kata-agents" } } });
  const resumed = new Link(IDENTITY, { id: "s1", resumeUrl: "wss://r", seq: 42 }, () => 0, 0);
  expect(sent(resumed.receive(HELLO, 0))).toEqual([{ op: 6, d: { token: "t", session_id: "s1", seq: 42 } }]);
  expect(ended(new Link({ token: "x".repeat(5_000), intents: 1 }, undefined, () => 0, 0).receive(HELLO, 0))).toMatchObject({ resume: false });
});

test("without the content intent the other five stay", () => {
  expect(intentsFor("all") - intentsFor("addressed")).toBe(32_768);
});

test("op 7 goes on with the session at once; op 9 goes on with it or not, after one to five seconds", () => {
  expect(ended(ready().receive(JSON.stringify({ op: 7 }), 1))).toEqual({ resume: true, waitMs: 0, why: expect.any(String) });
  const resumable = ready();
  expect(ended(resumable.receive(JSON.stringify({ op: 9, d: true }), 1))).toMatchObject({ resume: true, waitMs: 2_000 });
  expect(resumable.session).toBeDefined();
  const over = ready();
  expect(ended(over.receive(JSON.stringify({ op: 9, d: false }), 1))).toMatchObject({ resume: false, waitMs: 2_000 });
  expect(over.session).toBeUndefined();
});

test("no hello and no READY end the connection", () => {
  const silent = new Link(IDENTITY, undefined, () => 0, 0);
  expect(silent.wakeAt).toBe(20_000);
  expect(ended(silent.tick(20_000))).toMatchObject({ why: "no hello" });
  const deaf = new Link(IDENTITY, undefined, () => 0.5, 0);
  deaf.receive(HELLO, 0);
  deaf.tick(20_000);
  deaf.receive(ACK, 20_001);
  expect(ended(deaf.tick(40_000))).toMatchObject({ why: "no answer to the sign-in" });
});

test("what is no frame is passed over", () => {
  const link = ready();
  for (const text of ["", "[]", "null", '{"op":"1"}', '{"op":99}', '{"op":0,"t":"X"}']) expect(link.receive(text, 1)).toEqual([]);
});

test.each([
  [4004, "person"], [4010, "person"], [4011, "person"], [4012, "person"], [4013, "person"], [4014, "person"],
  [4003, "identify"], [4007, "identify"], [4009, "identify"],
  [4000, "resume"], [4001, "resume"], [4002, "resume"], [4005, "resume"], [4008, "resume"], [1000, "resume"], [1001, "resume"], [1006, "resume"],
])("close code %i: %s", (code, then) => {
  const verdict = verdictOf(code);
  expect(verdict.then).toBe(then);
  if (verdict.then === "person") expect(verdict.report.state).toBe("needs_user");
});

test("identifies are counted over a day and over restarts, five seconds apart, and never reach the thousand that cost the token", () => {
  let had = readIdentifies(undefined);
  let now = 1_000_000;
  let count = 0;
  for (; count < 2_000; count += 1) {
    const { ms, spent } = waitToIdentify(readIdentifies(JSON.parse(JSON.stringify(had))), { remaining: 1_000 }, now);
    if (spent) break;
    expect(ms).toBeLessThanOrEqual(5_000);
    now += ms;
    had = identified(had, now);
  }
  expect(count).toBe(900);
  expect(waitToIdentify(had, {}, had.since + 24 * 3_600_000).spent).toBe(false);
  expect(waitToIdentify(readIdentifies("?"), { remaining: 3, reset_after: 60_000 }, now)).toEqual({ ms: 60_000, spent: true });
});

test("120 frames in a minute, and no more", () => {
  const budget = new FrameBudget();
  expect(Array.from({ length: 130 }, () => budget.take(0)).filter(Boolean)).toHaveLength(120);
  expect(budget.take(59_999)).toBe(false);
  expect(budget.take(60_000)).toBe(true);
});
