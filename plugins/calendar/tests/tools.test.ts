import { expect, test } from "vitest";
import manifest from "../kata-plugin.json" with { type: "json" };
import { freeSpans, joined } from "../free.ts";
import { methodOf, OWN, wrong } from "./platform.ts";
import { bench, call, fails } from "./support.ts";

// The fake clock stands at 2023-11-14T22:13:20Z, a Tuesday; 23:13 in Berlin.

test("the plugin registers what its manifest names, and only what reads runs without asking", () =>
  bench(async ({ loaded }) => {
    expect(loaded.tools.map((tool) => tool.name).sort()).toEqual(manifest.contributes.tools);
    expect(loaded.tools.filter((tool) => tool.readOnly === true).map((tool) => tool.name)).toEqual(["check_schedule", "find_free_time"]);
  }));

test("the schedule of a day is that of the person's own zone, whole days and series included", () =>
  bench(async (now) => {
    now.google.put("Late", "2023-11-15T22:30:00Z", "2023-11-15T23:30:00Z");
    now.google.put("Next day", "2023-11-15T23:15:00Z", "2023-11-15T23:45:00Z");
    now.google.put("Holiday", "2023-11-15", "2023-11-17");
    now.google.put("Weekly", "2023-11-15T09:00:00+01:00", "2023-11-15T10:00:00+01:00", { recurringEventId: "series", attendees: [{ email: "ana@example.org", displayName: "Ana", responseStatus: "accepted" }] });
    const told = await call(now, "check_schedule", { from: "2023-11-15", to: "2023-11-15" });
    expect(told).toMatchObject({ timeZone: "Europe/Berlin", from: "2023-11-15T00:00:00+01:00", to: "2023-11-16T00:00:00+01:00" });
    expect(told["events"]).toEqual([
      { id: "e3", title: "Holiday", firstDay: "2023-11-15", lastDay: "2023-11-16", version: '"3"' },
      { id: "e4", title: "Weekly", start: "2023-11-15T09:00:00+01:00", end: "2023-11-15T10:00:00+01:00", people: ["Ana ana@example.org (accepted)"], recurs: true, version: '"4"' },
      { id: "e1", title: "Late", start: "2023-11-15T23:30:00+01:00", end: "2023-11-16T00:30:00+01:00", version: '"1"' },
    ]);
    expect(await call(now, "check_schedule", { from: "2023-11-15T12:00", to: "2023-11-15T23:00", timeZone: "America/New_York" })).toMatchObject({ from: "2023-11-15T12:00:00-05:00" });
  }));

test("while Google is away the answer is what was known, and says of when", () =>
  bench(async (now) => {
    const { host, google, start } = now;
    google.put("Lunch", "2023-11-15T12:00:00+01:00", "2023-11-15T13:00:00+01:00");
    const running = start();
    await host.clock.advance(1_000);
    google.fault = () => Promise.reject(Object.assign(new Error("no route"), { code: "connect" }));
    let told: Record<string, unknown> | undefined;
    void call(now, "check_schedule", { from: "2023-11-15" }).then((answer) => (told = answer));
    await host.clock.until(() => told !== undefined, 60_000);
    expect(told).toMatchObject({ asOf: "2023-11-14T23:13:20+01:00", events: [{ title: "Lunch" }] });
    expect(await fails(now, "create_event", { title: "x", start: "2023-11-15T12:00" })).toBe("Making the event: Google cannot be reached now. Nothing was changed.");
    await running.stopped(host);
  }));

