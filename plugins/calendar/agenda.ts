/** The methods of Calendar's API that this plugin uses, each once; one for the service and the tools. */

import type { PluginContext } from "@kata-agents/plugin-sdk";
import { type Answer, type Ask, GoogleApi, GoogleError, isObject, objects, pages, Quota, text } from "@kata-agents/plugin-sdk/google";
import { type Clock, NetworkError } from "@kata-agents/plugin-sdk/sending";
import { type Event, eventOf } from "./events.ts";
import type { Span } from "./free.ts";
import type { Settings } from "./settings.ts";
import { isKnown } from "./zones.ts";

const ROOT = "/calendar/v3";
/** How long the list of calendars counts, milliseconds. */
const CALENDARS_MS = 10 * 60_000;
/** Events of one answer. */
const PAGE = 250;

export interface Calendar {
  id: string;
  name: string;
  timeZone: string;
  primary: boolean;
  writable: boolean;
}

/** Changes since a sync token, or everything in a window. */
export interface Changes {
  events: Event[];
  /** Ids of what is cancelled. */
  gone: string[];
  /** For the next time; nothing where Google gave none. */
  syncToken: string | undefined;
}

/** What freeBusy says of one calendar. */
export interface Busy {
  id: string;
  busy: Span[];
  /** Google's word for why it does not say. */
  error: string | undefined;
}

/** Whether others are told of a change. */
export type Telling = "all" | "none";

export class Agenda {
  readonly api: GoogleApi;
  readonly clock: Clock;
  #calendars: { at: number; list: readonly Calendar[] } | undefined;

  constructor(settings: Settings, clock: Clock) {
    this.clock = clock;
    this.api = new GoogleApi(settings.apiRoot, new Quota(settings.requestsPerMinute, clock), clock);
  }

  /** Forgets whose calendars they were. */
  forget(): void {
    this.#calendars = undefined;
  }

  async calendars(ctx: PluginContext, fresh = false, patient = false): Promise<readonly Calendar[]> {
    const kept = this.#calendars;
    if (!fresh && kept !== undefined && this.clock.now() - kept.at < CALENDARS_MS) return kept.list;
    const list: Calendar[] = [];
    const ask: Ask = { name: "calendarList.list", path: `${ROOT}/users/me/calendarList`, query: { maxResults: PAGE } };
    for await (const page of patient ? once(await this.api.patiently(ctx, ask)) : pages(this.api, ctx, ask)) {
      for (const one of objects(page["items"])) {
        const id = text(one["id"]);
        const access = text(one["accessRole"]) ?? "";
        if (id !== undefined) {
          list.push({ id, name: text(one["summaryOverride"]) ?? text(one["summary"]) ?? id, timeZone: text(one["timeZone"]) ?? "UTC", primary: one["primary"] === true, writable: access === "owner" || access === "writer" });
        }
      }
    }
    this.#calendars = { at: this.clock.now(), list };
    return list;
  }

  /** The calendar of that id or name; `primary` is the person's own. One that is not known is looked for once more. */
  async calendar(ctx: PluginContext, name: string, patient = false): Promise<Calendar | undefined> {
    const wanted = name.toLowerCase();
    const find = (list: readonly Calendar[]) =>
      list.find((one) => (wanted === "primary" ? one.primary : one.id === name)) ?? list.find((one) => one.id.toLowerCase() === wanted || one.name.toLowerCase() === wanted);
    return find(await this.calendars(ctx, false, patient)) ?? find(await this.calendars(ctx, true, patient));
  }

  /** Everything of a window, single events of series included, with a token for what changes afterwards. */
  async everything(ctx: PluginContext, calendar: Calendar, span: Span): Promise<Changes> {
    return this.#changes(ctx, calendar, { timeMin: rfc(span.from), timeMax: rfc(span.to) });
  }

  /** What has changed. Rejects with `gone` when the token is too old. */
  async changes(ctx: PluginContext, calendar: Calendar, syncToken: string): Promise<Changes> {
    return this.#changes(ctx, calendar, { syncToken });
  }

