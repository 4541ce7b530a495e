import { describe, expect, it } from "vitest";
import { ranked, typedMention, withMention } from "./mentions";

describe("what is being named in a message", () => {
  it("is the word under the caret, where its sign begins a word", () => {
    expect(typedMention("look at @jobs/night", 19)).toEqual({ sign: "@", query: "jobs/night", from: 8 });
    expect(typedMention("#", 1)).toEqual({ sign: "#", query: "", from: 0 });
    expect(typedMention("(@a", 3)?.query).toBe("a");
  });

  it("is nothing inside a word, an address or a finished mention", () => {
    for (const text of ["mara@acme.example", "issue C#", "@done ", "no sign", "a@"]) expect(typedMention(text, text.length), text).toBeNull();
    expect(typedMention("@abc def", 8)).toBeNull();
  });

  it("is replaced where the caret is, and the rest of the text stays", () => {
    const typed = typedMention("ask @rep now", 8);
    if (typed === null) throw new Error("there is one");
    expect(withMention("ask @rep now", typed, "@weekly-report")).toEqual({ text: "ask @weekly-report now", caret: 19 });
    expect(withMention("ask @rep now", typed, "")).toEqual({ text: "ask now", caret: 4 });
  });

  it("lists what begins so before what has it elsewhere", () => {
    expect(ranked(["weekly-report", "report", "triage"], "rep", (one) => one)).toEqual(["report", "weekly-report"]);
  });
});
