import { describe, expect, it } from "vitest";
import { fieldsOf, settingsOf, valuesOf } from "./schema";

const SCHEMA = {
  type: "object",
  required: ["pollSeconds"],
  properties: {
    apiBase: { type: "string", title: "API address" },
    pollSeconds: { type: "integer", minimum: 1, maximum: 50, default: 25 },
    ratio: { type: ["number", "null"] },
    showTyping: { type: "boolean", default: true },
    dialect: { enum: ["html", "plain"] },
    nested: { type: "object" },
  },
};
const fields = fieldsOf(SCHEMA);

describe("a settings form", () => {
  it("draws each kind of property with a title a person can read", () => {
    expect(fields.map(({ kind, title }) => `${title}: ${kind}`)).toEqual(["API address: text", "Poll seconds: number", "Ratio: number", "Show typing: boolean", "Dialect: choice", "Nested: json"]);
  });

  it("draws nothing for what is no object schema", () => {
    for (const schema of [null, true, "x", [], { type: "object" }]) expect(fieldsOf(schema)).toEqual([]);
  });

  it("starts from the present settings, then from the defaults", () => {
    expect(valuesOf(fields, { apiBase: "http://x", showTyping: false })).toMatchObject({ apiBase: "http://x", pollSeconds: "25", showTyping: false, dialect: "" });
  });

  it("gives back typed values, leaves empty ones out, and keeps what the schema does not name", () => {
    const parsed = settingsOf(fields, { apiBase: "", pollSeconds: "30", ratio: "0.5", showTyping: true, dialect: "plain", nested: '{"a":1}' }, { apiBase: "old", unknown: 7 });
    expect(parsed).toEqual({ ok: true, settings: { unknown: 7, pollSeconds: 30, ratio: 0.5, showTyping: true, dialect: "plain", nested: { a: 1 } } });
  });

  it.each([
    ["", "This is needed."],
    ["2.5", "This must be a whole number."],
    ["abc", "This is not a number."],
    ["0", "At least 1."],
    ["51", "At most 50."],
  ])("says what is wrong with the number %j", (value, error) => {
    expect(settingsOf(fields, { pollSeconds: value }, {})).toEqual({ ok: false, errors: { pollSeconds: error } });
  });
});
