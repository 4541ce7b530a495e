/** Markdown as WhatsApp shows it: *bold*, _italic_, ~struck~, ```code```, > quotes, lists (faq.whatsapp.com, “How to format your messages”). */

import { type Dialect, parseMarkdown, renderParts } from "@kata-agents/plugin-sdk/markdown";

/** Longest text of a message, characters. */
export const TEXT_MAX = 4_096;
/** Longest text above buttons, and longest caption. */
export const BODY_MAX = 1_024;

/** Zero width: in front of a mark it keeps WhatsApp from reading one, and nobody sees it. */
const GUARD = "\u200b";

export const whatsapp: Dialect = {
  // A mark counts where a word begins or ends; within one it is a letter.
  text: (text, lineStart) => {
    const safe = text.replace(/(^|[^\p{L}\p{N}_*~`])([*_~`])(?=\S)/gu, `$1${GUARD}$2`);
    return lineStart ? safe.replace(/^([>*-]) /, `${GUARD}$1 `) : safe;
  },
  strong: () => ({ open: "*", close: "*" }),
  emphasis: () => ({ open: "_", close: "_" }),
  strike: () => ({ open: "~", close: "~" }),
  code: (text) => (text.includes("`") || text.includes("\n") ? { open: "", close: "" } : { open: "`", close: "`" }),
  // A fence within code would end it.
  codeText: (text, block) => (block ? text.replaceAll("```", `\`\`${GUARD}\``) : text),
  codeBlock: () => ({ open: "```\n", close: "\n```", bare: true }),
  quote: () => ({ open: "> ", close: "", lines: "> " }),
  bullet: ({ ordered, number, task }) => (task === null ? (ordered ? `${number}. ` : "- ") : task ? "- ☑ " : "- ☐ "),
  // A telephone shows about 30 columns of fixed width.
  tableWidth: 32,
};

/** Messages of a text. */
export function partsOf(markdown: string, max = TEXT_MAX): string[] {
  return renderParts(parseMarkdown(markdown), whatsapp, { max }).map((part) => part.text);
}
