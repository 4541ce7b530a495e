import { expect, test } from "vitest";
import { chunk, TEXT_MAX } from "../chunk.ts";
import { parseMarkdown, toHtml } from "../format.ts";

const words = (text: string) => text.split(/\s+/).filter((word) => word !== "");

test("short text is one message, blank text none", () => {
  expect(chunk(parseMarkdown("hi"))).toEqual([{ text: "hi", entities: [] }]);
  expect(chunk(parseMarkdown(" \n\n "))).toEqual([]);
});

test("every piece fits, none is blank, no word is lost, no pair is split", () => {
  let seed = 7;
  const random = (below: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return seed % below;
  };
  const atoms = ["word", "😀", "😀😀😀", "\n", "\n\n", " ", "longerword", "**", "`x`", "```\n", "é"];
  for (let round = 0; round < 600; round += 1) {
    const source = Array.from({ length: 1 + random(120) }, () => atoms[random(atoms.length)] ?? "").join("");
    const max = 2 + random(40);
    const formatted = parseMarkdown(source);
    const pieces = chunk(formatted, max);
    for (const piece of pieces) {
      expect(piece.text.length).toBeLessThanOrEqual(max);
      expect(piece.text.trim()).not.toBe("");
      expect(piece.text.isWellFormed()).toBe(true);
      for (const entity of piece.entities) expect(entity.end).toBeLessThanOrEqual(piece.text.length);
    }
    expect(words(pieces.map((p) => p.text).join("")).join("")).toBe(words(formatted.text).join(""));
  }
});

test("4,096 units are one message and 4,097 are two, counted in UTF-16", () => {
  expect(chunk(parseMarkdown("x".repeat(TEXT_MAX)))).toHaveLength(1);
  expect(chunk(parseMarkdown("x".repeat(TEXT_MAX + 1))).map((p) => p.text.length)).toEqual([TEXT_MAX, 1]);
  expect(chunk(parseMarkdown("😀".repeat(TEXT_MAX / 2)))).toHaveLength(1);
  const odd = chunk(parseMarkdown(`x${"😀".repeat(TEXT_MAX / 2)}`)).map((p) => p.text.length);
  expect(odd).toEqual([TEXT_MAX - 1, 2]);
});

test("markup does not count", () => {
  const markdown = "**x** ".repeat(2000).trimEnd();
  expect(markdown.length).toBeGreaterThan(TEXT_MAX);
  expect(chunk(parseMarkdown(markdown))).toHaveLength(1);
});

test("the cut prefers a paragraph, then a line, then a word", () => {
  const texts = (source: string) => chunk(parseMarkdown(source), 20).map((p) => p.text);
  expect(texts("one two three\n\nfour five six")).toEqual(["one two three", "four five six"]);
  expect(texts("one two three\nfour five six")).toEqual(["one two three", "four five six"]);
  expect(texts("one two three four five six")).toEqual(["one two three four", "five six"]);
});

test("a code block is closed and opened again, and keeps its indentation", () => {
  const code = Array.from({ length: 6 }, (_, i) => `    line${i}`).join("\n");
  const pieces = chunk(parseMarkdown(`intro\n\`\`\`py\n${code}\n\`\`\`\noutro`), 32).map(toHtml);
  expect(pieces.length).toBeGreaterThan(2);
  expect(pieces[0]).toBe('intro\n<pre><code class="language-py">    line0\n    line1</code></pre>');
  expect(pieces[1]).toBe('<pre><code class="language-py">    line2\n    line3\n    line4</code></pre>');
});

test("bold over a cut is bold on both sides", () => {
  expect(chunk(parseMarkdown("**aaaa bbbb**"), 6).map(toHtml)).toEqual(["<b>aaaa</b>", "<b>bbbb</b>"]);
});
