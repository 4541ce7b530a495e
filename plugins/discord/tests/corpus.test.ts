import { corpus, problemsOf } from "@kata-agents/plugin-sdk/testing/corpus";
import { describe, expect, test } from "vitest";
import { render, TEXT_MAX } from "../render.ts";

describe("fifty documents in Discord's Markdown", () => {
  for (const document of corpus) {
    test(document.name, () => {
      const parts = render(document.text);
      const read = (text: string) => text.replace(/\\([\\*_~`|[\]#>.+-])/g, "$1");
      expect(problemsOf(document, parts.map((text) => ({ text })), { max: TEXT_MAX, unit: "utf16", read, fence: /^(?:> )?[ ]*```/ })).toEqual([]);
      // A long document is a long snapshot: its beginning, its seams and its end say what there is to see.
      const shown = parts.map((part) => {
        const letters = [...part];
        return letters.length <= 600 ? part : `${letters.slice(0, 260).join("")}\n[…]\n${letters.slice(-260).join("")}`;
      });
      expect(shown.slice(0, 4).join("\n=== next message ===\n")).toMatchSnapshot();
    });
  }
});

test.each([
  ["names of people, channels, emojis and times stay what Discord shows", "<@123> <#45> <@&6> <:party:7> <t:0:R> <b>", "<@123> <#45> <@&6> <:party:7> <t:0:R> <b>"],
  ["what would hide or underline is written as it is", "||no|| snake_case __init__.py x", "\\|\\|no\\|\\| snake\\_case **init**.py x"],
  ["small print is none", "-# not small", "\\-# not small"],
  ["a heading of the fourth level is bold", "#### Deep", "**Deep**"],
  ["a link is masked unless its text is an address", "[docs](https://a.example/x_(y)) and [https://b.example](https://c.example)", "[docs](https://a.example/x_%28y%29) and https://b.example (https://c.example)"],
  ["an address that is no web address stands behind its text", "[mail](mailto:a@b.example)", "mail (mailto:a@b.example)"],
  ["ticks in code", "`` a`b ``", "``a`b``"],
])("%s", (_, markdown, expected) => {
  expect(render(markdown)).toEqual([expected]);
});

test("a table becomes columns in a block of code", () => {
  expect(render("| a | long name |\n|---|---|\n| 1 | x |")).toEqual([expect.stringMatching(/^```\n[^]*a[^]*long name[^]*\n```$/)]);
});

test("a code block that does not fit is closed and opened again with its language", () => {
  const parts = render(`\`\`\`rust\n${"let x = 1;\n".repeat(400)}\`\`\``);
  expect(parts.length).toBeGreaterThan(2);
  for (const part of parts) {
    expect(part.startsWith("```rust\n")).toBe(true);
    expect(part.endsWith("\n```")).toBe(true);
    expect(part.length).toBeLessThanOrEqual(TEXT_MAX);
  }
});

test("fences within code do not end it", () => {
  const [part] = render("````\n```js\nx\n```\n````");
  expect(part?.match(/```/g)).toHaveLength(2);
});
