/** BODYSTRUCTURE (RFC 3501, 7.4.2): which part of a message is its text, and which are files. Pure. */

import { parameter } from "@kata-agents/plugin-sdk/mail";
import type { Value } from "./imap.ts";

/** One part that is no multipart. */
export interface PartInfo {
  /** As FETCH names it: `1`, `2.1`, … */
  section: string;
  /** `text/plain`, in lower case. */
  type: string;
  charset: string | undefined;
  /** `base64`, `quoted-printable`, … in lower case. */
  encoding: string;
  /** Encoded length. */
  bytes: number;
  name: string | undefined;
  disposition: string | undefined;
  /** Content-Id without its angles. */
  id: string | undefined;
}

/** What of a message is read. */
export interface Layout {
  /** The text a person reads, if there is one. */
  text: PartInfo | undefined;
  /** Whether the whole is a report of a mail server. */
  report: boolean;
  /** Everything else. */
  files: PartInfo[];
}

/** Parts deeper than this are files at most. */
const DEEPEST = 12;
const MOST_PARTS = 100;

const words = (value: Value | undefined): string | undefined => (typeof value === "string" ? value : undefined);

function parameters(value: Value | undefined): Map<string, string> {
  const map = new Map<string, string>();
  if (!Array.isArray(value)) return map;
  for (let at = 0; at + 1 < value.length; at += 2) {
    const [key, text] = [words(value[at]), words(value[at + 1])];
    if (key !== undefined && text !== undefined) map.set(key.toLowerCase(), text);
  }
  return map;
}

/** Reads a structure. */
export function layoutOf(structure: Value): Layout {
  const layout: Layout = { text: undefined, report: false, files: [] };
  let count = 0;
  const visit = (value: Value, section: string, depth: number, inAlternative: boolean): PartInfo | undefined => {
    count += 1;
    if (!Array.isArray(value) || count > MOST_PARTS || depth > DEEPEST) return undefined;
    if (Array.isArray(value[0])) {
      const parts: Value[] = [];
      let at = 0;
      for (; Array.isArray(value[at]); at += 1) parts.push(value[at] ?? null);
      const kind = (words(value[at]) ?? "mixed").toLowerCase();
      if (kind === "report") layout.report = true;
      const below = (index: number) => (section === "" ? `${index + 1}` : `${section}.${index + 1}`);
      if (kind !== "alternative") {
        let text: PartInfo | undefined;
        for (const [index, part] of parts.entries()) {
          const found = visit(part, below(index), depth + 1, inAlternative);
          if (found === undefined) continue;
          if (text === undefined) text = found;
          else layout.files.push(found);
        }
        return text;
      }
      // Alternatives say the same: plain text is the one that is read, HTML where there is none.
      const texts = parts.map((part, index) => visit(part, below(index), depth + 1, true)).filter((part) => part !== undefined);
      return texts.find((part) => part.type === "text/plain") ?? texts.find((part) => part.type === "text/html") ?? texts[0];
    }
    const part = partOf(value, section === "" ? "1" : section);
    const attached = part.disposition === "attachment" || (part.name !== undefined && part.disposition !== "inline");
    if ((part.type === "text/plain" || part.type === "text/html") && !attached) return part;
    if (!(inAlternative && part.type.startsWith("text/"))) layout.files.push(part);
    return undefined;
  };
  layout.text = visit(structure, "", 0, false);
  return layout;
}

function partOf(value: Value[], section: string): PartInfo {
  const type = `${words(value[0]) ?? "application"}/${words(value[1]) ?? "octet-stream"}`.toLowerCase();
  const of = parameters(value[2]);
  // Extension data begins behind the lines of a text, and behind envelope, body and lines of a message.
  const base = type === "message/rfc822" ? 10 : type.startsWith("text/") ? 8 : 7;
  const found = value.slice(base).find((one): one is Value[] => Array.isArray(one) && typeof one[0] === "string" && /^(attachment|inline)$/i.test(one[0]));
  const disposed = parameters(found?.[1]);
  const name = parameter(disposed, "filename") ?? parameter(of, "name") ?? (type === "message/rfc822" ? "message.eml" : undefined);
  return {
    section,
    type,
    charset: of.get("charset"),
    encoding: (words(value[5]) ?? "7bit").toLowerCase(),
    bytes: Number(words(value[6]) ?? 0) || 0,
    name,
    disposition: words(found?.[0])?.toLowerCase(),
    id: words(value[3])?.replace(/^<|>$/g, ""),
  };
}
