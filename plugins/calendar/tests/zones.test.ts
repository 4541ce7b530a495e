import { expect, test } from "vitest";
import { isKnown, momentAt, offsetAt, shown } from "../zones.ts";

/** Node's own knowledge: the oracle. */
function truth(zone: string): (ms: number) => number {
  const parts = new Intl.DateTimeFormat("en-US", { timeZone: zone, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric" });
  return (ms) => {
    const at: Record<string, number> = {};
    for (const { type, value } of parts.formatToParts(ms)) at[type] = Number(value);
    return (Date.UTC(at["year"] ?? 0, (at["month"] ?? 1) - 1, at["day"], at["hour"], at["minute"], at["second"]) - ms) / 60_000;
  };
}

const MOON = ["Africa/Casablanca", "Africa/El_Aaiun"];
const HOUR = 3_600_000;

test("every zone Node knows has the offsets Node says, at every hour around each change and twice a month besides, 2026 to 2031", () => {
  const wrong: string[] = [];
  for (const zone of Intl.supportedValuesOf("timeZone")) {
    if (MOON.includes(zone)) continue;
    const right = truth(zone);
    let before = right(Date.UTC(2026, 0, 1));
    for (let ms = Date.UTC(2026, 0, 1); ms < Date.UTC(2032, 0, 1); ms += 14 * 24 * HOUR) {
      const now = right(ms);
      if (offsetAt(zone, ms) !== now) wrong.push(`${zone} ${new Date(ms).toISOString()}: ${offsetAt(zone, ms)}, not ${now}`);
      if (now !== before) {
        // The change lies in the last fortnight: found by halves, then looked at minute by minute around it.
        let [low, high] = [ms - 14 * 24 * HOUR, ms];
        while (high - low > 60_000) {
          const middle = Math.floor((low + high) / 2 / 60_000) * 60_000;
          if (right(middle) === before) low = middle;
          else high = middle;
        }
        for (const near of [high - HOUR, high - 60_000, high, high + 60_000, high + HOUR]) if (offsetAt(zone, near) !== right(near)) wrong.push(`${zone} ${new Date(near).toISOString()}: ${offsetAt(zone, near)}, not ${right(near)}`);
      }
      before = now;
    }
  }
  expect(wrong.slice(0, 10)).toEqual([]);
}, 120_000);

test("the names Google uses are known, and those whose rules follow the moon are not", () => {
  for (const zone of ["UTC", "Etc/UTC", "Europe/Kyiv", "Asia/Kolkata", "Asia/Kathmandu", "America/Argentina/Buenos_Aires", "Asia/Ho_Chi_Minh", "America/Nuuk", "europe/berlin"]) expect(isKnown(zone), zone).toBe(true);
  for (const zone of [...MOON, "Mars/Olympus", ""]) expect(isKnown(zone), zone).toBe(false);
  expect(offsetAt("Mars/Olympus", 0)).toBeUndefined();
});

test("a time the clock leaves out comes later by the gap, and of one it shows twice the first counts", () => {
  const at = (zone: string, wall: string) => new Date(momentAt(zone, Date.parse(`${wall}Z`)) ?? 0).toISOString();
  expect(at("Europe/Berlin", "2027-03-28T02:30:00")).toBe("2027-03-28T01:30:00.000Z");
  expect(at("Europe/Berlin", "2026-10-25T02:30:00")).toBe("2026-10-25T00:30:00.000Z");
  expect(at("America/New_York", "2027-03-14T02:30:00")).toBe("2027-03-14T07:30:00.000Z");
  expect(at("Australia/Lord_Howe", "2026-12-01T12:00:00")).toBe("2026-12-01T01:00:00.000Z");
  expect(shown("America/St_Johns", Date.UTC(2026, 10, 26, 12))).toBe("2026-11-26T08:30:00-03:30");
});

test("there and back again is the same moment, for any zone and any hour but those that come twice", () => {
  for (const zone of ["Europe/Berlin", "America/Los_Angeles", "Australia/Sydney", "Asia/Kolkata", "America/Santiago", "Pacific/Chatham"]) {
    for (let ms = Date.UTC(2026, 0, 1); ms < Date.UTC(2028, 0, 1); ms += 5 * HOUR + 60_000) {
      const wall = ms + (offsetAt(zone, ms) ?? 0) * 60_000;
      const back = momentAt(zone, wall) ?? 0;
      expect(back === ms || (ms - back === HOUR && (offsetAt(zone, back) ?? 0) - (offsetAt(zone, ms) ?? 0) === 60), `${zone} ${new Date(ms).toISOString()}`).toBe(true);
    }
  }
});
