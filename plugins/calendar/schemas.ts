/** What the tools take, for the model; the host checks arguments against it before it calls. */

import type { JsonSchema } from "@kata-agents/plugin-sdk";

const object = (properties: Record<string, unknown>, required: readonly string[]): JsonSchema => ({ type: "object", properties, required, additionalProperties: false });
const words = (description: string, more: Record<string, unknown> = {}) => ({ type: "string", description, ...more });
const list = (description: string, maxItems: number) => ({ type: "array", items: { type: "string", minLength: 3, maxLength: 320 }, maxItems, description });

const TIME = "2026-11-26T14:00 by the clock there, or with its offset, 2026-11-26T14:00+01:00";
const CALENDAR = words("Id or name of the calendar; without it the first one of the settings.", { minLength: 1, maxLength: 320 });
const ZONE = words("Time zone of the times given and shown, such as Europe/Berlin; without it the person's own.", { minLength: 2, maxLength: 60 });
const NOTIFY = { type: "boolean", description: "Whether Google sends the guests an e-mail about it; default false." };
const ID = words("Id of the event, as check_schedule gives it.", { minLength: 1, maxLength: 1024 });
const VERSION = words("The event's `version` from check_schedule: when somebody changed it since, nothing happens and you are told.", { maxLength: 200 });
const SCOPE = { type: "string", enum: ["this", "series"], description: "Of an event that recurs: this one only (default), or the whole series." };
const MINUTES = { type: "integer", minimum: 1, maximum: 10_080, description: "How long, in minutes; instead of `end`." };
const WHAT = {
  where: words("Place.", { maxLength: 1000 }),
  description: words("Text of the event.", { maxLength: 8000 }),
  reminderMinutes: { type: "integer", minimum: 0, maximum: 40_320, description: "Minutes before it begins that Google reminds the person; without it the calendar's own." },
};

export const CHECK = object(
  {
    from: words(`From when: a day, 2026-11-26, or ${TIME}. Without it now.`, { maxLength: 40 }),
    to: words("Until when, in the same form; a day counts as a whole. Without it seven days after `from`.", { maxLength: 40 }),
    query: words("Only events with these words.", { maxLength: 200 }),
    calendar: CALENDAR,
    timeZone: ZONE,
    limit: { type: "integer", minimum: 1, maximum: 100, description: "How many events; default 50." },
  },
  [],
);

export const FREE = object(
  {
    minutes: { type: "integer", minimum: 5, maximum: 1440, description: "How long the free time must be." },
    from: words(`From when: a day, or ${TIME}. Without it now.`, { maxLength: 40 }),
    to: words("Until when, in the same form. Without it seven days after `from`.", { maxLength: 40 }),
    dayStart: words("Not before this time of a day; default 09:00.", { maxLength: 5 }),
    dayEnd: words("Not after this time of a day; default 18:00.", { maxLength: 5 }),
    weekends: { type: "boolean", description: "Whether Saturdays and Sundays count; default false." },
    people: list("Addresses of others who must be free, too; Google says so of those who share their calendar.", 20),
    timeZone: ZONE,
    limit: { type: "integer", minimum: 1, maximum: 50, description: "How many free times; default 10." },
  },
  ["minutes"],
);

export const CREATE = object(
  {
    title: words("Title.", { minLength: 1, maxLength: 500 }),
    start: words(`When it begins: ${TIME}; or a day, 2026-11-26, for one that lasts the whole day.`, { maxLength: 40 }),
    end: words("When it ends, in the same form; of whole days the last one. Without it and without `minutes` it lasts an hour, or that day.", { maxLength: 40 }),
    minutes: MINUTES,
    ...WHAT,
    people: list("Addresses of guests.", 50),
    recurrence: words("How it recurs, as RFC 5545 writes it: RRULE:FREQ=WEEKLY;COUNT=10", { maxLength: 500 }),
    notify: NOTIFY,
    calendar: CALENDAR,
    timeZone: ZONE,
  },
  ["title", "start"],
);

export const UPDATE = object(
  {
    id: ID,
    version: VERSION,
    scope: SCOPE,
    title: words("New title.", { minLength: 1, maxLength: 500 }),
    start: words(`New beginning: ${TIME}, or a day. Alone it moves the event, which lasts as long as before.`, { maxLength: 40 }),
    end: words("New end.", { maxLength: 40 }),
    minutes: MINUTES,
    ...WHAT,
    addPeople: list("Addresses of guests to add.", 50),
    removePeople: list("Addresses of guests to take off.", 50),
    notify: NOTIFY,
    calendar: CALENDAR,
    timeZone: ZONE,
  },
  ["id"],
);

export const CANCEL = object({ id: ID, version: VERSION, scope: SCOPE, notify: NOTIFY, calendar: CALENDAR }, ["id"]);
