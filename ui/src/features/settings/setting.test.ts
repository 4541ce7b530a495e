import { describe, expect, it } from "vitest";
import type { SettingRule } from "@/generated/protocol";
import { defaultWords, draftOf, isDefault, valueOf } from "./setting";

const rule = (kind: SettingRule["kind"], fallback: SettingRule["default"] = null): SettingRule => ({ kind, default: fallback, doc: "", restart: false });
const NUMBER = rule({ kind: "number", min: 1, max: 9 }, 4);
const LIST = rule({ kind: "list", most: 3 }, []);

describe("what was typed into a setting", () => {
  it("becomes a value of its kind; a number that is none goes to the engine as it is", () => {
    expect(["7", " 7 ", "-7", "7.5", "seven", "7e2"].map((text) => valueOf(NUMBER, text))).toEqual([7, 7, -7, "7.5", "seven", "7e2"]);
    expect(valueOf(rule({ kind: "text", most: 9 }), " 7 ")).toBe("7");
  });

  it("takes the setting away where it is nothing", () => {
    expect([NUMBER, LIST, rule({ kind: "text", most: 9 })].map((each) => valueOf(each, " \n "))).toEqual([null, null, null]);
  });

  it("is a list by lines, without empty ones, and reads back as it was typed", () => {
    const value = valueOf(LIST, "a.example\n\n  b.example \n");
    expect(value).toEqual(["a.example", "b.example"]);
    expect(draftOf({ path: "x", value, from: "" })).toBe("a.example\nb.example");
  });
});

describe("a default", () => {
  it("is told in words, and known when it is in force", () => {
    expect([NUMBER, LIST, rule({ kind: "bool" }, true), rule({ kind: "bool" }, false), rule({ kind: "text", most: 9 })].map(defaultWords)).toEqual(["4", "nothing", "on", "off", "nothing"]);
    expect(isDefault({ path: "x", value: [], from: "settings.json", rule: LIST })).toBe(true);
    expect(isDefault({ path: "x", value: ["a"], from: "settings.json", rule: LIST })).toBe(false);
  });
});