test("free time lies within the hours of the day, between what is busy, and others who share their calendar count", () =>
  bench(async (now) => {
    const { google } = now;
    google.put("Morning", "2023-11-15T09:00:00+01:00", "2023-11-15T12:00:00+01:00");
    google.put("Away", "2023-11-15T12:00:00+01:00", "2023-11-15T12:30:00+01:00", { transparency: "transparent" });
    google.busyOf["ana@example.org"] = [{ start: "2023-11-15T13:00:00+01:00", end: "2023-11-15T16:30:00+01:00" }];
    const args = { minutes: 60, from: "2023-11-15", to: "2023-11-16", people: ["Ana@example.org", "unknown@example.org"] };
    expect(await call(now, "find_free_time", args)).toMatchObject({
      timeZone: "Europe/Berlin",
      free: [
        { start: "2023-11-15T12:00:00+01:00", end: "2023-11-15T13:00:00+01:00" },
        { start: "2023-11-15T16:30:00+01:00", end: "2023-11-15T18:00:00+01:00" },
        { start: "2023-11-16T09:00:00+01:00", end: "2023-11-16T18:00:00+01:00" },
      ],
      unknown: ["unknown@example.org"],
    });
    expect((await call(now, "find_free_time", { minutes: 60, from: "2023-11-18", to: "2023-11-19" }))["free"]).toEqual([]);
    expect((await call(now, "find_free_time", { minutes: 60, from: "2023-11-18", to: "2023-11-18", weekends: true, dayStart: "20:00", dayEnd: "23:00" }))["free"]).toEqual([{ start: "2023-11-18T20:00:00+01:00", end: "2023-11-18T23:00:00+01:00" }]);
  }));

test("free time on the day the clock is changed is that of the clock on the wall; spans that overlap count once", () => {
  const zone = "Europe/Berlin";
  const wish = { from: Date.parse("2027-03-28T00:00:00+01:00"), to: Date.parse("2027-03-29T00:00:00+02:00"), minutes: 30, zone, dayStart: 0, dayEnd: 1440, weekends: true, most: 9 };
  expect(freeSpans([], wish).map((one) => (one.to - one.from) / 3_600_000)).toEqual([23]);
  expect(joined([{ from: 5, to: 9 }, { from: 1, to: 3 }, { from: 2, to: 6 }, { from: 9, to: 9 }])).toEqual([{ from: 1, to: 9 }]);
});

test("an event is made for the time that was meant, also for whole days, in other zones and recurring", () =>
  bench(async (now) => {
    const { google, host } = now;
    const made = async (args: object) => {
      await call(now, "create_event", { title: "T", ...args });
      return google.events.at(-1)?.body;
    };
    expect(await made({ start: "2027-01-15T14:00", minutes: 45, where: "Room", people: ["ana@example.org"], reminderMinutes: 5 })).toEqual({
      summary: "T",
      start: { dateTime: "2027-01-15T14:00:00+01:00", timeZone: "Europe/Berlin" },
      end: { dateTime: "2027-01-15T14:45:00+01:00", timeZone: "Europe/Berlin" },
      location: "Room",
      attendees: [{ email: "ana@example.org" }],
      reminders: { useDefault: false, overrides: [{ method: "popup", minutes: 5 }] },
    });
    expect(host.network.requests.at(-1)?.url.searchParams.get("sendUpdates")).toBe("none");
    expect(await made({ start: "2027-07-15T14:00", timeZone: "America/New_York", notify: true })).toMatchObject({ start: { dateTime: "2027-07-15T14:00:00-04:00" }, end: { dateTime: "2027-07-15T15:00:00-04:00" } });
    expect(host.network.requests.at(-1)?.url.searchParams.get("sendUpdates")).toBe("all");
    expect(await made({ start: "2027-07-15", end: "2027-07-17" })).toMatchObject({ start: { date: "2027-07-15" }, end: { date: "2027-07-18" } });
    expect(await made({ start: "2027-07-15" })).toMatchObject({ start: { date: "2027-07-15" }, end: { date: "2027-07-16" } });
    expect(await made({ start: "2027-01-15T14:00", recurrence: "RRULE:FREQ=WEEKLY;COUNT=4" })).toMatchObject({ recurrence: ["RRULE:FREQ=WEEKLY;COUNT=4"] });
    // Google knows the rules of zones that are not here.
    expect(await made({ start: "2027-01-15T14:00", timeZone: "Africa/Casablanca" })).toMatchObject({ start: { dateTime: "2027-01-15T14:00:00", timeZone: "Africa/Casablanca" }, end: { dateTime: "2027-01-15T15:00:00", timeZone: "Africa/Casablanca" } });
  }));

