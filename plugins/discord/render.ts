/**
 * Markdown to Discord's dialect, in messages within its limit. Discord's Markdown is near to what a model writes and still another
 * one: `__` underlines, `||` hides, `-#` is small print, headings end at three, there are no tables and no quotation within a
 * quotation, and a link whose text looks like an address is not shown as one. Source: “Markdown Text 101” of Discord's help.
 */

import { type Dialect, parseMarkdown, renderParts } from "@kata-agents/plugin-sdk/markdown";

/** Longest text of one message, in UTF-16 code units: never less than what Discord counts. */
export const TEXT_MAX = 2000;

/** What Discord shows as a name, an emoji or a time, and what must stay as it is for that. */
const KEPT = /(<(?:@[!&]?|#)\d{1,20}>|<a?:\w{1,32}:\d{1,20}>|<t:-?\d{1,13}(?::[a-zA-Z])?>)/;
/** Characters that are markup wherever they stand. */
const MARKS = /[\\*_~`|[\]]/g;
/** What is markup where a line begins. */
const LINE_START = /^([ \t]*)(#{1,3}(?=\s)|-#(?=\s)|>{1,3}(?=\s)|[-*+](?=\s)|(?:\d{1,9})(?=[.)]\s))/;
/** Splits backticks in code, which would end it. */
const BETWEEN = "\u200b";

const dialect: Dialect = {
  text: (text, lineStart) =>
    text
      .split("\n")
      .map((line, at) => escaped(line, at > 0 || lineStart))
      .join("\n"),
  codeText: (text, block) => (block ? text.replaceAll("```", `\`${BETWEEN}\`${BETWEEN}\``) : inCode(text)),
  strong: () => ({ open: "**", close: "**" }),
  emphasis: () => ({ open: "*", close: "*" }),
  strike: () => ({ open: "~~", close: "~~" }),
  code: (text) => (text.includes("`") ? { open: "``", close: "``" } : { open: "`", close: "`" }),
  codeBlock: (lang) => ({ open: `\`\`\`${lang ?? ""}\n`, close: "\n```" }),
  link: (url, text) => {
    // Discord masks web addresses only, and never under a text that could be one itself.
    if (!/^https?:\/\/\S+$/i.test(url) || /:\/\/|^www\./i.test(text) || text.trim() === "") return undefined;
    return { open: "[", close: `](${url.replaceAll("(", "%28").replaceAll(")", "%29")})`, reopen: "[" };
  },
  heading: (level) => (level <= 3 ? { open: `${"#".repeat(level)} `, close: "" } : { open: "**", close: "**" }),
  quote: (depth) => (depth === 0 ? { open: "> ", close: "", lines: "> " } : undefined),
  bullet: ({ ordered, number, task }) => `${ordered ? `${number}. ` : "- "}${task === null ? "" : task ? "☑ " : "☐ "}`,
};

/** Markdown as Discord's messages; none for a text without words. */
export function render(markdown: string): string[] {
  return renderParts(parseMarkdown(markdown), dialect, { max: TEXT_MAX, unit: "utf16" }).map((part) => part.text);
}

function escaped(line: string, begins: boolean): string {
  const parts = line.split(KEPT);
  return parts
    .map((part, at) => {
      if (at % 2 === 1) return part;
      const plain = part.replace(MARKS, "\\$&");
      // Only what was no mark already: `*` and the like have their backslash.
      return begins && at === 0 ? plain.replace(LINE_START, (_, space: string, mark: string) => (/^\d/.test(mark) ? `${space}${mark}\\` : `${space}\\${mark}`)) : plain;
    })
    .join("");
}

/** Code within a line: two backticks around it hold single ones, but neither two in a row nor one at an end. */
function inCode(text: string): string {
  if (!text.includes("`")) return text;
  const apart = text.replaceAll("``", `\`${BETWEEN}\``).replaceAll("``", `\`${BETWEEN}\``);
  return `${apart.startsWith("`") ? " " : ""}${apart}${apart.endsWith("`") ? " " : ""}`;
}
