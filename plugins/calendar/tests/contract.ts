// Run it with `kata plugins check`, or with vitest beside the other tests.
import { expect, type FakeRequest, json, load, serviceContract, toolContract } from "@kata-agents/plugin-sdk/testing";
import plugin from "../index.ts";

const TOKEN = "ya29.secret-of-the-test";
const accounts = { google: { accessToken: TOKEN, scopes: [] } };
const config = { apiRoot: "https://calendar.example", calendars: "primary", timeZone: "", session: "s1", remindMinutes: 10, pollSeconds: 60, requestsPerMinute: 600 };

const EVENT = {
  id: "e1",
  etag: '"1"',
  summary: "Lunch",
  status: "confirmed",
  // A quarter of an hour after the fake clock's beginning.
  start: { dateTime: "2023-11-14T22:28:20Z" },
  end: { dateTime: "2023-11-14T23:28:20Z" },
};

function network(request: FakeRequest): Response {
  if (request.headers["authorization"] !== `Bearer ${TOKEN}`) return json({ error: { code: 401 } }, 401);
  const path = request.url.pathname.replace("/calendar/v3/", "");
  if (path === "users/me/calendarList") return json({ items: [{ id: "me", summary: "Me", primary: true, accessRole: "owner", timeZone: "Europe/Berlin" }] });
  if (path === "freeBusy") return json({ calendars: { me: { busy: [{ start: EVENT.start.dateTime, end: EVENT.end.dateTime }] } } });
  if (path === "calendars/me/events" && request.method === "POST") return json({ ...EVENT, ...request.json() });
  if (path === "calendars/me/events") return json({ items: request.url.searchParams.has("syncToken") ? [] : [EVENT], nextSyncToken: "sync-1" });
  if (path === "calendars/me/events/e1") return request.method === "DELETE" ? new Response(null, { status: 204 }) : json({ ...EVENT, ...(request.method === "PATCH" ? request.json() : {}) });
  return json({ error: { code: 404, errors: [{ reason: "notFound" }] } }, 404);
}

const tool = (name: string) => async () => (await load(plugin)).tool<object>(name);
const given = { config, accounts, network };

export default [
  ...serviceContract("calendar", async () => (await load(plugin)).service("calendar"), {
    ...given,
    after: {
      ms: 360_000,
      check: (host) => {
        expect(host.states.join() === "connecting,running", `the states were ${host.states.join()}`);
        expect(host.submitted.length === 1, `the session was reminded ${host.submitted.length} times`);
      },
    },
  }),
  ...toolContract("check_schedule", tool("check_schedule"), { ...given, examples: [{ args: {}, gives: /Lunch/ }, { args: { from: "soon" }, fails: true }] }),
  ...toolContract("find_free_time", tool("find_free_time"), { ...given, examples: [{ args: { minutes: 60, from: "2023-11-15", to: "2023-11-15" }, gives: /2023-11-15T09:00:00\+01:00/ }] }),
  ...toolContract("create_event", tool("create_event"), { ...given, examples: [{ args: { title: "Tea", start: "2027-01-15T14:00" }, gives: /Tea.*2027-01-15T14:00:00\+01:00/ }, { args: { title: "Tea", start: "2027-01-15T14:00", minutes: 5, end: "2027-01-15T15:00" }, fails: true }] }),
  ...toolContract("update_event", tool("update_event"), { ...given, examples: [{ args: { id: "e1", title: "Dinner" }, gives: /Dinner/ }, { args: { id: "e2", title: "Dinner" }, fails: true }] }),
  ...toolContract("cancel_event", tool("cancel_event"), { ...given, examples: [{ args: { id: "e1" }, gives: /cancelled/ }, { args: { id: "e1", version: '"0"' }, fails: true }] }),
];