test("an event whose answer was lost is looked for under its own id, and not made twice", () =>
  bench(async (now) => {
    const { google, host } = now;
    google.fault = async (request, method) => {
      if (method !== "insert") return undefined;
      google.fault = () => undefined;
      await google.answer(request);
      throw new Error("the connection broke");
    };
    expect(await call(now, "create_event", { title: "Once", start: "2027-01-15T14:00" })).toMatchObject({ made: { title: "Once" } });
    expect(google.events).toHaveLength(1);
    expect(host.network.requests.filter((one) => methodOf(one) === "insert")).toHaveLength(1);
    google.fault = (_, method) => (method === "insert" ? wrong(500, "backendError") : undefined);
    expect(await fails(now, "create_event", { title: "Never", start: "2027-01-15T14:00" })).toContain("Look before you try again");
  }));

test("an event is moved as long as it lasts, guests keep their answers, and only what was given is changed", () =>
  bench(async (now) => {
    const { google } = now;
    const one = google.put("Talk", "2023-11-15T09:00:00+01:00", "2023-11-15T10:30:00+01:00", { attendees: [{ email: "ana@example.org", responseStatus: "accepted" }, { email: "bo@example.org" }] });
    await call(now, "update_event", { id: one.id, start: "2023-11-16T14:00", addPeople: ["carl@example.org", "ANA@example.org"], removePeople: ["bo@example.org"] });
    expect(one.body).toEqual({
      summary: "Talk",
      status: "confirmed",
      start: { dateTime: "2023-11-16T14:00:00+01:00", timeZone: "Europe/Berlin" },
      end: { dateTime: "2023-11-16T15:30:00+01:00", timeZone: "Europe/Berlin" },
      attendees: [{ email: "ana@example.org", responseStatus: "accepted" }, { email: "carl@example.org" }],
    });
    await call(now, "update_event", { id: one.id, start: "2023-11-20" });
    expect(one.body).toMatchObject({ start: { date: "2023-11-20", dateTime: null }, end: { date: "2023-11-21" } });
    await call(now, "update_event", { id: one.id, minutes: 20, start: "2023-11-20T10:00" });
    expect(one.body).toMatchObject({ start: { dateTime: "2023-11-20T10:00:00+01:00", date: null }, end: { dateTime: "2023-11-20T10:20:00+01:00" } });
  }));

test("what somebody changed in the meantime is not overwritten: an old version is named before, and a race at Google (412)", () =>
  bench(async (now) => {
    const { google } = now;
    const one = google.put("Talk", "2023-11-15T09:00:00+01:00", "2023-11-15T10:00:00+01:00");
    const [seen] = (await call(now, "check_schedule", { from: "2023-11-15" }))["events"] as { version: string }[];
    google.change(one, { summary: "Another talk" });
    expect(await fails(now, "update_event", { id: one.id, version: seen?.version, title: "Mine" })).toContain("`version`: somebody changed the event since");
    google.fault = (_, method) => {
      if (method === "patch") google.change(one, { location: "elsewhere" });
      return undefined;
    };
    expect(await fails(now, "update_event", { id: one.id, title: "Mine" })).toBe("Changing the event: somebody changed it in the meantime. Read it again, then decide anew.");
    expect(one.body["summary"]).toBe("Another talk");
    google.fault = (_, method) => {
      if (method === "delete") google.change(one, { location: "elsewhere again" });
      return undefined;
    };
    expect(await fails(now, "cancel_event", { id: one.id })).toBe("Cancelling the event: somebody changed it in the meantime. Read it again, then decide anew.");
    google.fault = () => undefined;
    expect(await fails(now, "cancel_event", { id: one.id, version: seen?.version })).toContain("`version`");
    expect(one.cancelled).toBe(false);
  }));

