/**
 * Markdown in Telegram's HTML. Its limit counts what a reader sees, in UTF-16 code units, after the entities were taken out
 * (https://core.telegram.org/bots/api#sendmessage); only the first hundred entities of a message are shown.
 */

import { type Dialect, type Part, parseMarkdown, renderParts, type Wrap } from "@kata-agents/plugin-sdk/markdown";

/** Longest text of one message. */
export const TEXT_MAX = 4096;
/** Longest text under a file. */
export const CAPTION_MAX = 1024;
/** Entities Telegram shows in one message. */
const MAX_ENTITIES = 100;
/** What a telephone shows in one line of fixed width without a scroll bar is about this. */
const TABLE_WIDTH = 48;
/** Links Telegram opens; it drops others. */
const OPENS = /^(?:https?:\/\/|tg:\/\/|mailto:|tel:)/i;

const SPECIAL = /[&<>"]/;
const escape = (text: string): string =>
  !SPECIAL.test(text) ? text : text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
const tag = (name: string): Wrap => ({ open: `<${name}>`, close: `</${name}>` });

export const dialect: Dialect = {
  text: escape,
  codeText: escape,
  url: escape,
  strong: () => tag("b"),
  emphasis: () => tag("i"),
  strike: () => tag("s"),
  code: () => tag("code"),
  codeBlock: (lang) =>
    lang === null
      ? { ...tag("pre"), bare: true }
      : { open: `<pre><code class="language-${escape(lang)}">`, close: "</code></pre>", bare: true },
  link: (url) => (OPENS.test(url) ? { open: `<a href="${escape(url)}">`, close: "</a>" } : undefined),
  // Telegram cannot nest quotations: deeper ones count as the outer one.
  quote: (depth) => (depth === 0 ? tag("blockquote") : undefined),
  tableWidth: TABLE_WIDTH,
  counts: "visible",
  maxWraps: MAX_ENTITIES,
};

/** The messages a text takes. */
export function partsOf(text: string, max: number = TEXT_MAX): Part[] {
  return renderParts(parseMarkdown(text), dialect, { max, unit: "utf16" });
}
