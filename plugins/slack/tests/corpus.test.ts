import { corpus, problemsOf } from "@kata-agents/plugin-sdk/testing/corpus";
import { expect, test } from "vitest";
import { blocksOf } from "../blocks.ts";
import { render, SECTION_MAX, TEXT_AIM } from "../render.ts";

/** What a reader sees: entities as characters, links as their words, marks gone. */
const read = (text: string): string =>
  text
    .replace(/<([^<>|]+)\|([^<>]*)>/g, "$2")
    .replace(/<([^<>]+)>/g, "$1")
    .replaceAll("\u200b", "")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&");

for (const document of corpus) {
  test(`${document.name}: as Slack shows it`, () => {
    const pieces = render(document.text);
    expect(pieces.map((piece) => piece.text).join("\n##### next message\n")).toMatchSnapshot();
    expect(problemsOf(document, pieces, { max: TEXT_AIM, unit: "utf16", read, fence: /```/g, pairs: [] })).toEqual([]);
    for (const { text } of pieces) {
      // Every “&” is an entity's, every “<” and “>” a link's or a quotation's.
      expect(text).not.toMatch(/&(?!(?:amp|lt|gt);)/);
      expect(text.replace(/<[a-z][^<>\s]*(?:\|[^<>]*)?>/g, "").replace(/^(?:> ?)+/gm, "")).not.toMatch(/[<>]/);
    }
    for (const block of blocksOf(document.text, []) as { text: { text: string } }[]) expect(block.text.text.length).toBeLessThanOrEqual(SECTION_MAX);
  });
}

test("what Slack would take for markup, a mention or a broadcast is shown as it was written", () => {
  const shown = render("a < b && c > d; <!channel> <@U1>; snake_case 2*3*4 `x<y`")[0]?.text;
  expect(shown).toBe("a &lt; b &amp;&amp; c &gt; d; &lt;!channel&gt; &lt;@U1&gt;; snake_case 2*3*4 `x&lt;y`");
});

test("an address of another kind than http, mail and telephone is no link", () => {
  expect(render("[press](javascript:alert(1))")[0]?.text).not.toContain("<javascript");
});
