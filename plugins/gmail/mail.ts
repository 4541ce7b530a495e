/** One message as `messages.get` gives it (format `full` or `metadata`): headers, the words in it, its files. Pure. */

import { isObject, objects, text } from "@kata-agents/plugin-sdk/google";
import { cutQuotes, decodeText, fromBase64, MailHeaders, parameter, rawOf, textOfHtml, utf8 } from "@kata-agents/plugin-sdk/mail";

/** Most characters of a message that are handed on. */
export const TEXT_CHARS = 100_000;
/** Most encoded characters of one body that are decoded. */
const BODY_CHARS = 240_000;
/** Files of one message. */
const MOST_FILES = 25;
/** Depth of parts within parts that is followed. */
const DEPTH = 20;

/** A file of a message. Gmail's `attachmentId` is another one at each look, so a file is found again by its part. */
export interface FilePart {
  part: string;
  name: string;
  mime: string;
  bytes: number;
  attachmentId: string | undefined;
  /** Small ones come with the message; base64url. */
  data: string | undefined;
}

export interface Mail {
  id: string;
  thread: string;
  labels: readonly string[];
  /** When Gmail took it in, milliseconds. */
  at: number;
  headers: MailHeaders;
  snippet: string;
  /** About how many bytes, files included. */
  size: number;
  /** Everything that was written, history and signature included. */
  text: string;
  /** What this writer wrote, without the history below. */
  words: string;
  files: readonly FilePart[];
}

/** base64url as bytes. */
export const fromBase64Url = (data: string): Uint8Array<ArrayBuffer> => fromBase64(data.replaceAll("-", "+").replaceAll("_", "/"));

/** Reads one; `undefined` for what is no message. */
export function mailOf(message: Record<string, unknown>): Mail | undefined {
  const id = text(message["id"]);
  const thread = text(message["threadId"]);
  if (id === undefined || thread === undefined) return undefined;
  const payload = isObject(message["payload"]) ? message["payload"] : {};
  const reader = new Reader();
  reader.walk(payload, 0);
  const labels = Array.isArray(message["labelIds"]) ? message["labelIds"].filter((one): one is string => typeof one === "string") : [];
  const at = Number(message["internalDate"]);
  return {
    id,
    thread,
    labels,
    at: Number.isFinite(at) && at > 0 ? at : 0,
    headers: headersOf(payload),
    snippet: typeof message["snippet"] === "string" ? message["snippet"] : "",
    size: typeof message["sizeEstimate"] === "number" ? message["sizeEstimate"] : 0,
    text: shortened(reader.texts.map((one) => one.whole)),
    words: shortened(reader.texts.map((one) => one.cut)),
    files: reader.files,
  };
}

function shortened(texts: readonly string[]): string {
  const all = texts.filter((one) => one !== "").join("\n\n");
  return all.length > TEXT_CHARS ? `${all.slice(0, TEXT_CHARS)}\n\n[The rest of the message is left out.]` : all;
}

/** Headers as texts of bytes, which is what `headers.ts` reads: Gmail gives some decoded and some as they came. */
function headersOf(part: Record<string, unknown>): MailHeaders {
  return new MailHeaders(
    objects(part["headers"]).flatMap((one): [string, string][] => {
      const name = text(one["name"]);
      const value = one["value"];
      return name === undefined || typeof value !== "string" ? [] : [[name.toLowerCase(), rawOf(utf8(value.replace(/\r?\n[ \t]*/g, " "))).trim()]];
    }),
  );
}

class Reader {
  readonly texts: { whole: string; cut: string }[] = [];
  readonly files: FilePart[] = [];

  walk(part: Record<string, unknown>, depth: number): void {
    if (depth > DEPTH) return;
    const mime = (text(part["mimeType"]) ?? "text/plain").toLowerCase();
    const inner = objects(part["parts"]);
    if (mime === "multipart/alternative") return this.#alternative(inner, depth);
    if (mime.startsWith("multipart/")) {
      for (const one of inner) this.walk(one, depth + 1);
      return;
    }
    const name = text(part["filename"]) ?? "";
    const headers = headersOf(part);
    const attached = /^\s*attachment\b/i.test(headers.raw("content-disposition") ?? "");
    if (name === "" && !attached && (mime === "text/plain" || mime === "text/html")) this.#text(part, mime, headers);
    else this.#file(part, mime, name, headers);
  }

  /** The same in several forms: the plain one, else HTML; what is neither is a file, such as an invitation. */
  #alternative(forms: readonly Record<string, unknown>[], depth: number): void {
    const before = this.texts.length;
    const html = (one: Record<string, unknown>) => text(one["mimeType"])?.toLowerCase() === "text/html";
    for (const one of forms) if (!html(one)) this.walk(one, depth + 1);
    if (this.texts.slice(before).every((one) => one.whole === "")) for (const one of forms) if (html(one)) this.walk(one, depth + 1);
  }

  #text(part: Record<string, unknown>, mime: string, headers: MailHeaders): void {
    const body = isObject(part["body"]) ? part["body"] : {};
    const data = typeof body["data"] === "string" ? body["data"].slice(0, BODY_CHARS) : "";
    if (data === "") return;
    const words = decoded(fromBase64Url(data), charsetOf(headers)).replaceAll("\u0000", "");
    if (mime === "text/html") this.texts.push({ whole: textOfHtml(words), cut: cutQuotes(textOfHtml(words, true)) });
    else this.texts.push({ whole: words.replace(/\r\n?/g, "\n").trim(), cut: cutQuotes(words) });
  }

  #file(part: Record<string, unknown>, mime: string, name: string, headers: MailHeaders): void {
    // Signatures of machines are no files, and pictures without a name are a signature's decoration.
    if (/^application\/(pkcs7-signature|x-pkcs7-signature|pgp-signature|pgp-encrypted|ms-tnef)$/.test(mime)) return;
    const body = isObject(part["body"]) ? part["body"] : {};
    const bytes = Number(body["size"]);
    const attachmentId = text(body["attachmentId"]);
    const data = text(body["data"]);
    if (name === "" && mime !== "text/calendar" && mime !== "message/rfc822" && !/^\s*attachment\b/i.test(headers.raw("content-disposition") ?? "")) return;
    if ((attachmentId === undefined && data === undefined) || this.files.length >= MOST_FILES) return;
    const shown = name || (mime === "text/calendar" ? "invitation.ics" : mime === "message/rfc822" ? "message.eml" : "file");
    this.files.push({
      part: text(part["partId"]) ?? String(this.files.length),
      name: shown.slice(0, 200),
      mime,
      bytes: Number.isFinite(bytes) && bytes >= 0 ? bytes : 0,
      attachmentId,
      data,
    });
  }
}

function charsetOf(headers: MailHeaders): string | undefined {
  const type = headers.raw("content-type");
  if (type === undefined) return undefined;
  const match = /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(type);
  return match === null ? undefined : parameter(new Map([["charset", match[1] ?? ""]]), "charset");
}

/** Gmail gives most bodies in UTF-8 whatever their header says, and some as they came. */
function decoded(bytes: Uint8Array, charset: string | undefined): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return decodeText(bytes, charset);
  }
}
