/** Builds a message (RFC 5322), piece by piece: folded headers, encoded words, a text with an HTML alternative, files, and what makes threads. Pure. */

import { htmlDialect, parseMarkdown, plainDialect, renderParts } from "@kata-agents/plugin-sdk/markdown";
import { rawOf, toBase64, toQuotedPrintable, utf8 } from "./bytes.ts";
import { encodeWords, type Mailbox } from "./headers.ts";

/** Longest rendering. */
const LONGEST = 2_000_000;
/** Ids of a thread that are named; more than any program follows. */
const MOST_REFERENCES = 20;
/** Where a header line is folded (RFC 5322, 2.1.1). */
const FOLD = 76;

/** A file that goes along. */
export interface Enclosure {
  /** Its name; one that is not plain is written as RFC 2231 has it. */
  name: string;
  /** Its media type; one that is none becomes `application/octet-stream`. */
  mime: string;
  /** What is in it. */
  bytes: Uint8Array;
}

/** What is written. */
export interface Letter {
  /** Whose it is. */
  from: Mailbox;
  /** Whom it is for. */
  to: readonly Mailbox[];
  /** Who gets a copy. */
  cc?: readonly Mailbox[];
  /** Who gets a copy unseen: a field of its own, which the service that sends must take out, as Gmail does. */
  bcc?: readonly Mailbox[];
  /** On one line; line ends become blanks. */
  subject: string;
  /** Markdown. */
  text: string;
  /** Id without its angles. */
  id: string;
  /** Milliseconds. */
  date: number;
  /** The id that is answered. */
  inReplyTo?: string | undefined;
  /** Ids, oldest first. */
  references?: readonly string[];
  /** Files that go along. */
  files?: readonly Enclosure[];
  /** Set where no person looked at it before it left (RFC 3834); other programs must not answer it. */
  automatic?: "auto-replied" | "auto-generated";
}

const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** A date as RFC 5322 writes it, in UTC. */
export function mailDate(ms: number): string {
  const at = new Date(ms);
  const two = (n: number) => String(n).padStart(2, "0");
  const time = `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())}`;
  return `${DAYS[at.getUTCDay()]}, ${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]} ${at.getUTCFullYear()} ${time} +0000`;
}

const oneLine = (words: string): string => words.replace(/[\r\n\u0000]+/g, " ").trim();

/** A person in pieces, between which a line may end. */
function person({ address, name }: Mailbox): string[] {
  const clean = oneLine(name ?? "");
  if (clean === "") return [`<${address}>`];
  const plain = /^[\x20-\x7e]*$/.test(clean) && !clean.includes("=?");
  return [...(plain ? [`"${clean.replace(/["\\]/g, "\\$&")}"`] : encodeWords(clean).split("\r\n ")), `<${address}>`];
}

/** Pieces behind a name, on as many lines as they need. */
function folded(name: string, pieces: readonly string[]): string {
  let out = `${name}:`;
  let length = out.length;
  for (const [index, piece] of pieces.entries()) {
    if (index > 0 && length + 1 + piece.length > FOLD) {
      out += "\r\n";
      length = 0;
    }
    out += ` ${piece}`;
    length += 1 + piece.length;
  }
  return out;
}

function people(name: string, list: readonly Mailbox[] = []): string[] {
  const pieces = list.map(person);
  for (const one of pieces.slice(0, -1)) one.push(`${one.pop() ?? ""},`);
  return pieces.length === 0 ? [] : [folded(name, pieces.flat())];
}

/** A subject: plain words are folded between words, others are encoded. */
function subjectLine(subject: string): string {
  const encoded = encodeWords(oneLine(subject));
  return folded("Subject", encoded.startsWith("=?") ? encoded.split("\r\n ") : encoded.split(" "));
}

