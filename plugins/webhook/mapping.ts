/** From a request's JSON to the draft the host takes in. Pure; knows nothing of HTTP but the header names it is given. */

import type { ChatType, DraftAttachment, InboundDraft, Json } from "@kata-agents/plugin-sdk";

/** What a mapping may say where it finds. */
const FIELDS = ["conversation", "conversationName", "thread", "sender", "senderName", "text", "id", "replyTo", "mentionsBot", "attachments"] as const;
type Field = (typeof FIELDS)[number];

/** Where each field is found: a path of names, or a fixed text. */
export type Mapping = ReadonlyMap<Field, { path: readonly string[] } | { fixed: string }>;

/** Account of every draft: one plugin serves one account. */
export const ACCOUNT = "webhook";
/** Most attachments of one message. */
const MOST_FILES = 10;
/** Longest text, bytes of UTF-8. */
const LONGEST_TEXT = 256 * 1024;

/** What is wrong, in words for whoever sent the request. Never has the value in it. */
export class BadRequest extends Error {}

/** Reads the setting: `field=path` or `field='text'`, with commas or line ends between. */
export function parseMapping(setting: string): Mapping {
  const mapping = new Map<Field, { path: readonly string[] } | { fixed: string }>();
  for (const [, name = "", quoted, path = ""] of setting.matchAll(/([A-Za-z]+)\s*=\s*(?:'([^']*)'|([^\s,]+))/g)) {
    const field = FIELDS.find((known) => known === name);
    if (field === undefined) throw new BadRequest(`mapping: there is no field “${name}”; there are ${FIELDS.join(", ")}`);
    mapping.set(field, quoted === undefined ? { path: path.split(".") } : { fixed: quoted });
  }
  if (mapping.size === 0 && setting.trim() !== "") throw new BadRequest("mapping: write field=path, with commas between");
  return mapping;
}

function at(value: Json, path: readonly string[]): Json {
  let here: unknown = value;
  for (const name of path) {
    if (typeof here !== "object" || here === null || !Object.hasOwn(here, name)) return undefined;
    here = (here as Record<string, unknown>)[name];
  }
  return here;
}

/** Reads one field. Without an entry of the mapping it is at the top, under its own name; `sender` may be an object too. */
class Reader {
  readonly body: Record<string, unknown>;
  readonly mapping: Mapping;

  constructor(body: Record<string, unknown>, mapping: Mapping) {
    this.body = body;
    this.mapping = mapping;
  }

  value(field: Field): unknown {
    const where = this.mapping.get(field);
    if (where === undefined) return Object.hasOwn(this.body, field) ? this.body[field] : undefined;
    return "fixed" in where ? where.fixed : at(this.body, where.path);
  }

  /** A text; a number or a truth value is taken as one. */
  text(field: Field, longest: number): string | undefined {
    const value = this.value(field);
    if (value === undefined || value === null) return undefined;
    if (!["string", "number", "boolean"].includes(typeof value)) throw new BadRequest(`${field}: a text is expected`);
    const text = String(value);
    if (text.length > longest) throw new BadRequest(`${field}: at most ${longest} characters`);
    return text === "" ? undefined : text;
  }
}

/** What a draft needs besides the body. */
export interface DraftOptions {
  /** The setting, read. */
  mapping: Mapping;
  /** Kind of conversation. */
  chatType: ChatType;
  /** Id where the JSON has none. */
  fallbackId: string;
  /** Now, milliseconds. */
  now: number;
}

/** The draft a request says; throws `BadRequest`. */
export function draftOf(body: unknown, options: DraftOptions): InboundDraft {
  if (typeof body !== "object" || body === null || Array.isArray(body)) throw new BadRequest("the body must be a JSON object");
  const read = new Reader(body as Record<string, unknown>, options.mapping);
  const sender = senderOf(read);
  const attachments = filesOf(read.value("attachments"));
  const text = read.text("text", LONGEST_TEXT) ?? "";
  if (new TextEncoder().encode(text).length > LONGEST_TEXT) throw new BadRequest("text: at most 256 KiB");
  if (text === "" && attachments.length === 0) throw new BadRequest("text: is missing");
  const mention = read.value("mentionsBot");
  return {
    account: ACCOUNT,
    messageId: read.text("id", 200) ?? options.fallbackId,
    conversation: read.text("conversation", 200) ?? sender.id,
    conversationName: read.text("conversationName", 200) ?? null,
    chatType: options.chatType,
    thread: read.text("thread", 200) ?? null,
    sender: { ...sender, isBot: false },
    text,
    replyTo: read.text("replyTo", 200) ?? null,
    mentionsBot: options.chatType === "direct" || mention === true || mention === "true",
    sentAt: options.now,
    ...(attachments.length === 0 ? {} : { attachments }),
  };
}

function senderOf(read: Reader): { id: string; name: string | null } {
  const value = read.value("sender");
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    const inner = new Reader(value as Record<string, unknown>, new Map([["sender", { path: ["id"] }], ["senderName", { path: ["name"] }]] as const));
    const id = inner.text("sender", 200);
    if (id === undefined) throw new BadRequest("sender.id: is missing");
    return { id, name: inner.text("senderName", 200) ?? null };
  }
  const id = read.text("sender", 200);
  if (id === undefined) throw new BadRequest("sender: is missing");
  return { id, name: read.text("senderName", 200) ?? null };
}

function filesOf(value: unknown): DraftAttachment[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new BadRequest("attachments: a list is expected");
  if (value.length > MOST_FILES) throw new BadRequest(`attachments: at most ${MOST_FILES}`);
  return value.map((entry: unknown, index) => {
    const { url, name, mime } = (typeof entry === "string" ? { url: entry } : (entry ?? {})) as Record<string, unknown>;
    const parsed = typeof url === "string" && url.length <= 4096 && URL.canParse(url) ? new URL(url) : undefined;
    if (parsed === undefined || !/^https?:$/.test(parsed.protocol)) throw new BadRequest(`attachments.${index}.url: an http or https address is expected`);
    const last = decodeURIComponentSafely(parsed.pathname.split("/").at(-1) ?? "");
    const shown = typeof name === "string" && name !== "" ? name : last || "file";
    return { reference: parsed.href, name: shown.slice(0, 200), ...(typeof mime === "string" ? { mime: mime.slice(0, 100) } : {}) };
  });
}

function decodeURIComponentSafely(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
