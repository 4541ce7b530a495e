/** Google Calendar in memory, as far as the plugin asks. Strict about what Google is strict about: tokens with filters, versions, dates. */

import { type FakeRequest, json } from "@kata-agents/plugin-sdk/testing";

export const TOKEN = "ya29.secret-of-the-test";
export const OWN = "me@gmail.example";
export const ACCOUNT = { google: { accessToken: TOKEN, scopes: [], account: OWN } };
export const CONFIG = { apiRoot: "https://calendar.example", calendars: "primary", timeZone: "", session: "", remindMinutes: 10, pollSeconds: 60, requestsPerMinute: 600 };

export interface Stored {
  id: string;
  version: number;
  body: Record<string, unknown>;
  cancelled: boolean;
}

export function wrong(code: number, reason: string, message = "no", headers: Record<string, string> = {}): Response {
  return json({ error: { code, message, errors: [{ message, domain: "global", reason }] } }, code, headers);
}

export class FakeCalendar {
  readonly events: Stored[] = [];
  calendars: Record<string, unknown>[] = [
    { id: OWN, summary: "Me", primary: true, accessRole: "owner", timeZone: "Europe/Berlin" },
    { id: "team@group.example", summary: "Team", accessRole: "reader", timeZone: "America/New_York" },
  ];
  version = 0;
  /** Sync tokens below it are too old. */
  oldest = 0;
  tokens = new Set([TOKEN]);
  pageSize = 250;
  fault: (request: FakeRequest, method: string) => Response | undefined | Promise<Response | undefined> = () => undefined;
  busyOf: Record<string, { start: string; end: string }[]> = {};
  #count = 0;

  put(summary: string, start: string, end: string, more: Record<string, unknown> = {}): Stored {
    this.#count += 1;
    this.version += 1;
    const time = (value: string) => (value.length === 10 ? { date: value } : { dateTime: value });
    const one: Stored = { id: `e${this.#count}`, version: this.version, cancelled: false, body: { summary, start: time(start), end: time(end), status: "confirmed", ...more } };
    this.events.push(one);
    return one;
  }

  change(one: Stored, body: Record<string, unknown>): void {
    this.version += 1;
    one.version = this.version;
    one.body = { ...one.body, ...body };
  }

  cancel(one: Stored): void {
    this.version += 1;
    one.version = this.version;
    one.cancelled = true;
  }