/** A file's name as a parameter, in the old form where it is plain and in RFC 2231's where it is not. */
function nameParameter(key: string, name: string): string {
  const clean = oneLine(name).slice(0, 200) || "file";
  if (/^[\x20-\x7e]*$/.test(clean)) return `${key}="${clean.replace(/["\\]/g, "\\$&")}"`;
  const escaped = Array.from(utf8(clean), (byte) => (/[A-Za-z0-9._-]/.test(String.fromCharCode(byte)) ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`));
  return `${key}*=utf-8''${escaped.join("")}`;
}

function part(type: string, words: string): string {
  return `Content-Type: ${type}; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n${toQuotedPrintable(words)}\r\n`;
}

/** Markdown as the two texts of a mail. */
export function renderBoth(markdown: string): { plain: string; html: string } {
  const blocks = parseMarkdown(markdown);
  const join = (parts: readonly { text: string }[]) => parts.map((one) => one.text).join("\n\n");
  return { plain: join(renderParts(blocks, plainDialect, { max: LONGEST })), html: join(renderParts(blocks, htmlDialect, { max: LONGEST })) };
}

/** Bytes of a file that are encoded at once: whole lines of 76 characters. */
const FILE_STEP = 57 * 400;

/** The message in pieces of a text of bytes; each is made when it is asked for. */
export function* compose(letter: Letter): Generator<string, void, undefined> {
  // A boundary that cannot be in base64 or quoted-printable.
  const boundary = (name: string) => `=_kata_${name}_${letter.id.replace(/[^A-Za-z0-9]/g, "").slice(0, 24)}`;
  const [alternative, mixed] = [boundary("a"), boundary("m")];
  const files = letter.files ?? [];
  yield `${rawOf(utf8(headersOf(letter).join("\r\n")))}\r\n`;
  if (files.length > 0) yield `Content-Type: multipart/mixed; boundary="${mixed}"\r\n\r\n--${mixed}\r\n`;
  const { plain, html } = renderBoth(letter.text);
  yield `Content-Type: multipart/alternative; boundary="${alternative}"\r\n\r\n--${alternative}\r\n${part("text/plain", plain)}`;
  yield `--${alternative}\r\n${part("text/html", `<!doctype html>\n<html><body>\n${html}\n</body></html>`)}--${alternative}--\r\n`;
  for (const { name, mime, bytes } of files) {
    const type = /^[a-z0-9.+-]+\/[a-z0-9.+-]+$/i.test(mime) ? mime : "application/octet-stream";
    yield `--${mixed}\r\nContent-Type: ${type}; ${nameParameter("name", name)}\r\nContent-Disposition: attachment; ${nameParameter("filename", name)}\r\nContent-Transfer-Encoding: base64\r\n\r\n`;
    for (let at = 0; at < bytes.length; at += FILE_STEP) yield `${lines(toBase64(bytes.subarray(at, at + FILE_STEP)))}\r\n`;
  }
  if (files.length > 0) yield `--${mixed}--\r\n`;
}

function lines(base64: string): string {
  const all: string[] = [];
  for (let at = 0; at < base64.length; at += 76) all.push(base64.slice(at, at + 76));
  return all.join("\r\n");
}

function headersOf(letter: Letter): string[] {
  const references = [...new Set(letter.references ?? [])].filter((id) => id !== letter.id);
  // The root stays, since threads hang on it (RFC 5322, 3.6.4 lets the middle go).
  const named = references.length <= MOST_REFERENCES ? references : [references[0] ?? "", ...references.slice(1 - MOST_REFERENCES)];
  return [
    `Date: ${mailDate(letter.date)}`,
    ...people("From", [letter.from]),
    ...people("To", letter.to),
    ...people("Cc", letter.cc),
    // Gmail takes it out before it sends, as its own programs' messages have it.
    ...people("Bcc", letter.bcc),
    subjectLine(letter.subject),
    `Message-ID: <${letter.id}>`,
    ...(letter.inReplyTo === undefined ? [] : [`In-Reply-To: <${letter.inReplyTo}>`]),
    ...(named.length === 0 ? [] : [folded("References", named.map((id) => `<${id}>`))]),
    "MIME-Version: 1.0",
    ...(letter.automatic === undefined ? [] : [`Auto-Submitted: ${letter.automatic}`, "X-Auto-Response-Suppress: All"]),
  ];
}
