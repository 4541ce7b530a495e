import { corpus, problemsOf } from "@kata-agents/plugin-sdk/testing/corpus";
import { expect, test } from "vitest";
import { partsOf, TEXT_MAX } from "../render.ts";

for (const document of corpus) {
  test(`${document.name}: as WhatsApp shows it`, () => {
    const parts = partsOf(document.text);
    expect(parts.join("\n##### next message\n")).toMatchSnapshot();
    const read = (text: string): string => text.replaceAll("\u200b", "");
    const pieces = parts.map((text) => ({ text, plain: read(text) }));
    expect(problemsOf(document, pieces, { max: TEXT_MAX, unit: "chars", read, fence: /```/g, pairs: [] })).toEqual([]);
  });
}
