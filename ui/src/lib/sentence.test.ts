import { describe, expect, it } from "vitest";
import { errorAtField, errorWords, fieldOf, sentence } from "./sentence";

describe("what the engine says", () => {
  it("becomes a sentence, and what begins with a name stays as it is", () => {
    expect(["no plugin named “x”", "choose another id", "/tmp/x: not found", "kata-plugin.json: line 7", "“id”: taken", "Done.", ""].map(sentence)).toEqual([
      "No plugin named “x”",
      "Choose another id.",
      "/tmp/x: not found.",
      "kata-plugin.json: line 7.",
      "“id”: taken.",
      "Done.",
      "",
    ]);
  });

  it("is followed by what to do, and does not repeat the field it stands at", () => {
    const error = { code: "invalid", message: "“id”: it is taken", hint: "choose another id" } as const;
    expect(errorWords(error)).toBe("“id”: it is taken. Choose another id.");
    expect(errorAtField(error)).toBe("It is taken. Choose another id.");
    expect([fieldOf(error), fieldOf({ ...error, message: "“keep” must be more" }), fieldOf({ ...error, message: "the disk is full" }), fieldOf({ ...error, details: { field: "a/b" } })]).toEqual(["id", "keep", "", "a.b"]);
  });
});
