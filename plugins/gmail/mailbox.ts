/** The methods of Gmail's API that this plugin uses, each once, with what it costs; one for the service, the channel and the tools. */

import type { PluginContext } from "@kata-agents/plugin-sdk";
import { type Answer, type Ask, GoogleApi, GoogleError, isObject, objects, Quota, text } from "@kata-agents/plugin-sdk/google";
import { type Clock, NetworkError } from "@kata-agents/plugin-sdk/sending";
import { type FilePart, type Mail, mailOf } from "./mail.ts";
import { base64UrlOf, bytesOfBase64Url, pauseFor } from "./pieces.ts";
import type { Settings } from "./settings.ts";

/** Messages that are kept as they were read: the service and the channel look at the same new mail. */
const KEPT = 60;
/** A message of so many bytes may be longer than the 4 MiB the host takes of an answer. */
const LONG_MAIL = 2_500_000;
/** How long the list of labels counts, milliseconds. */
const LABELS_MS = 5 * 60_000;
const ME = "/gmail/v1/users/me";

/** https://developers.google.com/workspace/gmail/api/reference/quota */
const UNITS = { profile: 1, history: 2, list: 5, get: 5, thread: 10, attachment: 5, labels: 1, modify: 5, batchModify: 50, send: 100, draft: 10 } as const;

export interface Label {
  id: string;
  name: string;
  system: boolean;
}

/** What of the history is asked for. */
export type HistoryType = "messageAdded" | "labelAdded";

export interface Profile {
  address: string;
  historyId: string;
}

/** A page of `users.history.list`. */
export interface HistoryPage {
  /** Messages that came, or got the label, in order. */
  messages: { id: string; labels: readonly string[] }[];
  /** Up to where this page goes; nothing where it has no records. */
  upTo: string | undefined;
  next: string | undefined;
  /** Where the mailbox stands now. */
  historyId: string;
}

export class Mailbox {
  readonly api: GoogleApi;
  readonly clock: Clock;
  #address: string | undefined;
  #labels: { at: number; list: readonly Label[] } | undefined;
  readonly #mails = new Map<string, Promise<Mail | undefined>>();

  constructor(settings: Settings, clock: Clock) {
    this.clock = clock;
    this.api = new GoogleApi(settings.apiRoot, new Quota(settings.unitsPerMinute, clock), clock);
  }

  /** Forgets whose mailbox it was, since another account may be signed in now. */
  forget(): void {
    this.#address = undefined;
    this.#labels = undefined;
    this.#mails.clear();
  }

  async profile(ctx: PluginContext, patient = false): Promise<Profile> {
    const answer = await this.#ask(ctx, { name: "users.getProfile", path: `${ME}/profile`, units: UNITS.profile }, patient);
    const address = text(answer["emailAddress"])?.toLowerCase();
    // An opaque text: it passes 2^64 in places.
    const historyId = text(answer["historyId"]);
    if (address === undefined || historyId === undefined) throw unreadable("users.getProfile");
    this.#address = address;
    return { address, historyId };
  }

  /** The account's address; asked for once. */
  async address(ctx: PluginContext): Promise<string> {
    return this.#address ?? (await this.profile(ctx, true)).address;
  }

  async labels(ctx: PluginContext, fresh = false): Promise<readonly Label[]> {
    const kept = this.#labels;
    if (!fresh && kept !== undefined && this.clock.now() - kept.at < LABELS_MS) return kept.list;
    const answer = await this.#ask(ctx, { name: "users.labels.list", path: `${ME}/labels`, units: UNITS.labels }, false);
    const list = objects(answer["labels"]).flatMap((one): Label[] => {
      const id = text(one["id"]);
      return id === undefined ? [] : [{ id, name: text(one["name"]) ?? id, system: one["type"] === "system" }];
    });
    this.#labels = { at: this.clock.now(), list };
    return list;
  }

  /** The label of that name or id; a name that is not known is looked for once more. */
  async label(ctx: PluginContext, name: string): Promise<Label | undefined> {
    const wanted = name.toLowerCase();
    const find = (list: readonly Label[]) => list.find((one) => one.id === name) ?? list.find((one) => one.name.toLowerCase() === wanted || one.id.toLowerCase() === wanted);
    return find(await this.labels(ctx)) ?? find(await this.labels(ctx, true));
  }

