/**
 * `@kata-agents/plugin-sdk/testing/corpus`: fifty documents as an agent writes them, and worse, for the snapshot test of a
 * channel's rendering; and a check of what must hold for each. For vitest only: the host does not serve it.
 */

/// <reference path="./globs.d.ts" />
import { lengthOf, type LengthUnit } from "@kata-agents/plugin-sdk/markdown";

/** One document. */
export interface CorpusDocument {
  /** Its file's name without `.md`; use it as the name of the snapshot. */
  name: string;
  /** Markdown. */
  text: string;
}

/** What one message came to. */
export interface CorpusPart {
  /** As it is sent. */
  text: string;
  /** What of it a reader sees, where the limit counts that; absent: `text`. */
  counted?: string;
}

/** What must hold of the messages of a document. */
export interface CorpusCheck {
  /** Longest message. */
  max: number;
  /** What it counts. */
  unit: LengthUnit;
  /** Takes the markup off a message, and what the dialect escaped with it: what a reader sees. Default: as it is. */
  read?(text: string): string;
  /** A mark that must come an even number of times in each message, such as ``` in a dialect with fences. */
  fence?: RegExp;
  /** Pairs of marks that must be balanced in each message, such as `<b>` and `</b>`. */
  pairs?: readonly (readonly [open: RegExp, close: RegExp])[];
}

const FILES = import.meta.glob("./*.md", { query: "?raw", import: "default", eager: true });

/** The documents, in order of their names. */
export const corpus: readonly CorpusDocument[] = Object.entries(FILES)
  .map(([path, text]) => ({ name: path.slice(2, -3), text }))
  .sort((a, b) => (a.name < b.name ? -1 : 1));

/** What of a source a rendering need not show as it stands: languages of fences, numbers and boxes of items, entities. */
const SOURCE_ONLY = /^[ >]*(?:`{3,}|~{3,})\w*|^[ >-]*\d+[.)](?=\s)|\[[xX]\]|&#?\w+;|<br\s*\/?>/gm;
const WORDS = /[\p{L}\p{N}]+/gu;

/**
 * What is wrong with the messages of a document: each sentence names one thing; none: all is well. Addresses count as shown
 * where they are in the markup.
 */
export function problemsOf(document: CorpusDocument, parts: readonly CorpusPart[], check: CorpusCheck): string[] {
  const problems: string[] = [];
  for (const [index, part] of parts.entries()) {
    const length = lengthOf(part.counted ?? part.text, check.unit);
    if (length > check.max) problems.push(`message ${index} has ${length} of at most ${check.max}`);
    if (part.text.trim() === "") problems.push(`message ${index} is blank`);
    if (/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(part.text)) problems.push(`message ${index} cuts a character in two`);
    const count = (pattern: RegExp) => part.text.match(new RegExp(pattern, "gm"))?.length ?? 0;
    if (check.fence !== undefined && count(check.fence) % 2 !== 0) problems.push(`message ${index} has a fence that is open`);
    for (const [open, close] of check.pairs ?? []) {
      if (count(open) !== count(close)) problems.push(`message ${index} has ${count(open)} of ${open.source} and ${count(close)} of ${close.source}`);
    }
  }
  const shown = parts.map((part) => check.read?.(part.text) ?? part.text).join("");
  const markup = parts.map((part) => part.text).join("");
  // A word may go on in the next message, so what is compared is letters without what stands between them.
  const letters = (text: string) => (text.match(WORDS) ?? []).join("");
  const [seen, written] = [letters(shown), letters(markup)];
  const missing = (document.text.replace(SOURCE_ONLY, " ").match(WORDS) ?? []).filter((word) => !seen.includes(word) && !written.includes(word));
  if (missing.length > 0) problems.push(`words are missing: ${[...new Set(missing)].slice(0, 10).join(", ")}`);
  if (parts.length === 0 && letters(document.text) !== "") problems.push("nothing is left of it");
  return problems;
}
