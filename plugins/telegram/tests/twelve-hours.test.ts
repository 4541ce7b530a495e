/** Twelve hours of a plugin's life on a clock that a test holds: every kind of trouble, again and again, and nothing lost or doubled. */

import { FakeHost, json, load, refused, Running, silence } from "@kata-agents/plugin-sdk/testing";
import { expect, test } from "vitest";
import telegram from "../index.ts";

const HOUR = 3600_000;
/** A message every four minutes. */
const EVERY = 240_000;

test("over twelve hours of breaks, floods, conflicts and half-open polls every message is handed in once, in order", async () => {
  const host = new FakeHost({ config: { apiRoot: "https://telegram.example", pollSeconds: 25 }, secrets: { botToken: "42:token" } });
  let updates: { update_id: number; message: object }[] = [];
  let written = 0;
  let wake: (() => void) | undefined;
  let asked = 0;
  const ok = (result: unknown) => json({ ok: true, result });
  const no = (code: number, description: string, parameters?: object) => json({ ok: false, error_code: code, description, parameters }, code);
  /** Which trouble holds at a time: every half hour another one, for six minutes. */
  const trouble = () => {
    const minute = Math.floor(((host.clock.now - START) / 60_000) % 180);
    return minute % 30 < 24 ? undefined : Math.floor(minute / 30);
  };
  const START = host.clock.now;
  host.network.answerWith((request) => {
    asked += 1;
    switch (trouble()) {
      case 0:
        throw refused();
      case 1:
        return silence();
      case 2:
        return no(429, "Too Many Requests", { retry_after: 45 });
      case 3:
        return no(409, "Conflict: terminated by other getUpdates request");
      case 4:
        return new Response("<html>502</html>", { status: 502 });
      case 5:
        throw new TypeError("socket hang up");
    }
    if (request.url.pathname.endsWith("/getMe")) return ok({ id: 42, is_bot: true, first_name: "Kata", username: "kata_bot" });
    if (!request.url.pathname.endsWith("/getUpdates")) return ok(true);
    const { offset = 0, timeout = 0 } = request.json() as { offset?: number; timeout?: number };
    updates = updates.filter((update) => update.update_id >= offset);
    if (updates.length > 0 || timeout === 0) return ok(updates);
    return new Promise<Response>((resolve) => {
      const timer = setTimeout(() => resolve(ok([])), timeout * 1000);
      wake = () => {
        clearTimeout(timer);
        resolve(ok(updates));
      };
    });
  });
  await host.run(async () => {
    const channel = (await load(telegram)).channel("telegram");
    const running = new Running((signal) => channel.messaging?.connect(host.connectContext(signal)));
    while (host.clock.now - START < 12 * HOUR) {
      await host.clock.advance(EVERY);
      written += 1;
      updates.push({ update_id: 1000 + written, message: { message_id: written, date: 1, chat: { id: 7, type: "private", first_name: "Ann" }, from: { id: 7, is_bot: false, first_name: "Ann" }, text: `m${written}` } });
      wake?.();
    }
    await host.clock.advance(10 * 60_000);
    await running.stopped(host);
  });
  expect(written).toBe(180);
  expect(host.drafts.map((draft) => draft.text)).toEqual(Array.from({ length: written }, (_, index) => `m${index + 1}`));
  expect(host.states).toEqual(expect.arrayContaining(["running", "degraded/unreachable", "degraded/rate_limited", "degraded/conflict_409"]));
  // It waits between its tries: less than one request every two seconds, trouble included.
  expect(asked).toBeLessThan((12 * HOUR) / 2000);
}, 120_000);
