/** What channels share to ask their platforms. */

import { SendError } from "@kata-agents/plugin-sdk";
import { backoff, HttpError, messageOf, Names, NetworkError, PartialSends, request, retryAfter, sendErrorOf } from "@kata-agents/plugin-sdk/sending";
import { FakeHost } from "@kata-agents/plugin-sdk/testing";
import { expect, test } from "vitest";

const failure = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => expect.fail("it did not fail"),
    (error: unknown) => error,
  );
const answering = (answer: () => Response | Promise<Response>): typeof fetch => async () => answer();

test("an answer is given with its body", async () => {
  let seen: RequestInit | undefined;
  const answer = await request("http://a.example/x", {
    body: { a: 1 },
    fetch: async (_, init) => {
      seen = init;
      return Response.json({ ok: true });
    },
  });
  expect(answer.json()).toEqual({ ok: true });
  expect(seen).toMatchObject({ method: "POST", body: '{"a":1}', headers: { "content-type": "application/json" } });
});

test("a refusal has its status, its body and its wait, and its body is not in its message", async () => {
  const error = await failure(request("http://a.example/x", { fetch: answering(() => Response.json({ why: "secret words" }, { status: 429, headers: { "retry-after": "2.5" } })) }));
  expect(error).toMatchObject({ status: 429, retryAfterMs: 2500 });
  expect((error as HttpError).json()).toEqual({ why: "secret words" });
  expect(messageOf(error)).toBe("a.example/x: HTTP 429");
});

test("no answer within the time is a network error after which bytes may have left", async () => {
  const host = new FakeHost({ network: () => new Promise<Response>(() => {}) });
  await host.run(async () => {
    let error: unknown;
    void request("http://a.example/x", { timeoutMs: 5000 }).catch((e: unknown) => (error = e));
    await host.clock.until(() => error !== undefined, 10_000);
    expect(error).toMatchObject({ name: "NetworkError", sent: true });
  });
});

test("a secret in the address is in no error", async () => {
  const error = await failure(request("http://a.example/t0ken/x", { secrets: ["t0ken"], what: "x", fetch: () => Promise.reject(new TypeError("cannot fetch http://a.example/t0ken/x")) }));
  expect(messageOf(error)).toBe("x: cannot fetch http://a.example/<secret>/x");
});

test("a wait is seconds, a date, or not said", () => {
  const now = Date.parse("2026-01-01T00:00:00Z");
  expect(["3", "0.2", "-1", "Thu, 01 Jan 2026 00:00:07 GMT", "soon", "", null].map((value) => retryAfter(value, now))).toEqual([3000, 200, 0, 7000, undefined, undefined, undefined]);
});

test.each([
  [new NetworkError("x", false), { code: "unreachable", certain: true }],
  [new NetworkError("x", true), { code: "unreachable", certain: false }],
  [new HttpError("x", 429, "", 7000), { code: "rate_limited", certain: true, retryAfterMs: 7000 }],
  [new HttpError("x", 500, ""), { code: "unreachable", certain: false }],
  [new HttpError("x", 401, ""), { code: "unauthorized", certain: true }],
  [new HttpError("x", 403, ""), { code: "forbidden", certain: true }],
  [new HttpError("x", 404, ""), { code: "not_found", certain: true }],
  [new HttpError("x", 413, ""), { code: "invalid", certain: true }],
  [new TypeError("bug"), { code: "unreachable", certain: false }],
  [new SendError({ code: "invalid", message: "m", certain: true }), { code: "invalid", certain: true }],
])("%s means what it should", (error, expected) => expect(sendErrorOf(error, { platform: "P" })).toMatchObject(expected));

test("a platform may know better what an answer means", () => {
  const meaning = (error: HttpError) => (error.body === "gone" ? ({ code: "not_found", message: "gone" } as const) : undefined);
  expect(sendErrorOf(new HttpError("x", 400, "gone"), { platform: "P", meaning })).toMatchObject({ code: "not_found", certain: true });
  expect(sendErrorOf(new HttpError("x", 400, "else"), { platform: "P", meaning })).toMatchObject({ code: "invalid" });
});

test("waits double, are spread, have an end, and begin anew", () => {
  const least = backoff(() => 0, { firstMs: 1000, maxMs: 5000 });
  const most = backoff(() => 1, { firstMs: 1000, maxMs: 5000 });
  expect([1, 2, 3, 4, 5].map(() => [least.next(), most.next()])).toEqual([[500, 1000], [1000, 2000], [2000, 4000], [2500, 5000], [2500, 5000]]);
  expect(most.next(30_000)).toBe(30_000);
  most.reset();
  expect([most.failures, most.next()]).toEqual([0, 1000]);
});

test("a name is asked once, by all at once, again when it is old, and the rest goes when there are too many", async () => {
  let now = 0;
  const asked: string[] = [];
  const clock = { now: () => now, sleep: async () => {} };
  const names = new Names(
    async (id) => {
      asked.push(id);
      if (id === "bad") throw new Error("no");
      return `name ${id}`;
    },
    { clock, max: 2, forMs: 1000, missingForMs: 100 },
  );
  expect(await Promise.all([names.get("a"), names.get("a")])).toEqual(["name a", "name a"]);
  expect([await names.get("bad"), await names.get("bad")]).toEqual([null, null]);
  expect(asked).toEqual(["a", "bad"]);
  now = 150;
  await names.get("bad");
  expect(asked).toEqual(["a", "bad", "bad"]);
  await names.get("c");
  await names.get("a");
  expect(asked).toEqual(["a", "bad", "bad", "c", "a"]);
  now = 2000;
  await names.get("a");
  expect(asked.at(-1)).toBe("a");
  names.set("a", "new");
  expect(await names.get("a")).toBe("new");
});

test("what is out of a send survives a restart and is forgotten at its end", async () => {
  const host = new FakeHost();
  const partial = new PartialSends(host.context().state);
  await Promise.all([partial.write("a", ["1"]), partial.write("b", ["2", "3"])]);
  const again = new PartialSends(host.context().state);
  expect([await again.read("a"), await again.read("b"), await again.read("c")]).toEqual([["1"], ["2", "3"], []]);
  await again.forget("a");
  expect(await partial.read("a")).toEqual([]);
});
