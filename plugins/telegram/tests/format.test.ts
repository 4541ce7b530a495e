import { expect, test } from "vitest";
import { parseMarkdown, toHtml } from "../format.ts";

const html = (markdown: string) => toHtml(parseMarkdown(markdown));

test.each([
  ["**bold** and *italic* and _italic_ and __bold__", "<b>bold</b> and <i>italic</i> and <i>italic</i> and <b>bold</b>"],
  ["***both*** ~~gone~~", "<b><i>both</i></b> <s>gone</s>"],
  ["**a *b* c**", "<b>a <i>b</i> c</b>"],
  ["*a **b***", "<i>a <b>b</b></i>"],
  ["**bold over\ntwo lines**", "<b>bold over\ntwo lines</b>"],
  ["**重要：**下一步", "<b>重要：</b>下一步"],
  ["`a < b && **c**`", "<code>a &lt; b &amp;&amp; **c**</code>"],
  ["`` a`b ``", "<code>a`b</code>"],
  ["[**docs**](https://x.org/a_(b)?q=1&r=2 \"t\")", '<a href="https://x.org/a_(b)?q=1&amp;r=2"><b>docs</b></a>'],
  ["![alt](https://x.org/i.png)", '<a href="https://x.org/i.png">alt</a>'],
  ["[run](javascript:alert(1)) [rel](/a)", "[run](javascript:alert(1)) [rel](/a)"],
  ["[a [b](https://in.org) c](https://out.org)", '<a href="https://out.org">a b c</a>'],
  ['[q](https://x.org/"onx="1)', '<a href="https://x.org/&quot;onx=&quot;1">q</a>'],
  ["<https://x.org> and https://x.org/_a_b_*", "https://x.org and https://x.org/_a_b_*"],
  ["snake_case_name and 2 * 3 * 4", "snake_case_name and 2 * 3 * 4"],
  ["\\*not\\* \\_this\\_ a\\b", "*not* _this_ a\\b"],
  ["# Title **x** ##\ntext", "<b>Title x</b>\ntext"],
  ["# C#", "<b>C#</b>"],
  ["- one\n- **two**\n  - three\n1. four\n- [ ] open\n- [x] done", "• one\n• <b>two</b>\n  • three\n1. four\n☐ open\n☑ done"],
  ["> said *this*\n> > deeper\n\nafter", "<blockquote>said <i>this</i>\ndeeper</blockquote>\n\nafter"],
  [">  > a\n>    > d\n>     > b\n>\n> c", "<blockquote>a\nd\n    &gt; b\n\nc</blockquote>"],
  ["```rust\nfn a<T>() {}\n\n  b\n```\nend", '<pre><code class="language-rust">fn a&lt;T&gt;() {}\n\n  b</code></pre>\nend'],
  ["```\nnever closed **x**", "<pre>never closed **x**</pre>"],
  ["~~~~\n```\n~~~~", "<pre>```</pre>"],
  ["1. do\n   ```sh\n   ls\n   ```", '1. do\n<pre><code class="language-sh">ls</code></pre>'],
  ["| a | b |\n|---|:-:|\n| long | **x** |\nafter", "<pre>a     b\nlong  x</pre>\nafter"],
  ["a\n\n\n\nb\n---\nc", "a\n\nb\n———\nc"],
  ["<b>raw</b> & \"quotes\"", "&lt;b&gt;raw&lt;/b&gt; &amp; &quot;quotes&quot;"],
])("%s", (markdown, expected) => {
  expect(html(markdown)).toBe(expected);
});

test.each(["**open", "*a **b* c**", "[a](https://x.org", "`open", "~~a", "]](", "****", "**", "_", "![", "> ", "# ", "|", "\\", "**a `b** c`", "[[[", "<<"])(
  "malformed %s keeps its words and gives tags that close",
  (markdown) => {
    const out = html(markdown);
    expect(balanced(out)).toBe(true);
    for (const word of markdown.match(/[a-z]/g) ?? []) expect(out).toContain(word);
  },
);

test("random Markdown never fails, never loses a letter, and always gives tags that close", () => {
  const atoms = ["*", "**", "***", "_", "__", "~~", "`", "``", "```", "\n", "\n\n", "[", "](", "](https://x.org)", ")", "> ", ">", ">  >", "# ", "- ", "|", "|-|", "a", "b c", "😀", "<", "&", "\\", " "];
  const random = seeded(1);
  for (let round = 0; round < 3000; round += 1) {
    const markdown = Array.from({ length: 1 + Math.floor(random() * 40) }, () => atoms[Math.floor(random() * atoms.length)]).join("");
    const formatted = parseMarkdown(markdown);
    const out = toHtml(formatted);
    expect(balanced(out), JSON.stringify(markdown)).toBe(true);
    expect(count(formatted.text, "😀"), JSON.stringify(markdown)).toBeGreaterThanOrEqual(count(markdown, "😀") - count(markdown, "```"));
    for (const { start, end } of formatted.entities) {
      expect(start, JSON.stringify(markdown)).toBeLessThan(end);
      expect(end).toBeLessThanOrEqual(formatted.text.length);
    }
  }
});

test.each(["*", "**a ", "[", "](", "`", "_a", "> ", ">  ", "- ", "|", "~~", "<", "# ", "#", " ", "a`", "[a](", "\\", "| - "])(
  "sixty thousand characters of %s end soon",
  (atom) => {
    const start = performance.now();
    parseMarkdown(atom.repeat(60_000 / atom.length));
    expect(performance.now() - start).toBeLessThan(1500);
  },
);

/** Whether Telegram's parser would accept the tags: known, closed, in order. */
function balanced(markup: string): boolean {
  const open: string[] = [];
  for (const [, slash, name] of markup.matchAll(/<(\/?)([a-z]+)[^>]*>/g)) {
    if (name === "blockquote" && slash === "" && open.includes(name)) return false;
    if (slash === "") open.push(name ?? "");
    else if (open.pop() !== name) return false;
  }
  return open.length === 0 && !/&(?!amp;|lt;|gt;|quot;)/.test(markup);
}

function count(text: string, part: string): number {
  return text.split(part).length - 1;
}

function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}
