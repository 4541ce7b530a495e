/** Fifty documents as Telegram shows them. */

import { corpus, problemsOf } from "@kata-agents/plugin-sdk/testing/corpus";
import { expect, test } from "vitest";
import { CAPTION_MAX, partsOf, TEXT_MAX } from "../render.ts";

const pair = (name: string): [RegExp, RegExp] => [new RegExp(`<${name}[ >]`), new RegExp(`</${name}>`)];
const pairs = ["b", "i", "s", "code", "pre", "a", "blockquote"].map(pair);
const read = (text: string) => text.replace(/<[^>]*>/g, "").replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"').replaceAll("&amp;", "&");

/** Tags Telegram knows and no others, closed in order. */
function wellFormed(html: string): boolean {
  const open: string[] = [];
  for (const [, slash, name = ""] of html.matchAll(/<(\/?)([a-z]+)[^>]*>/g)) {
    if (!/^(?:b|i|s|code|pre|a|blockquote)$/.test(name)) return false;
    if (slash === "") open.push(name);
    else if (open.pop() !== name) return false;
  }
  return open.length === 0;
}

for (const document of corpus) {
  test(document.name, () => {
    for (const max of [TEXT_MAX, CAPTION_MAX, 200]) {
      const parts = partsOf(document.text, max);
      expect(problemsOf(document, parts.map((part) => ({ text: part.text, counted: part.plain })), { max, unit: "utf16", read, pairs })).toEqual([]);
      for (const part of parts) {
        expect(wellFormed(part.text)).toBe(true);
        expect(part.text.match(/<[a-z]/g)?.length ?? 0).toBeLessThanOrEqual(200);
        // Quotations cannot be nested, and code holds nothing.
        expect(part.text).not.toMatch(/<blockquote>(?:(?!<\/blockquote>)[^])*<blockquote>/);
      }
    }
    const shown = partsOf(document.text).map((part) => part.text).join("\n=====\n");
    expect(shown.length > 3000 ? `${shown.slice(0, 1500)}\n…\n${shown.slice(-500)}` : shown).toMatchSnapshot();
  });
}