  /** One page of what has happened since. Rejects with `missing` when the cursor is too old. */
  async history(ctx: PluginContext, start: string, label: string, historyTypes: readonly HistoryType[], pageToken: string | undefined): Promise<HistoryPage> {
    const answer = await this.api.ask(ctx, {
      name: "users.history.list",
      path: `${ME}/history`,
      query: { startHistoryId: start, historyTypes, labelId: label, maxResults: 100, pageToken },
      units: UNITS.history,
    });
    const historyId = text(answer["historyId"]);
    if (historyId === undefined) throw unreadable("users.history.list");
    const records = objects(answer["history"]);
    const messages = new Map<string, { id: string; labels: readonly string[] }>();
    for (const record of records) {
      const added = objects(record["messagesAdded"]);
      const labelled = objects(record["labelsAdded"]).filter((one) => Array.isArray(one["labelIds"]) && one["labelIds"].includes(label));
      for (const { message } of [...added, ...labelled] as { message?: unknown }[]) {
        const id = isObject(message) ? text(message["id"]) : undefined;
        if (id !== undefined && isObject(message)) messages.set(id, { id, labels: Array.isArray(message["labelIds"]) ? message["labelIds"].map(String) : [] });
      }
    }
    return { messages: [...messages.values()], upTo: text(records.at(-1)?.["id"]), next: text(answer["nextPageToken"]), historyId };
  }

  /** One page of ids, the newest first. */
  async list(
    ctx: PluginContext,
    query: { labelIds?: readonly string[]; q?: string | undefined; maxResults: number; pageToken?: string | undefined; includeSpamTrash?: boolean | undefined },
    patient = false,
  ): Promise<{ ids: string[]; next: string | undefined }> {
    const answer = await this.#ask(ctx, { name: "users.messages.list", path: `${ME}/messages`, query, units: UNITS.list }, patient);
    const ids = objects(answer["messages"]).flatMap((one) => text(one["id"]) ?? []);
    return { ids, next: text(answer["nextPageToken"]) };
  }

