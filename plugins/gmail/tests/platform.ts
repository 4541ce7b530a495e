/** Gmail in memory, as far as the plugin asks: history, lists, messages, labels, sends. Strict about what Google is strict about. */

import { toBase64, utf8 } from "@kata-agents/plugin-sdk/mail";
import { type FakeRequest, json, refused } from "@kata-agents/plugin-sdk/testing";
import { fromBase64Url } from "../mail.ts";

export const TOKEN = "ya29.secret-of-the-test";
export const OWN = "me@gmail.example";
export const ROOT = "https://gmail.example";
export const ACCOUNT = { google: { accessToken: TOKEN, scopes: ["https://www.googleapis.com/auth/gmail.modify"], account: OWN } };

export const CONFIG = {
  apiRoot: ROOT,
  label: "INBOX",
  session: "",
  channelLabel: "Kata",
  senderCheck: "authenticated",
  fromName: "",
  pollSeconds: 10,
  unitsPerMinute: 15_000,
};

export interface Stored {
  id: string;
  thread: string;
  labels: string[];
  headers: [string, string][];
  text: string;
  at: number;
  files: { name: string; mime: string; bytes: Uint8Array<ArrayBuffer> }[];
  raw?: string;
}

const base64Url = (bytes: Uint8Array): string => toBase64(bytes).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
export const b64 = (text: string): string => base64Url(utf8(text));

/** An error as Google writes one. */
export function wrong(code: number, reason: string, message = "no", headers: Record<string, string> = {}): Response {
  return json({ error: { code, message, errors: [{ message, domain: "global", reason }], status: reason.toUpperCase() } }, code, headers);
}

const GENUINE = "mx.google.com; dkim=pass header.i=@ann.example; dmarc=pass header.from=ann.example";

export class FakeGmail {
  readonly stored: Stored[] = [];
  readonly labels: { id: string; name: string; type: string }[] = [
    { id: "INBOX", name: "INBOX", type: "system" },
    { id: "SENT", name: "SENT", type: "system" },
    { id: "UNREAD", name: "UNREAD", type: "system" },
    { id: "STARRED", name: "STARRED", type: "system" },
    { id: "Label_7", name: "Kata", type: "user" },
  ];
  readonly history: { id: bigint; type: "messagesAdded" | "labelsAdded"; message: string; labels: string[] }[] = [];
  /** Beyond 2^64, as emulate has it. */
  now = 180_000_000_000_000_000_000n;
  /** Cursors below it are too old. */
  oldest = 0n;
  address = OWN;
  /** Tokens that count. */
  tokens = new Set([TOKEN]);
  /** Asked before anything else; an answer ends the request. */
  fault: (request: FakeRequest, method: string) => Response | undefined | Promise<Response | undefined> = () => undefined;
  /** Records of one page of the history. */
  pageSize = 100;
  readonly drafts: Stored[] = [];
  #count = 0;

  /** A message arrives. */
  arrives(text: string, more: Partial<Stored> & { subject?: string; header?: [string, string][] } = {}): Stored {
    this.#count += 1;
    const id = more.id ?? `m${this.#count}`;
    const headers: [string, string][] = more.headers ?? [
      ["Authentication-Results", GENUINE],
      ["From", "Ann Lee <ann@ann.example>"],
      ["To", this.address],
      ...(more.subject === undefined ? [] : [["Subject", more.subject] as [string, string]]),
      ["Message-ID", `<${id}@ann.example>`],
      ...(more.header ?? []),
    ];
    const one: Stored = { id, thread: more.thread ?? id, labels: more.labels ?? ["INBOX", "UNREAD", "Label_7"], headers, text, at: more.at ?? Date.now(), files: more.files ?? [] };
    this.stored.push(one);
    this.#happens("messagesAdded", one, one.labels);
    return one;
  }

  label(one: Stored, label: string): void {
    one.labels.push(label);
    this.#happens("labelsAdded", one, [label]);
  }

  get sent(): Stored[] {
    return this.stored.filter((one) => one.labels.includes("SENT"));
  }

