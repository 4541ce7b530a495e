/** The shared Markdown: what is read, and what holds of everything that is written. */

import { cutBefore, type Dialect, displayWidth, htmlDialect, type Inline, parseMarkdown, plainDialect, plainText, renderParts, tableAsText } from "@kata-agents/plugin-sdk/markdown";
import { corpus, problemsOf } from "@kata-agents/plugin-sdk/testing/corpus";
import { describe, expect, test } from "vitest";

/** A dialect like those of chats with fences. */
const fenced: Dialect = {
  text: (text) => text.replace(/[\\*_~`|]/g, "\\$&"),
  strong: () => ({ open: "**", close: "**" }),
  emphasis: () => ({ open: "_", close: "_" }),
  code: (text) => (text.includes("`") ? { open: "`` ", close: " ``" } : { open: "`", close: "`" }),
  codeBlock: (lang) => ({ open: `~~~~~${lang ?? ""}\n`, close: "\n~~~~~" }),
  link: (url) => ({ open: "[", close: `](${url})` }),
  quote: () => ({ open: "> ", close: "", lines: "> " }),
};

const unescaped = (text: string) => text.replace(/<[^>]*>/g, "").replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"').replaceAll("&amp;", "&");
const pair = (name: string): [RegExp, RegExp] => [new RegExp(`<${name}[ >]`), new RegExp(`</${name}>`)];
const PAIRS = ["p", "strong", "em", "del", "code", "pre", "a", "ul", "ol", "li", "blockquote", "table", "tr", "td", "h1", "h2"].map(pair);

const inline = (text: string): Inline[] => {
  const [block] = parseMarkdown(text);
  return block?.kind === "paragraph" ? block.content : [];
};

describe("the corpus", () => {
  test("has fifty documents", () => expect(corpus.length).toBe(50));
  for (const document of corpus) {
    const blocks = parseMarkdown(document.text);
    test(`${document.name} keeps its words, its limit and its marks`, () => {
      for (const max of [80, 300, 4096]) {
        const check = { max, unit: "utf16" } as const;
        expect(problemsOf(document, renderParts(blocks, plainDialect, check), { ...check })).toEqual([]);
        expect(problemsOf(document, renderParts(blocks, htmlDialect, check), { ...check, read: unescaped, pairs: PAIRS })).toEqual([]);
        const parts = renderParts(blocks, fenced, { max, unit: "bytes" });
        expect(problemsOf(document, parts, { max, unit: "bytes", read: (text) => text.replace(/\\([\\*_~`|])/g, "$1"), fence: /^[> ]*(?:(?:[•☐☑]|\d+\.) )*~~~~~/ })).toEqual([]);
      }
    });
    test(`${document.name} as HTML`, () => {
      const html = renderParts(blocks, htmlDialect, { max: 100_000 }).map((part) => part.text).join("\n=====\n");
      expect(html.length > 3000 ? `${html.slice(0, 1500)}\n…\n${html.slice(-500)}` : html).toMatchSnapshot();
    });
  }
});

test.each([
  ["snake_case_names and 2*3*4", [{ kind: "text", text: "snake_case_names and 2*3*4" }]],
  ["a lone * star", [{ kind: "text", text: "a lone * star" }]],
  ["***both***", [{ kind: "strong", content: [{ kind: "emphasis", content: [{ kind: "text", text: "both" }] }] }]],
  ["[a](javascript:x)", [{ kind: "text", text: "[a](javascript:x)" }]],
  ["[a [b](http://x/1)](http://x/2)", [{ kind: "text", text: "[a " }, { kind: "link", url: "http://x/1", content: [{ kind: "text", text: "b" }] }, { kind: "text", text: "](" }, { kind: "link", url: "http://x/2", content: [{ kind: "text", text: "http://x/2" }] }, { kind: "text", text: ")" }]],
  ["x&lt;y &#128512;", [{ kind: "text", text: "x<y 😀" }]],
  ["``a`b``", [{ kind: "code", text: "a`b" }]],
  ["https://x.y/a_b_c, and", [{ kind: "link", url: "https://x.y/a_b_c", content: [{ kind: "text", text: "https://x.y/a_b_c" }] }, { kind: "text", text: ", and" }]],
])("%s is read", (text, expected) => expect(inline(text)).toEqual(expected));

test("a row with more cells than the head keeps them, one with fewer is filled", () => {
  expect(parseMarkdown("|a|b|\n|-|:-:|\n|1|\n|1|2|3|")[0]).toEqual({
    kind: "table",
    align: [null, "center"],
    head: [[{ kind: "text", text: "a" }], [{ kind: "text", text: "b" }]],
    rows: [
      [[{ kind: "text", text: "1" }], []],
      [[{ kind: "text", text: "1" }], [{ kind: "text", text: "2|3" }]],
    ],
  });
});

test("a code block that is cut is closed and opened again with its language", () => {
  const parts = renderParts(parseMarkdown(`\`\`\`rust\n${"let a = 1;\n".repeat(20)}\`\`\``), fenced, { max: 100 });
  expect(parts.length).toBeGreaterThan(2);
  for (const { text } of parts) expect(text).toMatch(/^~~~~~rust\n(?:let a = 1;\n)+~~~~~$/);
});

test("what stands in front of each line stands in front of the rest too", () => {
  const parts = renderParts(parseMarkdown(`> ${"some words ".repeat(20)}`), fenced, { max: 60 });
  for (const { text } of parts) expect(text).toMatch(/^> some/);
});

test("a numbered list goes on with its number in the next message", () => {
  const items = Array.from({ length: 30 }, (_, index) => `${index + 1}. item number ${index + 1}`).join("\n");
  const parts = renderParts(parseMarkdown(items), htmlDialect, { max: 300 });
  for (const { text } of parts.slice(1)) {
    const [, start, number] = /^<ol start="(\d+)"><li>item number (\d+)</.exec(text) ?? [];
    expect(start).toBe(number);
    expect(start).toBeDefined();
  }
});

test("a table with wide cells is a list, one with narrow cells is columns", () => {
  const table = (cell: string) => parseMarkdown(`|Name|Text|\n|-|-|\n|a|${cell}|`)[0];
  const narrow = table("b");
  const wide = table("long ".repeat(30));
  expect(narrow?.kind === "table" && tableAsText(narrow)).toBe("Name  Text\n----  ----\na     b");
  expect(wide?.kind === "table" && tableAsText(wide)).toBe(`Name: a\nText: ${"long ".repeat(30).trim()}`);
  expect(plainText(parseMarkdown("|名前|x|\n|-|-|\n|b|1|"))).toBe("名前  x\n----  -\nb     1");
});

test("a place to cut is a boundary between characters as a reader sees them", () => {
  const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" });
  const texts = [...corpus.map((document) => document.text), "각각 한국", "🏴󠁧󠁢󠁥󠁮󠁧󠁿🏴󠁧󠁢󠁥󠁮󠁧󠁿", "e\u0301\u0302e", "🇩🇪🇫🇷🇯", "a\r\nb", "👩🏽‍💻👩🏽‍💻"];
  for (const text of texts.map((one) => one.slice(0, 3000))) {
    const boundaries = new Set([...segmenter.segment(text)].map((segment) => segment.index));
    const boundaryAfterStart = [...boundaries, text.length].find((one) => one > 0);
    for (let at = 1; at < text.length; at += 1) {
      const cut = cutBefore(text, at);
      expect(cut).toBeLessThanOrEqual(at);
      // The first character and one of more than 64 are cut somewhere: there is no boundary to go back to.
      const first = at < (boundaryAfterStart ?? 0);
      if (at - cut < 64 && !first && !boundaries.has(cut)) expect.fail(`${JSON.stringify(text.slice(cut - 6, cut))} is cut from ${JSON.stringify(text.slice(cut, cut + 6))}`);
    }
  }
});

test("columns count as a terminal counts them", () => {
  expect(["abc", "日本", "é", "👨‍👩‍👧‍👦", "한"].map(displayWidth)).toEqual([3, 4, 1, 2, 2]);
});

test("a message that has no room for a word is refused", () => {
  expect(() => renderParts(parseMarkdown("a"), plainDialect, { max: 10 })).toThrow("max must be at least 40");
});

test("noise of any kind keeps the limits", () => {
  let seed = 1;
  const random = (max: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return seed % max;
  };
  const alphabet = ["*", "**", "_", "`", "```", "\n", "\n\n", "> ", "- ", "1. ", "|", "|-|-|", "[", "](http://a.b/c)", "!", "<", ">", "&", "\\", " ", "word", "😀", "é", "日本", "# ", "~~", "    ", "<br>"];
  for (let round = 0; round < 400; round += 1) {
    const text = Array.from({ length: 1 + random(120) }, () => alphabet[random(alphabet.length)]).join("");
    for (const dialect of [plainDialect, htmlDialect, fenced]) {
      for (const part of renderParts(parseMarkdown(text), dialect, { max: 60, unit: "utf16" })) {
        if (part.text.length > 60) expect.fail(`${part.text.length} for ${JSON.stringify(text)}: ${JSON.stringify(part.text)}`);
      }
    }
  }
});