  async #changes(ctx: PluginContext, calendar: Calendar, query: NonNullable<Ask["query"]>): Promise<Changes> {
    const changes: Changes = { events: [], gone: [], syncToken: undefined };
    const ask: Ask = { name: "events.list", path: eventsOf(calendar), query: { singleEvents: true, maxResults: PAGE, ...query } };
    for await (const page of pages(this.api, ctx, ask)) {
      if (!Array.isArray(page["items"])) throw unreadable("events.list");
      for (const one of objects(page["items"])) {
        const event = eventOf(one, calendar.id, calendar.timeZone);
        if (event !== undefined) changes.events.push(event);
        else if (text(one["id"]) !== undefined) changes.gone.push(String(one["id"]));
      }
      changes.syncToken = text(page["nextSyncToken"]);
    }
    return changes;
  }

  /** Events that touch a span, by their beginning; at most `most`, and whether there are more. */
  async list(ctx: PluginContext, calendar: Calendar, span: Span, most: number, q?: string): Promise<{ events: Event[]; more: boolean }> {
    const query = { singleEvents: true, orderBy: "startTime", timeMin: rfc(span.from), timeMax: rfc(span.to), maxResults: Math.min(most, PAGE), q: q || undefined };
    const answer = await this.api.patiently(ctx, { name: "events.list", path: eventsOf(calendar), query });
    const events = objects(answer["items"]).flatMap((one) => eventOf(one, calendar.id, calendar.timeZone) ?? []);
    return { events, more: text(answer["nextPageToken"]) !== undefined };
  }

  async get(ctx: PluginContext, calendar: Calendar, id: string): Promise<{ event: Event; raw: Answer } | undefined> {
    try {
      const raw = await this.api.patiently(ctx, { name: "events.get", path: eventsOf(calendar, id) });
      const event = eventOf(raw, calendar.id, calendar.timeZone);
      return event === undefined ? undefined : { event, raw };
    } catch (error) {
      if (error instanceof GoogleError && (error.meaning === "missing" || error.meaning === "gone")) return undefined;
      throw error;
    }
  }

  /** Makes an event under an id of our own: where the answer is lost, it is looked for under it instead of being made twice. */
  async insert(ctx: PluginContext, calendar: Calendar, id: string, body: Answer, telling: Telling): Promise<Event> {
    try {
      const ask: Ask = { name: "events.insert", path: eventsOf(calendar), query: { sendUpdates: telling }, body: { id, ...body } };
      return this.#read(await this.api.patiently(ctx, ask), calendar, "events.insert");
    } catch (error) {
      const unsure = (error instanceof NetworkError && error.sent) || (error instanceof GoogleError && (error.meaning === "server" || error.meaning === "conflict"));
      const made = unsure && !ctx.signal.aborted ? await this.get(ctx, calendar, id).catch(() => undefined) : undefined;
      if (made === undefined) throw error;
      return made.event;
    }
  }

  async patch(ctx: PluginContext, calendar: Calendar, event: Pick<Event, "id" | "etag">, body: Answer, telling: Telling): Promise<Event> {
    const ask: Ask = { name: "events.patch", method: "PATCH", path: eventsOf(calendar, event.id), query: { sendUpdates: telling }, body, headers: ifMatch(event.etag) };
    return this.#read(await this.api.patiently(ctx, ask), calendar, "events.patch");
  }

  async delete(ctx: PluginContext, calendar: Calendar, event: Pick<Event, "id" | "etag">, telling: Telling): Promise<void> {
    await this.api.patiently(ctx, { name: "events.delete", method: "DELETE", path: eventsOf(calendar, event.id), query: { sendUpdates: telling }, headers: ifMatch(event.etag) });
  }

  async freeBusy(ctx: PluginContext, ids: readonly string[], span: Span): Promise<Busy[]> {
    const body = { timeMin: rfc(span.from), timeMax: rfc(span.to), items: ids.map((id) => ({ id })) };
    const answer = await this.api.patiently(ctx, { name: "freebusy.query", path: `${ROOT}/freeBusy`, body });
    const all = isObject(answer["calendars"]) ? answer["calendars"] : {};
    return ids.map((id): Busy => {
      const one = all[id];
      if (!isObject(one)) return { id, busy: [], error: "notFound" };
      const busy = objects(one["busy"]).flatMap((span): Span[] => {
        const [from, to] = [Date.parse(String(span["start"])), Date.parse(String(span["end"]))];
        return Number.isNaN(from) || Number.isNaN(to) ? [] : [{ from, to }];
      });
      return { id, busy, error: text(objects(one["errors"])[0]?.["reason"]) };
    });
  }

  #read(answer: Answer, calendar: Calendar, what: string): Event {
    const event = eventOf(answer, calendar.id, calendar.timeZone);
    if (event === undefined) throw unreadable(what);
    return event;
  }
}

async function* once(answer: Answer): AsyncGenerator<Answer, void, undefined> {
  yield answer;
}

const eventsOf = (calendar: Calendar, id?: string): string => `${ROOT}/calendars/${encodeURIComponent(calendar.id)}/events${id === undefined ? "" : `/${encodeURIComponent(id)}`}`;
const ifMatch = (etag: string): Record<string, string> => (etag === "" ? {} : { "if-match": etag });
const rfc = (ms: number): string => new Date(ms).toISOString();
const unreadable = (what: string): NetworkError => new NetworkError(`${what}: the answer lacks what Google's reference promises`, true);

/** The zone that counts: that of the settings, of the call, else the calendar's. */
export function zoneFor(settings: Settings, calendar: Calendar): string {
  return settings.timeZone !== "" && isKnown(settings.timeZone) ? settings.timeZone : calendar.timeZone;
}
