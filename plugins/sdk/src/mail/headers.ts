/** Headers of a message: RFC 5322 fields, RFC 2047 words, RFC 2045 and 2231 parameters, addresses. Takes texts of bytes. */

import { bytesOf, fromBase64, fromQuotedPrintable } from "./bytes.ts";
import { decodeText } from "./charset.ts";

/** Fields by lower-case name, in order from the top. */
export class MailHeaders {
  readonly #fields: readonly (readonly [string, string])[];

  constructor(fields: readonly (readonly [string, string])[]) {
    this.#fields = fields;
  }

  /** The first field of that name, unfolded, as bytes. */
  raw(name: string): string | undefined {
    return this.#fields.find(([field]) => field === name)?.[1];
  }
  /** Every field of that name. */
  all(name: string): string[] {
    return this.#fields.filter(([field]) => field === name).map(([, value]) => value);
  }
  /** The first field of that name as a person reads it. */
  text(name: string): string | undefined {
    const raw = this.raw(name);
    return raw === undefined ? undefined : decodeWords(raw);
  }
}

/** Reads the fields of a header; stops at the first empty line. */
export function parseHeaders(raw: string): MailHeaders {
  const fields: [string, string][] = [];
  let field = "";
  const ended = (): void => {
    const colon = field.indexOf(":");
    if (colon >= 1) fields.push([field.slice(0, colon).trim().toLowerCase(), field.slice(colon + 1).trim()]);
  };
  // Line by line and without patterns: a stranger's mail may be a quarter of a mebibyte of line ends.
  for (let at = 0; at < raw.length; ) {
    const end = raw.indexOf("\n", at);
    const line = raw.slice(at, end === -1 ? raw.length : end);
    at = end === -1 ? raw.length : end + 1;
    const plain = line.endsWith("\r") ? line.slice(0, -1) : line;
    if (plain === "") break;
    if ((plain.startsWith(" ") || plain.startsWith("\t")) && field !== "") {
      field += ` ${plain.trimStart()}`;
      continue;
    }
    ended();
    field = plain;
  }
  ended();
  return new MailHeaders(fields);
}

const WORD = /=\?([^?*\s]+)(?:\*[^?\s]*)?\?([bq])\?([^?]*)\?=/gi;

/** Encoded words (RFC 2047); neighbours of one charset are decoded together, because a character may be torn. What is not encoded is read as UTF-8. */
export function decodeWords(raw: string): string {
  const joined = raw.replace(/(\?=)\s+(?==\?)/g, "$1");
  let out = "";
  let at = 0;
  let open: { charset: string; bytes: number[] } | undefined;
  const flush = () => {
    if (open !== undefined) out += decodeText(Uint8Array.from(open.bytes), open.charset);
    open = undefined;
  };
  for (const match of joined.matchAll(WORD)) {
    const [whole, charset = "", kind = "", body = ""] = match;
    if (match.index > at) {
      flush();
      out += decodeText(bytesOf(joined.slice(at, match.index)), "utf-8");
    }
    const bytes = kind.toLowerCase() === "b" ? fromBase64(body) : fromQuotedPrintable(body.replaceAll("_", " ").replace(/ $/, "=20"));
    if (open !== undefined && open.charset !== charset.toLowerCase()) flush();
    open ??= { charset: charset.toLowerCase(), bytes: [] };
    for (const byte of bytes) open.bytes.push(byte);
    at = match.index + whole.length;
  }
  flush();
  return (out + decodeText(bytesOf(joined.slice(at)), "utf-8")).replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, "").trim();
}

