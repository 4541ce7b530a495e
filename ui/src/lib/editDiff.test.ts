import { describe, expect, it } from "vitest";
import { editOf } from "./editDiff";

describe("what an edit changes", () => {
  it("is what differs, with what stays around it", () => {
    const edit = editOf("edit", { path: "a.ts", old: "one\ntwo\nthree", new: "one\n2\n2b\nthree" });
    expect(edit?.hunks[0]?.lines.map(({ kind, before, after, text }) => [kind, before, after, text])).toEqual([
      ["same", 1, 1, "one"],
      ["removed", 2, null, "two"],
      ["added", null, 2, "2"],
      ["added", null, 3, "2b"],
      ["same", 3, 4, "three"],
    ]);
  });

  it("is a whole new file for a write, and nothing for any other call", () => {
    expect(editOf("write", { path: "a", content: "x\ny" })?.hunks[0]?.lines.map(({ kind }) => kind)).toEqual(["added", "added"]);
    expect(editOf("read", { path: "a" })).toBeNull();
    expect(editOf("edit", { path: "a", old: 1, new: "x" })).toBeNull();
    expect(editOf("write", { path: "a", content: "x\n".repeat(3_000) })).toBeNull();
  });
});
