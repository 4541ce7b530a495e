import { describe, expect, it } from "vitest";
import { ago, dayGroup, duration, micros, until } from "./time";

const NOW = new Date(2026, 10, 22, 12, 0).getTime();
const HOUR = 3_600_000;

describe("times", () => {
  it("are told as a person tells them", () => {
    expect([0, 59_000, 4 * 60_000, 3 * HOUR, 49 * HOUR].map((past) => ago(NOW - past, NOW))).toEqual(["now", "now", "4 min", "3 h", "2 d"]);
  });

  it("group by the day of the calendar, not by 24 hours", () => {
    expect(dayGroup(NOW - 11 * HOUR, NOW)).toBe("Today");
    expect(dayGroup(NOW - 13 * HOUR, NOW)).toBe("Yesterday");
  });

  it("say how long there is, and promise no half hour that is not there", () => {
    expect([41_000, 8 * 60_000, 61 * 60_000, 5 * HOUR].map((rest) => until(NOW + rest, NOW))).toEqual(["in 41 s", "in 8 min", "in 61 min", "in 5 h"]);
    expect(until(NOW - 1, NOW)).toBe("in 0 s");
  });

  it("say how long something took, from microseconds to days", () => {
    expect([micros(410), micros(230_400)]).toEqual(["410 µs", "230 ms"]);
    expect([duration(1_240), duration(61_000), duration(25 * HOUR), duration(50 * HOUR)]).toEqual(["1.2 s", "1 min 1 s", "25 h 0 min", "2 d"]);
  });
});
