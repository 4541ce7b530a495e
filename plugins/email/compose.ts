/** Builds a message: headers that thread and tell machines that a machine wrote it, a text with an HTML alternative, files. Pure. */

import { htmlDialect, parseMarkdown, plainDialect, renderParts } from "@kata-agents/plugin-sdk/markdown";
import { rawOf, toBase64, toQuotedPrintable, utf8 } from "./bytes.ts";
import { encodeWords } from "./headers.ts";

/** Longest rendering; the host has cut the text to a part of it. */
const LONGEST = 2_000_000;

/** What is written. */
export interface Letter {
  from: string;
  fromName: string;
  to: string;
  toName: string | null;
  subject: string;
  /** Markdown. */
  text: string;
  /** Id without its angles. */
  id: string;
  /** Milliseconds. */
  date: number;
  inReplyTo: string | undefined;
  /** Ids, oldest first. */
  references: readonly string[];
  files: readonly { name: string; mime: string; bytes: Uint8Array }[];
  /** Whether it answers somebody, or is sent of the agent's own accord. */
  answer: boolean;
}

/** Markdown as the two texts of a mail. */
export function renderBoth(markdown: string): { plain: string; html: string } {
  const blocks = parseMarkdown(markdown);
  const join = (parts: readonly { text: string }[]) => parts.map((part) => part.text).join("\n\n");
  return { plain: join(renderParts(blocks, plainDialect, { max: LONGEST })), html: join(renderParts(blocks, htmlDialect, { max: LONGEST })) };
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

const oneLine = (text: string): string => text.replace(/[\r\n\u0000]+/g, " ").trim();

function person(address: string, name: string | null): string {
  const clean = oneLine(name ?? "");
  if (clean === "") return `<${address}>`;
  const plain = /^[\x20-\x7e]*$/.test(clean);
  return `${plain ? `"${clean.replace(/["\\]/g, "\\$&")}"` : encodeWords(clean)} <${address}>`;
}

/** A file's name as a parameter, in the old form where it is plain and in RFC 2231's where it is not. */
function nameParameter(key: string, name: string): string {
  const clean = oneLine(name).slice(0, 200) || "file";
  if (/^[\x20-\x7e]*$/.test(clean)) return `${key}="${clean.replace(/["\\]/g, "\\$&")}"`;
  const escaped = Array.from(utf8(clean), (byte) => (/[A-Za-z0-9._-]/.test(String.fromCharCode(byte)) ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`));
  return `${key}*=utf-8''${escaped.join("")}`;
}

function part(type: string, text: string): string {
  return `Content-Type: ${type}; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n${toQuotedPrintable(text)}\r\n`;
}

/** The whole message as a text of bytes. */
export function compose(letter: Letter): string {
  const { plain, html } = renderBoth(letter.text);
  // A boundary that cannot be in base64 or quoted-printable.
  const boundary = (name: string) => `=_kata_${name}_${letter.id.replace(/[^A-Za-z0-9]/g, "").slice(0, 24)}`;
  const alternative = boundary("a");
  let body =
    `Content-Type: multipart/alternative; boundary="${alternative}"\r\n\r\n` +
    `--${alternative}\r\n${part("text/plain", plain)}--${alternative}\r\n${part("text/html", `<!doctype html>\n<html><body>\n${html}\n</body></html>`)}--${alternative}--\r\n`;
  if (letter.files.length > 0) {
    const mixed = boundary("m");
    const files = letter.files.map(({ name, mime, bytes }) => {
      const type = /^[a-z0-9.+-]+\/[a-z0-9.+-]+$/i.test(mime) ? mime : "application/octet-stream";
      const lines = toBase64(bytes).replace(/.{76}/g, "$&\r\n");
      return `--${mixed}\r\nContent-Type: ${type}; ${nameParameter("name", name)}\r\nContent-Disposition: attachment; ${nameParameter("filename", name)}\r\nContent-Transfer-Encoding: base64\r\n\r\n${lines}\r\n`;
    });
    body = `Content-Type: multipart/mixed; boundary="${mixed}"\r\n\r\n--${mixed}\r\n${body}${files.join("")}--${mixed}--\r\n`;
  }
  const references = [...letter.references].slice(-20).map((id) => `<${id}>`);
  const headers = [
    `Date: ${mailDate(letter.date)}`,
    `From: ${person(letter.from, letter.fromName)}`,
    `To: ${person(letter.to, letter.toName)}`,
    `Subject: ${encodeWords(oneLine(letter.subject))}`,
    `Message-ID: <${letter.id}>`,
    ...(letter.inReplyTo === undefined ? [] : [`In-Reply-To: <${letter.inReplyTo}>`]),
    ...(references.length === 0 ? [] : [`References: ${references.join("\r\n ")}`]),
    "MIME-Version: 1.0",
    // RFC 3834: other programs must not answer it.
    `Auto-Submitted: ${letter.answer ? "auto-replied" : "auto-generated"}`,
    "X-Auto-Response-Suppress: All",
  ];
  return `${rawOf(utf8(headers.join("\r\n")))}\r\n${body}`;
}