/** A name from parameters, as `name*0*=utf-8''…`, `name*=…`, `name=…` (RFC 2231), or with encoded words in it, as many write it. */
export function parameter(parameters: ReadonlyMap<string, string>, name: string): string | undefined {
  const pieces: { at: number; value: string; encoded: boolean }[] = [];
  for (const [key, value] of parameters) {
    const match = /^([^*]+)(?:\*(\d+))?(\*)?$/.exec(key);
    if (match?.[1] === name) pieces.push({ at: Number(match[2] ?? 0), value, encoded: match[3] === "*" });
  }
  if (pieces.length === 0) return undefined;
  const encoded = pieces.filter((piece) => piece.encoded);
  const chosen = encoded.length > 0 && parameters.has(name) ? encoded : pieces;
  chosen.sort((a, b) => a.at - b.at);
  if (!chosen.some((piece) => piece.encoded)) return decodeWords(chosen.map((piece) => piece.value).join(""));
  const [first] = chosen;
  const charset = /^([^']*)'[^']*'/.exec(first?.value ?? "");
  const bytes = chosen
    .map((piece, index) => (index === 0 && charset !== null ? piece.value.slice(charset[0].length) : piece.value))
    .map((value, index) => (chosen[index]?.encoded === true ? value.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))) : value))
    .join("");
  return decodeText(bytesOf(bytes), charset?.[1] || "utf-8");
}

/** A person in a header. */
export interface Mailbox {
  /** In lower case. */
  address: string;
  /** Name to show. */
  name: string | null;
}

/** Most addresses of one header that are looked at. */
const MOST_ADDRESSES = 100;

/** Addresses of a header; groups are opened, comments left out. */
export function parseAddresses(raw: string | undefined): Mailbox[] {
  const found: Mailbox[] = [];
  let part = "";
  let quoted = false;
  let depth = 0;
  const take = () => {
    const one = mailboxOf(part);
    if (one !== undefined && found.length < MOST_ADDRESSES) found.push(one);
    part = "";
  };
  for (let at = 0; at < (raw ?? "").length; at += 1) {
    const char = (raw ?? "")[at] ?? "";
    if (char === "\\" && (quoted || depth > 0)) {
      if (depth === 0) part += char + ((raw ?? "")[at + 1] ?? "");
      at += 1;
    } else if (char === '"' && depth === 0) {
      quoted = !quoted;
      part += char;
    } else if (char === "(" && !quoted) depth += 1;
    else if (char === ")" && !quoted && depth > 0) depth -= 1;
    else if (depth > 0) continue;
    else if (!quoted && (char === "," || char === ";")) take();
    else if (!quoted && char === ":" && !part.includes("<")) part = "";
    else part += char;
  }
  take();
  return found;
}

function mailboxOf(part: string): Mailbox | undefined {
  const angled = /^([^]*)<\s*([^<>\s]+@[^<>\s]+)\s*>\s*$/.exec(part.trim());
  const address = (angled?.[2] ?? part).trim().toLowerCase();
  if (!/^[^\s@<>"(),:;]+@[^\s@<>"(),:;]+$/.test(address) || address.length > 254) return undefined;
  const name = decodeWords((angled?.[1] ?? "").trim().replace(/^"([^]*)"$/, "$1").replace(/\\(.)/g, "$1"));
  return { address, name: name === "" ? null : name };
}

/** Message ids of a header, in order, without the angles. */
export function messageIds(raw: string | undefined): string[] {
  return [...(raw ?? "").matchAll(/<([^<>\s]{1,900})>/g)].map((match) => match[1] ?? "");
}

/** Encodes a header's text where it is not plain ASCII, in words of at most 75 characters. */
export function encodeWords(text: string): string {
  const clean = text.replace(/[\r\n\u0000]+/g, " ");
  if (/^[\x20-\x7e]*$/.test(clean) && !clean.includes("=?")) return clean;
  const words: string[] = [];
  let word = "";
  for (const char of clean) {
    if (new TextEncoder().encode(word + char).length > 42) {
      words.push(word);
      word = "";
    }
    word += char;
  }
  words.push(word);
  return words.map((one) => `=?utf-8?B?${btoa(String.fromCharCode(...new TextEncoder().encode(one)))}?=`).join("\r\n ");
}