  readonly answer = async (request: FakeRequest): Promise<Response> => {
    const method = methodOf(request);
    const early = await this.fault(request, method);
    if (early !== undefined) return early;
    const token = /^Bearer (.+)$/.exec(request.headers["authorization"] ?? "")?.[1];
    if (token === undefined || !this.tokens.has(token)) return wrong(401, "authError");
    const query = request.url.searchParams;
    const [, , , , calendar = "", , id = ""] = request.url.pathname.split("/").map(decodeURIComponent);
    const one = this.events.find((event) => event.id === id);
    switch (method) {
      case "calendars":
        return json({ kind: "calendar#calendarList", items: this.calendars });
      case "list":
        return this.calendars.some((each) => each["id"] === calendar) ? this.#list(query, calendar) : wrong(404, "notFound");
      case "get":
        return one === undefined ? wrong(404, "notFound") : json(resource(one));
      case "insert": {
        const { id: wanted, ...body } = request.json();
        if (this.events.some((event) => event.id === wanted)) return wrong(409, "duplicate");
        this.version += 1;
        const made: Stored = { id: String(wanted), version: this.version, cancelled: false, body };
        this.events.push(made);
        return json(resource(made));
      }
      case "patch":
      case "delete": {
        if (one === undefined) return wrong(404, "notFound");
        if (one.cancelled) return wrong(410, "deleted");
        const expected = request.headers["if-match"];
        if (expected !== undefined && expected !== etag(one)) return wrong(412, "conditionNotMet");
        if (method === "delete") this.cancel(one);
        else this.change(one, request.json());
        return method === "delete" ? new Response(null, { status: 204 }) : json(resource(one));
      }
      case "freeBusy": {
        const { timeMin, timeMax, items } = request.json() as { timeMin: string; timeMax: string; items: { id: string }[] };
        const calendars = Object.fromEntries(items.map((item) => [item.id, this.#busy(item.id, Date.parse(timeMin), Date.parse(timeMax))]));
        return json({ kind: "calendar#freeBusy", timeMin, timeMax, calendars });
      }
      default:
        return wrong(404, "notFound", `no such method: ${request.url.pathname}`);
    }
  };

  #busy(id: string, from: number, to: number): object {
    const known = this.busyOf[id];
    if (known !== undefined) return { busy: known.filter((one) => Date.parse(one.end) > from && Date.parse(one.start) < to) };
    if (id !== OWN) return { errors: [{ domain: "global", reason: "notFound" }], busy: [] };
    const busy = this.events.filter((one) => !one.cancelled && one.body["transparency"] !== "transparent" && startOf(one) < to && endOf(one) > from);
    return { busy: busy.map((one) => ({ start: new Date(startOf(one)).toISOString(), end: new Date(endOf(one)).toISOString() })) };
  }

  #list(query: URLSearchParams, calendar: string): Response {
    const token = query.get("syncToken");
    let all = calendar === OWN ? [...this.events] : [];
    if (token !== null) {
      // https://developers.google.com/workspace/calendar/api/v3/reference/events/list: these cannot stand beside a sync token.
      for (const name of ["timeMin", "timeMax", "orderBy", "q", "updatedMin"]) if (query.has(name)) return wrong(400, "badRequest", `${name} with syncToken`);
      const since = Number(token.split("-")[1]);
      if (since < this.oldest) return wrong(410, "fullSyncRequired");
      all = all.filter((one) => one.version > since);
    } else {
      const [min, max] = [query.get("timeMin"), query.get("timeMax")];
      all = all.filter((one) => !one.cancelled && (min === null || endOf(one) > Date.parse(min)) && (max === null || startOf(one) < Date.parse(max)));
      if (query.get("orderBy") === "startTime") all.sort((a, b) => startOf(a) - startOf(b));
      const q = query.get("q");
      if (q !== null) all = all.filter((one) => String(one.body["summary"]).includes(q));
    }
    const from = Number(query.get("pageToken") ?? 0);
    const size = Math.min(this.pageSize, Number(query.get("maxResults") ?? 250));
    const more = from + size < all.length;
    return json({
      kind: "calendar#events",
      timeZone: "Europe/Berlin",
      items: all.slice(from, from + size).map(resource),
      ...(more ? { nextPageToken: String(from + size) } : { nextSyncToken: `sync-${this.version}` }),
    });
  }
}

const etag = (one: Stored): string => `"${one.version}"`;
const momentOf = (time: unknown): number => {
  const { date, dateTime } = time as { date?: string; dateTime?: string };
  return Date.parse(dateTime ?? `${date}T00:00:00+01:00`);
};
const startOf = (one: Stored): number => momentOf(one.body["start"]);
const endOf = (one: Stored): number => momentOf(one.body["end"]);
const resource = (one: Stored) => (one.cancelled ? { id: one.id, status: "cancelled", etag: etag(one) } : { kind: "calendar#event", id: one.id, etag: etag(one), ...one.body });

/** Which of Calendar's methods a request is. */
export function methodOf({ method, url }: Pick<FakeRequest, "method" | "url">): string {
  const [, service, version, what, , events, id] = url.pathname.split("/");
  if (service !== "calendar" || version !== "v3") return "unknown";
  if (what === "users") return "calendars";
  if (what === "freeBusy") return method === "POST" ? "freeBusy" : "unknown";
  if (what !== "calendars" || events !== "events") return "unknown";
  if (id === undefined) return method === "POST" ? "insert" : "list";
  return { GET: "get", PATCH: "patch", DELETE: "delete" }[method] ?? "unknown";
}