  #happens(type: "messagesAdded" | "labelsAdded", one: Stored, labels: string[]): void {
    this.now += 100n;
    this.history.push({ id: this.now, type, message: one.id, labels: [...labels] });
  }

  readonly answer = async (request: FakeRequest): Promise<Response> => {
    const method = methodOf(request);
    const early = await this.fault(request, method);
    if (early !== undefined) return early;
    const token = /^Bearer (.+)$/.exec(request.headers["authorization"] ?? "")?.[1];
    if (token === undefined || !this.tokens.has(token)) return wrong(401, "authError", "Invalid Credentials");
    const query = request.url.searchParams;
    const id = decodeURIComponent(request.url.pathname.split("/")[6] ?? "");
    switch (method) {
      case "profile":
        return json({ emailAddress: this.address, messagesTotal: this.stored.length, historyId: String(this.now) });
      case "labels":
        return json({ labels: this.labels });
      case "history":
        return this.#historyPage(query);
      case "messages":
        return this.#list(query);
      case "get": {
        const one = this.stored.find((stored) => stored.id === id);
        return one === undefined ? wrong(404, "notFound") : json(resource(one, query.get("format") ?? "full"));
      }
      case "attachment": {
        const one = this.stored.find((stored) => stored.id === id);
        const file = one?.files[Number((request.url.pathname.split("/")[8] ?? "").split("-")[1])];
        return file === undefined ? wrong(404, "notFound") : json({ size: file.bytes.length, data: base64Url(file.bytes) });
      }
      case "thread": {
        const all = this.stored.filter((stored) => stored.thread === id);
        return all.length === 0 ? wrong(404, "notFound") : json({ id, messages: all.map((one) => resource(one, query.get("format") ?? "full")) });
      }
      case "send":
      case "draft": {
        const body = request.json();
        const message = (method === "draft" ? body["message"] : body) as { raw: string; threadId?: string };
        const one = this.#taken(message, method === "draft" ? "DRAFT" : "SENT");
        return json(method === "draft" ? { id: `r-${one.id}`, message: { id: one.id, threadId: one.thread } } : { id: one.id, threadId: one.thread, labelIds: one.labels });
      }
      case "modify":
      case "batchModify": {
        const body = request.json() as { ids?: string[]; addLabelIds: string[]; removeLabelIds: string[] };
        for (const one of this.stored.filter((stored) => (body.ids ?? [id]).includes(stored.id))) {
          one.labels = [...new Set([...one.labels, ...body.addLabelIds])].filter((label) => !body.removeLabelIds.includes(label));
        }
        return method === "modify" ? json({ id }) : new Response(null, { status: 204 });
      }
      default:
        return wrong(404, "notFound", `no such method: ${request.url.pathname}`);
    }
  };

  #historyPage(query: URLSearchParams): Response {
    const start = BigInt(query.get("startHistoryId") ?? "0");
    if (start < this.oldest) return wrong(404, "notFound");
    const types = query.getAll("historyTypes").map((type) => ({ messageAdded: "messagesAdded", labelAdded: "labelsAdded" })[type]);
    const label = query.get("labelId") ?? "";
    const all = this.history.filter((one) => one.id > start && types.includes(one.type) && one.labels.includes(label));
    const from = Number(query.get("pageToken") ?? 0);
    const page = all.slice(from, from + this.pageSize).map((one) => {
      const stored = this.stored.find((each) => each.id === one.message);
      const message = { id: one.message, threadId: stored?.thread ?? one.message, labelIds: stored?.labels ?? [] };
      return { id: String(one.id), messages: [message], [one.type]: [one.type === "labelsAdded" ? { message, labelIds: one.labels } : { message }] };
    });
    const next = from + this.pageSize < all.length ? String(from + this.pageSize) : undefined;
    return json({ ...(page.length === 0 ? {} : { history: page }), historyId: String(this.now), nextPageToken: next });
  }

  #list(query: URLSearchParams): Response {
    const labels = query.getAll("labelIds");
    const after = Number(/after:(\d+)/.exec(query.get("q") ?? "")?.[1] ?? 0) * 1000;
    const all = this.stored.filter((one) => labels.every((label) => one.labels.includes(label)) && one.at > after).toReversed();
    const from = Number(query.get("pageToken") ?? 0);
    const most = Number(query.get("maxResults") ?? 100);
    const page = all.slice(from, from + most).map((one) => ({ id: one.id, threadId: one.thread }));
    return json({ ...(page.length === 0 ? {} : { messages: page }), resultSizeEstimate: all.length, nextPageToken: from + most < all.length ? String(from + most) : undefined });
  }

  #taken({ raw, threadId }: { raw: string; threadId?: string }, label: string): Stored {
    this.#count += 1;
    const words = new TextDecoder().decode(fromBase64Url(raw));
    const [head = "", ...body] = words.split("\r\n\r\n");
    const headers = head.replace(/\r\n[ \t]+/g, " ").split("\r\n").map((line: string): [string, string] => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim()]);
    const one: Stored = { id: `s${this.#count}`, thread: threadId ?? `s${this.#count}`, labels: [label], headers, text: body.join("\r\n\r\n"), at: Date.now(), files: [], raw: words };
    if (label === "DRAFT") this.drafts.push(one);
    this.stored.push(one);
    this.#happens("messagesAdded", one, one.labels);
    return one;
  }
}

export const header = (one: Stored | undefined, name: string): string | undefined => one?.headers.find(([key]) => key.toLowerCase() === name.toLowerCase())?.[1];

/** Which of Gmail's methods a request is. */
export function methodOf({ method, url }: Pick<FakeRequest, "method" | "url">): string {
  const [, service, version, users, me, what = "", third, fourth] = url.pathname.split("/");
  if (service !== "gmail" || version !== "v1" || users !== "users" || me !== "me") return "unknown";
  if (what === "messages" && third !== undefined) {
    if (third === "send" || third === "batchModify") return third;
    return fourth === "attachments" ? "attachment" : fourth === "modify" ? "modify" : "get";
  }
  if (what === "threads") return "thread";
  if (what === "drafts" && method === "POST") return "draft";
  return what;
}

function resource(one: Stored, format: string) {
  const headers = one.headers.map(([name, value]) => ({ name, value }));
  const base = { id: one.id, threadId: one.thread, labelIds: one.labels, snippet: one.text.slice(0, 60), internalDate: String(one.at), historyId: "1", sizeEstimate: one.text.length };
  if (format === "metadata") return { ...base, payload: { mimeType: "text/plain", headers } };
  const body = { partId: "0", mimeType: "text/plain", filename: "", headers: [], body: { size: one.text.length, data: b64(one.text) } };
  if (one.files.length === 0) return { ...base, payload: { ...body, partId: "", headers } };
  const files = one.files.map((file, index) => ({
    partId: String(index + 1),
    mimeType: file.mime,
    filename: file.name,
    headers: [{ name: "Content-Disposition", value: `attachment; filename="${file.name}"` }],
    body: { attachmentId: `${one.id}${Math.random()}-${index}`, size: file.bytes.length },
  }));
  return { ...base, payload: { partId: "", mimeType: "multipart/mixed", filename: "", headers, parts: [body, ...files] } };
}

export { refused };
