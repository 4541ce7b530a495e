import { expect, test } from "vitest";
import { parse, undocumented } from "../scripts/docs.mjs";

test("a declaration without a doc comment fails the generation", () => {
  expect(() => parse("x", "/** File. */\n\nexport interface Bare {\n}\n")).toThrow("x: Bare has no doc comment");
});

test("a member without a doc comment is found", () => {
  const file = parse("x", "/** File. */\n/** Item. */\nexport interface A {\n    /** Said. */\n    said: string;\n    silent: string;\n}\n");
  expect(file.doc).toBe("File.");
  expect(undocumented(file.items[0])).toEqual(["A.silent: string;"]);
});

test("a union with comments between its members is one declaration", () => {
  const file = parse("x", '/** File. */\n/** U. */\nexport type U = \n/** One. */\n{\n    kind: "a";\n}\n/** Two. */\n | {\n    kind: "b";\n};\n/** V. */\nexport type V = string;\n');
  expect(file.items.map((item) => item.name)).toEqual(["U", "V"]);
});
