import { describe, expect, it } from "vitest";
import { fieldsOf } from "./schema";
import { fieldOfError, settingsOf, valuesOf } from "./values";

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
    const parsed = settingsOf(fields, { apiBase: "", pollSeconds: "30", ratio: "0.5", showTyping: true, dialect: "1", nested: '{"a":1}' }, { apiBase: "old", unknown: 7 });
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

  const RICH = fieldsOf({
    type: "object",
    properties: {
      mode: { const: "live" },
      level: { oneOf: [{ const: 1, title: "Low" }, { const: 2, title: "High" }] },
      email: { type: "string", format: "email" },
      site: { type: "string", format: "uri" },
      code: { type: "string", minLength: 2, maxLength: 4, pattern: "^[a-z]+$" },
      ratio: { type: "number", exclusiveMinimum: 0 },
      words: { type: "array", items: { type: "string" }, maxItems: 2, uniqueItems: true },
      hours: { type: "object", required: ["from"], properties: { from: { type: "integer", minimum: 0 }, until: { type: "integer", default: 7 } } },
    },
  });
  const errorsOf = (values: Parameters<typeof settingsOf>[1]) => {
    const parsed = settingsOf(RICH, values, {});
    return parsed.ok ? {} : parsed.errors;
  };

  it.each([
    ["email", "nobody", "This is not an e-mail address."],
    ["site", "example.com", "This is not an address; it begins with https:// or the like."],
    ["code", "a", "At least 2 characters."],
    ["code", "abcde", "At most 4 characters."],
    ["code", "A1", "This does not have the form it must have (^[a-z]+$)."],
    ["ratio", "0", "More than 0."],
  ])("says at %s what is wrong with %j", (name, value, message) => {
    expect(errorsOf({ [name]: value })).toEqual({ [name]: message });
  });

  it("says at the row of a list what is wrong with it", () => {
    expect(errorsOf({ words: ["a", ""] })).toEqual({ "words/1": "This is empty; fill it in or take it out." });
    expect(errorsOf({ words: ["a", "b", "c"] })).toEqual({ words: "At most 2." });
    expect(errorsOf({ words: ["a", "a"] })).toEqual({ words: "The same thing stands here twice." });
  });

  it("leaves out a group that nobody touched, and names the field inside one that somebody did", () => {
    const untouched = valuesOf(RICH, {});
    expect(settingsOf(RICH, untouched, {})).toEqual({ ok: true, settings: { mode: "live" } });
    expect(errorsOf({ ...untouched, hours: { from: "", until: "9" } })).toEqual({ "hours/from": "This is needed." });
    expect(settingsOf(RICH, { ...untouched, hours: { from: "1", until: "9" } }, {})).toEqual({ ok: true, settings: { mode: "live", hours: { from: 1, until: 9 } } });
  });

  it("gives back what was chosen as it is in the schema, not as text", () => {
    const values = valuesOf(RICH, { level: 2 });
    expect(values.level).toBe("1");
    expect(settingsOf(RICH, values, {})).toMatchObject({ settings: { level: 2 } });
  });

  it("finds the field that an error of the engine means", () => {
    expect(fieldOfError(RICH, { field: "email" }, "")).toBe("email");
    expect(fieldOfError(RICH, { field: "hours/from" }, "")).toBe("hours/from");
    expect(fieldOfError(RICH, { field: "words/1" }, "")).toBe("words/1");
    expect(fieldOfError(RICH, { field: "hours/else" }, "")).toBe("hours");
    expect(fieldOfError(RICH, { field: "settings" }, '“settings”: "email" is a required property')).toBe("email");
    expect(fieldOfError(RICH, { field: "settings" }, "")).toBeNull();
    expect(fieldOfError(RICH, undefined, "")).toBeNull();
    expect(fieldOfError(RICH, undefined, "params.hours.from: is no time")).toBe("hours/from");
    expect(fieldOfError(RICH, undefined, 'params: "email" is a required property')).toBe("email");
    expect(fieldOfError(RICH, undefined, "content.email: is no address")).toBe("email");
  });
});