test("of a series one event is changed or cancelled, or all of it where that is said", () =>
  bench(async (now) => {
    const { google } = now;
    const series = google.put("Weekly", "2023-11-15T09:00:00+01:00", "2023-11-15T10:00:00+01:00", { recurrence: ["RRULE:FREQ=WEEKLY"] });
    const one = google.put("Weekly", "2023-11-22T09:00:00+01:00", "2023-11-22T10:00:00+01:00", { recurringEventId: series.id });
    await call(now, "update_event", { id: one.id, title: "Only this" });
    await call(now, "update_event", { id: one.id, scope: "series", where: "Room 9" });
    expect([one.body["summary"], series.body["summary"], series.body["location"]]).toEqual(["Only this", "Weekly", "Room 9"]);
    expect(await call(now, "cancel_event", { id: one.id })).toMatchObject({ cancelled: "Only this" });
    expect([one.cancelled, series.cancelled]).toEqual([true, false]);
    expect(await fails(now, "cancel_event", { id: one.id })).toContain("`id`: there is no event");
    await call(now, "cancel_event", { id: series.id, scope: "series" });
    expect(series.cancelled).toBe(true);
  }));

test.each([
  ["check_schedule", { from: "tomorrow" }, "`from`: “tomorrow” is no date or time; write 2026-11-26 for a whole day"],
  ["check_schedule", { from: "2023-02-30" }, "`from`: there is no day 2023-02-30."],
  ["check_schedule", { from: "2023-11-15", to: "2023-11-14" }, "`to`: is not after `from`."],
  ["check_schedule", { from: "2023-11-15", to: "2025-11-15" }, "`to`: is more than a year"],
  ["check_schedule", { timeZone: "Berlin" }, "`timeZone`: “Berlin” is no time zone; write one such as Europe/Berlin."],
  ["check_schedule", { from: "2023-11-15", timeZone: "Africa/Casablanca" }, "`from`, `timeZone`: the rules of “Africa/Casablanca” are not known here"],
  ["check_schedule", { calendar: "Nowhere" }, "`calendar`: there is no calendar “Nowhere”. There are: Me, Team."],
  ["find_free_time", { minutes: 30, dayStart: "9" }, "`dayStart`: “9” is no time of day; write 09:30."],
  ["find_free_time", { minutes: 30, dayStart: "18:00", dayEnd: "09:00" }, "`dayEnd`: is not after `dayStart`."],
  ["find_free_time", { minutes: 30, from: "2020-01-01", to: "2020-01-02" }, "`to`: is over already."],
  ["create_event", { title: "x", start: "2027-01-15T25:00" }, "`start`: there is no time 25:00:00."],
  ["create_event", { title: "x", start: "2027-01-15T10:00", end: "2027-01-15T09:00" }, "`end`: is not after the beginning."],
  ["create_event", { title: "x", start: "2027-01-15T10:00", end: "2027-01-15" }, "`end`: must be a day where `start` is one"],
  ["create_event", { title: "x", start: "2027-01-15", minutes: 5 }, "`minutes`: an event of whole days has none"],
  ["create_event", { title: "x", start: "2027-01-15T10:00", end: "2027-01-15T11:00", minutes: 5 }, "`minutes`: give it or `end`, not both."],
  ["create_event", { title: "x", start: "2027-01-15T10:00", people: ["nobody"] }, "`people`: “nobody” is no address"],
  ["create_event", { title: "x", start: "2027-01-15T10:00", recurrence: "weekly" }, "`recurrence`: write a rule"],
  ["create_event", { title: "x", start: "2027-01-15T10:00", calendar: "Team" }, "`calendar`: “Team” can only be read."],
  ["update_event", { id: "nothing", title: "x" }, "`id`: there is no event “nothing” in “Me” (any more)"],
] as const)("%s %j says which field is wrong and what to write", (tool, args, message) =>
  bench(async (now) => {
    expect(await fails(now, tool, args)).toContain(message);
    expect(now.google.events).toEqual([]);
  }));

test("an update without a change is refused before anything is asked of Google but the event", () =>
  bench(async (now) => {
    const one = now.google.put("Talk", "2023-11-15T09:00:00+01:00", "2023-11-15T10:00:00+01:00");
    expect(await fails(now, "update_event", { id: one.id })).toContain("Nothing is to be changed");
    expect(one.version).toBe(1);
    now.google.tokens.clear();
    expect(await fails(now, "check_schedule", {})).toBe("Looking into the calendar: nobody is signed in at Google. Ask the person to sign in again under Sources.");
    expect(OWN).toBe("me@gmail.example");
  }));
