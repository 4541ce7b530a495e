/** How a platform writes what Markdown says: a handful of functions, each of which may be left out. */

import type { Align } from "./ast.ts";
import { swap } from "./swap.ts";

/** What stands around a stretch of text. */
export interface Wrap {
  /** In front of it. */
  open: string;
  /** Behind it. */
  close: string;
  /** In front of the rest where a message ends within it; absent: `lines`, else `open`. */
  reopen?: string;
  /** In front of each further line of it, such as `> `. */
  lines?: string;
  /** Its lines do not carry the `lines` of what is around it. */
  bare?: boolean;
}

/** One item of a list, for what stands in front of it. */
export interface ItemPlace {
  /** Numbered. */
  ordered: boolean;
  /** Its number; in a list without numbers its place, from 1. */
  number: number;
  /** Whether its box is ticked; `null` without a box. */
  task: boolean | null;
  /** Lists around this one. */
  depth: number;
}

/**
 * A platform's markup. A wrap that is absent, or that a function does not give, leaves the text as it is. What is written
 * by `text` is exactly what a reader sees; everything else is markup and written as it stands.
 */
export interface Dialect {
  /** Writes words, so that nothing in them is markup. They may hold several lines; `lineStart`: the first begins a line. */
  text(text: string, lineStart: boolean): string;
  /** Writes code, within a line or in a block. Absent: as it is. */
  codeText?(text: string, block: boolean): string;
  /** Writes an address that stands for itself. Absent: as it is. */
  url?(url: string): string;
  /** Bold. */
  strong?(): Wrap;
  /** Italic. */
  emphasis?(): Wrap;
  /** Struck through. */
  strike?(): Wrap;
  /** Code within a line. */
  code?(text: string): Wrap;
  /** A block of code. `lang` is a word. */
  codeBlock?(lang: string | null, text: string): Wrap;
  /** A link whose text is not its address. Nothing: the address is written behind the text, in parentheses. */
  link?(url: string, text: string): Wrap | undefined;
  /** A headline. Absent: bold. */
  heading?(level: number): Wrap;
  /** A paragraph, where it needs marks. */
  paragraph?(): Wrap;
  /** A quotation; `depth` counts those around it. Nothing: its text stands as it is. */
  quote?(depth: number): Wrap | undefined;
  /** A list as a whole, where it needs marks. */
  list?(ordered: boolean, start: number): Wrap;
  /** An item with marks around it, instead of `bullet`. */
  item?(item: ItemPlace): Wrap;
  /** What stands in front of an item, as it is written. Absent: `• `, `1. `, `☐ `, `☑ `. */
  bullet?(item: ItemPlace): string;
  /** A table with marks around it, its rows and its cells. Absent: columns in a block of code, or a list where they are too wide. */
  table?: { whole(): Wrap; row(head: boolean): Wrap; cell(head: boolean, align: Align): Wrap };
  /** Widest table in columns of fixed width; default 64. Each dialect that has `codeBlock` can show one. */
  tableWidth?: number;
  /** Whether a list of cells is better than columns of fixed width also where they fit. */
  tableAsList?: boolean;
  /** A picture at an address. Nothing: a link. */
  image?(url: string, alt: string): string | undefined;
  /** A line across, as it is written. Absent: `———`. */
  rule?: string;
  /** What stands between two blocks, as it is written; `close`: they follow each other directly. Absent: an empty line, or a line end. */
  between?(close: boolean): string;
  /** What the limit counts: what is written, or (Telegram) what a reader sees of it. Default `rendered`. */
  counts?: "rendered" | "visible";
  /** Most wraps in one message, where the platform has such a limit. */
  maxWraps?: number;
}

const SPECIAL = /[&<>"]/;
const escapeHtml = (text: string): string =>
  !SPECIAL.test(text) ? text : swap(swap(swap(swap(text, "&", "&amp;"), "<", "&lt;"), ">", "&gt;"), '"', "&quot;");

const tag = (name: string, attributes = ""): Wrap => ({ open: `<${name}${attributes}>`, close: `</${name}>` });

/** No markup at all: what plain text channels and previews show. */
export const plainDialect: Dialect = {
  text: (text) => text,
  quote: () => ({ open: "> ", close: "", lines: "> " }),
};

/** HTML as a page or a mail shows it. */
export const htmlDialect: Dialect = {
  text: (text) => swap(escapeHtml(text), "\n", "<br>\n"),
  codeText: escapeHtml,
  url: (url) => `<a href="${escapeHtml(url)}">${escapeHtml(url)}</a>`,
  strong: () => tag("strong"),
  emphasis: () => tag("em"),
  strike: () => tag("del"),
  code: () => tag("code"),
  codeBlock: (lang) => {
    const open = `<pre><code${lang === null ? "" : ` class="language-${escapeHtml(lang)}"`}>`;
    return { open, close: "</code></pre>", bare: true };
  },
  link: (url) => tag("a", ` href="${escapeHtml(url)}"`),
  image: (url, alt) => `<img src="${escapeHtml(url)}" alt="${escapeHtml(alt)}">`,
  heading: (level) => tag(`h${level}`),
  paragraph: () => tag("p"),
  quote: () => tag("blockquote"),
  list: (ordered, start) => tag(ordered ? "ol" : "ul", ordered && start !== 1 ? ` start="${start}"` : ""),
  item: ({ task }) => ({ open: task === null ? "<li>" : `<li>${task ? "☑" : "☐"} `, close: "</li>", reopen: "<li>" }),
  table: {
    whole: () => tag("table"),
    row: () => tag("tr"),
    cell: (head, align) => tag(head ? "th" : "td", align === null ? "" : ` align="${align}"`),
  },
  rule: "<hr>",
  between: () => "\n",
};
