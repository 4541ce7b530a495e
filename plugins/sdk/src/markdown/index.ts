/**
 * `@kata-agents/plugin-sdk/markdown`: what a channel needs to write an agent's Markdown in its platform's markup, within its
 * limits. Served by the host inside a plugin's runtime; linear in the length of the text, whoever wrote it.
 */

export type * from "./ast.ts";
export { parseMarkdown } from "./blocks.ts";
export type { Dialect, ItemPlace, Wrap } from "./dialect.ts";
export { htmlDialect, plainDialect } from "./dialect.ts";
export { cutBefore, displayWidth } from "./grapheme.ts";
export { wordsOf } from "./inline.ts";
export type { LengthUnit, Part, PartLimit } from "./render.ts";
export { lengthOf, plainText, renderParts } from "./render.ts";
export { tableAsText } from "./table.ts";