  /** A message that came, read once whoever asks; `undefined` where it is gone. */
  mail(ctx: PluginContext, id: string): Promise<Mail | undefined> {
    const kept = this.#mails.get(id);
    if (kept !== undefined) return kept;
    const reading = this.read(ctx, id);
    this.#mails.set(id, reading);
    reading.catch(() => this.#mails.delete(id));
    for (const oldest of this.#mails.keys()) {
      if (this.#mails.size <= KEPT) break;
      this.#mails.delete(oldest);
    }
    return reading;
  }

  /** A message as it is now. Of one that is longer than the host takes, the beginning Gmail shows. */
  async read(ctx: PluginContext, id: string, format: "full" | "metadata" = "full", patient = false): Promise<Mail | undefined> {
    try {
      return await this.#get(ctx, id, format, patient);
    } catch (error) {
      if (format === "metadata" || !(error instanceof NetworkError) || !error.sent || ctx.signal.aborted) throw error;
      const head = await this.#get(ctx, id, "metadata", patient);
      if (head === undefined || head.size < LONG_MAIL) throw error;
      const words = `${head.snippet}\n\n[The message is too long to be read here: about ${head.size} bytes.]`;
      return { ...head, text: words, words };
    }
  }

  async #get(ctx: PluginContext, id: string, format: "full" | "metadata", patient: boolean): Promise<Mail | undefined> {
    try {
      const answer = await this.#ask(ctx, { name: "users.messages.get", path: `${ME}/messages/${encodeURIComponent(id)}`, query: { format }, units: UNITS.get }, patient);
      await pauseFor(typeof answer["sizeEstimate"] === "number" ? answer["sizeEstimate"] : 0);
      return mailOf(answer);
    } catch (error) {
      if (error instanceof GoogleError && (error.meaning === "missing" || error.meaning === "invalid")) return undefined;
      throw error;
    }
  }

  /** Heads of a thread's messages, the oldest first. */
  async thread(ctx: PluginContext, id: string, patient = false): Promise<Mail[]> {
    const format = "metadata";
    const answer = await this.#ask(ctx, { name: "users.threads.get", path: `${ME}/threads/${encodeURIComponent(id)}`, query: { format }, units: UNITS.thread }, patient);
    return objects(answer["messages"]).flatMap((one) => mailOf(one) ?? []);
  }

  /** The bytes of a file. */
  async file(ctx: PluginContext, message: string, file: FilePart, patient = false): Promise<Uint8Array<ArrayBuffer>> {
    const path = `${ME}/messages/${encodeURIComponent(message)}/attachments/${encodeURIComponent(file.attachmentId ?? "")}`;
    const answer = file.data === undefined ? await this.#ask(ctx, { name: "users.messages.attachments.get", path, units: UNITS.attachment, timeoutMs: 50_000 }, patient) : { data: file.data };
    const data = text(answer["data"]) ?? "";
    await pauseFor(data.length);
    return bytesOfBase64Url(data).catch(() => {
      throw unreadable("users.messages.attachments.get");
    });
  }

  /** Sends a message, a text of bytes in pieces, and gives its id. */
  async send(ctx: PluginContext, raw: Iterable<string>, thread: string | undefined, patient: boolean): Promise<{ id: string; thread: string }> {
    const body = await messageBody("", raw, thread, "");
    return idsOf(await this.#ask(ctx, { name: "users.messages.send", path: `${ME}/messages/send`, body, units: UNITS.send, timeoutMs: 50_000 }, patient), "users.messages.send");
  }

  /** Keeps a draft. */
  async draft(ctx: PluginContext, raw: Iterable<string>, thread: string | undefined): Promise<{ id: string; thread: string; draft: string }> {
    const body = await messageBody('{"message":', raw, thread, "}");
    const answer = await this.#ask(ctx, { name: "users.drafts.create", path: `${ME}/drafts`, body, units: UNITS.draft, timeoutMs: 50_000 }, true);
    const inner = isObject(answer["message"]) ? answer["message"] : {};
    return { ...idsOf(inner, "users.drafts.create"), draft: text(answer["id"]) ?? "" };
  }

  /** Adds and removes labels, by id. */
  async modify(ctx: PluginContext, ids: readonly string[], addLabelIds: readonly string[], removeLabelIds: readonly string[]): Promise<void> {
    const change = { addLabelIds, removeLabelIds };
    if (ids.length > 10) {
      await this.#ask(ctx, { name: "users.messages.batchModify", path: `${ME}/messages/batchModify`, body: { ids, ...change }, units: UNITS.batchModify }, true);
    } else {
      for (const id of ids) await this.#ask(ctx, { name: "users.messages.modify", path: `${ME}/messages/${encodeURIComponent(id)}/modify`, body: change, units: UNITS.modify }, true);
    }
    for (const id of ids) this.#mails.delete(id);
  }

  #ask(ctx: PluginContext, ask: Ask, patient: boolean): Promise<Answer> {
    return patient ? this.api.patiently(ctx, ask) : this.api.ask(ctx, ask);
  }
}

/** A `Message` with its source as JSON, made of pieces: as one text it would take a plugin's memory several times over. */
async function messageBody(before: string, raw: Iterable<string>, thread: string | undefined, after: string): Promise<Blob> {
  const end = thread === undefined ? "" : `,"threadId":${JSON.stringify(thread)}`;
  return new Blob([`${before}{"raw":"`, ...(await base64UrlOf(raw)), `"${end}}${after}`], { type: "application/json" });
}

function idsOf(message: Record<string, unknown>, what: string): { id: string; thread: string } {
  const id = text(message["id"]);
  if (id === undefined) throw unreadable(what);
  return { id, thread: text(message["threadId"]) ?? "" };
}

/** Nobody knows then what happened, as after an answer that was cut off. */
const unreadable = (what: string): NetworkError => new NetworkError(`${what}: the answer lacks what Google's reference promises`, true);
