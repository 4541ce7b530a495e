/**
 * Markdown in Slack's mrkdwn, cut into messages. What the dialect lacks (headlines, tables, pictures) is bold, a block of
 * code, a link.
 *
 * Source: docs.slack.dev/messaging/formatting-message-text: `*b* _i_ ~s~`, code in back quotes, `<url|words>`, quotes by `> `,
 * and `&`, `<`, `>` always as entities. A mark counts only at the edge of a word, so where a word would go on, a zero-width
 * space stands between.
 */

import { type Dialect, parseMarkdown, renderParts } from "@kata-agents/plugin-sdk/markdown";

/** Longest text of one message that we make; Slack cuts at 40,000. */
export const TEXT_AIM = 4_000;
/** Longest text of a section. */
export const SECTION_MAX = 3_000;

const ZERO_WIDTH = "\u200b";

const escape = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/** Marks that Slack would read in words: they stay visible, and mean nothing, with a zero-width space behind them. */
const inert = (text: string, lineStart: boolean): string => {
  const safe = escape(text).replace(/(^|[^A-Za-z0-9\u00c0-\u024f])([*_~`])(?=\S)/g, `$1$2${ZERO_WIDTH}`);
  // A line that begins with “>” would be a quotation.
  const quoted = safe.replace(/\n(?=&gt;)/g, `\n${ZERO_WIDTH}`);
  return lineStart && quoted.startsWith("&gt;") ? ZERO_WIDTH + quoted : quoted;
};

const mark = (sign: string) => ({ open: sign, close: sign });
/** What cannot stand in an address between `<` and `>`. */
const address = (url: string): string => escape(url.replaceAll("|", "%7C"));

export const MRKDWN: Dialect = {
  text: inert,
  codeText: (text, block) => escape(block ? text.replaceAll("```", `\`\`${ZERO_WIDTH}\``) : text.replaceAll("`", "ˋ")),
  url: (url) => `<${address(url)}>`,
  strong: () => mark("*"),
  emphasis: () => mark("_"),
  strike: () => mark("~"),
  code: () => mark("`"),
  codeBlock: () => ({ open: "```\n", close: "\n```", bare: true }),
  link: (url) => (/^(?:https?|mailto|tel):/i.test(url) ? { open: `<${address(url)}|`, close: ">" } : undefined),
  quote: (depth) => (depth === 0 ? { open: "> ", close: "", lines: "> " } : undefined),
  rule: "———",
  tableWidth: 76,
};

/** One message: in mrkdwn, and as a notification reads it. */
export interface Piece {
  text: string;
  plain: string;
}

/** Markdown as messages of at most `max` characters. Empty where there is nothing to read. */
export function render(markdown: string, max: number = TEXT_AIM): Piece[] {
  return renderParts(parseMarkdown(markdown), MRKDWN, { max, unit: "utf16" });
}
