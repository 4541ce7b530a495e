import { describe, expect, it } from "vitest";
import { diffSize, parseDiff } from "./diff";

const DIFF = "--- a/x\n+++ b/x\n@@ -3,3 +3,4 @@ fn\n same\n-- gone\n+++ new\n+more\n same\n\\ No newline at end of file\n@@ -10 +11 @@\n-a\n+b\n";

describe("a unified diff", () => {
  it("numbers each line on the sides where it stands", () => {
    const [first, second] = parseDiff(DIFF);
    expect(first?.lines).toEqual([
      { kind: "same", before: 3, after: 3, text: "same" },
      { kind: "removed", before: 4, after: null, text: "- gone" },
      { kind: "added", before: null, after: 4, text: "++ new" },
      { kind: "added", before: null, after: 5, text: "more" },
      { kind: "same", before: 5, after: 6, text: "same" },
    ]);
    expect(second?.lines.map((line) => line.text)).toEqual(["a", "b"]);
  });

  it("counts what came and went, without the heads of the files", () => {
    expect(diffSize(parseDiff(DIFF))).toEqual({ added: 3, removed: 2 });
  });

  it("is nothing where there is no diff", () => {
    expect(parseDiff("")).toEqual([]);
  });
});
