// What neither emulator has of Calendar: sync tokens and 410, reading and changing one event, versions (etag, If-Match), ids of the
// client's own, and properties they drop. Their events stay theirs; this keeps what it adds beside them, by the id Google would show.

const EVENTS = (calendar, id) => `/calendar/v3/calendars/${encodeURIComponent(calendar)}/events${id === undefined ? "" : `/${encodeURIComponent(id)}`}`;
/** Dropped by the emulators, and kept here as they were given. */
const KEPT = ["recurrence", "recurringEventId", "reminders", "transparency", "visibility"];

export class Overlay {
  /** Per calendar: version, and by id what is known of an event. */
  #calendars = new Map();
  #ask;
  /** Sync tokens below it are too old. */
  oldest = 0;

  /** `ask(method, path, body)` asks the emulator. */
  constructor(ask) {
    this.#ask = ask;
  }

  #known(calendar) {
    let known = this.#calendars.get(calendar);
    if (known === undefined) this.#calendars.set(calendar, (known = { version: 1, events: new Map() }));
    return known;
  }

  /** Looks at the emulator's events and counts what has changed. */
  async look(calendar) {
    const known = this.#known(calendar);
    const seen = new Set();
    let page = "";
    do {
      const { json } = await this.#ask("GET", `${EVENTS(calendar)}?maxResults=250${page}`);
      for (const item of json?.items ?? []) {
        const id = [...known.events].find(([, one]) => one.back === item.id)?.[0] ?? item.id;
        seen.add(id);
        const words = JSON.stringify({ ...item, updated: "" });
        const before = known.events.get(id);
        if (before !== undefined && before.words === words && !before.gone) continue;
        known.version += 1;
        known.events.set(id, { extra: {}, ...before, back: item.id, item, words, version: known.version, gone: false });
      }
      page = json?.nextPageToken === undefined ? "" : `&pageToken=${json.nextPageToken}`;
    } while (page !== "");
    for (const [id, one] of known.events) {
      if (seen.has(id) || one.gone) continue;
      known.version += 1;
      Object.assign(one, { gone: true, version: known.version });
    }
    return known;
  }

  shown(id, one) {
    if (one.gone) return { kind: "calendar#event", id, etag: `"${one.version}"`, status: "cancelled" };
    const clean = Object.fromEntries(Object.entries({ ...one.item, ...one.extra, id, etag: `"${one.version}"` }).filter(([, value]) => value !== undefined && value !== null));
    return clean;
  }

  /** Takes a request, or leaves it (`undefined`). Gives `{ status, json, reason }`. */
  async take(method, calendar, id, url, body, headers) {
    if (method === "GET" && id === undefined) return this.#list(calendar, url);
    if (method === "POST" && id === undefined) return this.#insert(calendar, body);
    const known = await this.look(calendar);
    const one = known.events.get(id);
    if (one === undefined) return { status: 404, reason: "notFound" };
    if (method === "GET") return { status: 200, json: this.shown(id, one) };
    if (one.gone) return { status: 410, reason: "deleted" };
    const expected = headers["if-match"];
    if (expected !== undefined && expected !== `"${one.version}"`) return { status: 412, reason: "conditionNotMet" };
    if (method === "DELETE") {
      const answer = await this.#ask("DELETE", EVENTS(calendar, one.back));
      await this.look(calendar);
      return { status: answer.status };
    }
    if (method !== "PATCH") return undefined;
    return this.#patch(calendar, known, id, one, body);
  }

  async #list(calendar, url) {
    const token = url.searchParams.get("syncToken");
    const known = await this.look(calendar);
    const sync = `sync-${known.version}`;
    if (token === null) {
      const { status, json } = await this.#ask("GET", `${EVENTS(calendar)}${url.search}`);
      if (status !== 200) return { status, json };
      const items = json.items.map((item) => [...known.events].find(([, one]) => one.back === item.id)).map(([id, one]) => this.shown(id, one));
      return { status, json: { ...json, items, nextPageToken: json.nextPageToken, ...(json.nextPageToken === undefined ? { nextSyncToken: sync } : {}) } };
    }
    for (const name of ["timeMin", "timeMax", "orderBy", "q", "updatedMin", "iCalUID"]) if (url.searchParams.has(name)) return { status: 400, reason: "badRequest" };
    const since = Number(/^sync-(\d+)$/.exec(token)?.[1] ?? -1);
    if (since < this.oldest || since > known.version) return { status: 410, reason: "fullSyncRequired" };
    const items = [...known.events].filter(([, one]) => one.version > since).map(([id, one]) => this.shown(id, one));
    return { status: 200, json: { kind: "calendar#events", items, nextSyncToken: sync } };
  }

  async #insert(calendar, body) {
    const known = await this.look(calendar);
    const { id: wanted, ...fields } = body;
    if (wanted !== undefined && known.events.has(wanted)) return { status: 409, reason: "duplicate" };
    const { status, json } = await this.#ask("POST", EVENTS(calendar), fields);
    if (status !== 200) return { status, json };
    const id = wanted ?? json.id;
    known.events.set(id, { back: json.id, extra: this.#extra(fields), words: "", version: 0, gone: false });
    await this.look(calendar);
    return { status, json: this.shown(id, known.events.get(id)) };
  }

  #extra(fields) {
    return Object.fromEntries(KEPT.filter((name) => fields[name] !== undefined).map((name) => [name, fields[name]]));
  }

  /** The emulators change no event: the old one goes, and the changed one takes its place under the same id. */
  async #patch(calendar, known, id, one, body) {
    const times = (name) => Object.fromEntries(Object.entries({ ...one.item[name], ...body[name] }).filter(([key, value]) => value !== null && !(key === "dateTime" && body[name]?.date) && !(key === "date" && body[name]?.dateTime)));
    const merged = { ...one.item, ...one.extra, ...body, start: times("start"), end: times("end") };
    for (const name of ["id", "etag", "kind", "created", "updated", "htmlLink"]) delete merged[name];
    await this.#ask("DELETE", EVENTS(calendar, one.back));
    const { status, json } = await this.#ask("POST", EVENTS(calendar), merged);
    if (status !== 200) return { status, json };
    known.events.set(id, { ...one, back: json.id, extra: this.#extra(merged), words: "" });
    await this.look(calendar);
    return { status, json: this.shown(id, known.events.get(id)) };
  }
}
