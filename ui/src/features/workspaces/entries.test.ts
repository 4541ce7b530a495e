import { describe, expect, it } from "vitest";
import type { WorkspaceSettings } from "@/generated/protocol";
import { deepestAt, freeId, type LabelEntry, labelsJson, labelsOf, moved, settled } from "./entries";

const label = (id: string, depth: number): LabelEntry => ({ id, name: id, color: null, valueType: null, depth });
const settings = (labels: unknown) => ({ labels }) as WorkspaceSettings;

describe("labels as a list to edit", () => {
  it("become the same tree again", () => {
    const list = [label("dev", 0), label("bug", 1), label("ui", 2), label("infra", 1), label("late", 0)];
    expect(labelsOf(settings(labelsJson(list)))).toEqual(list);
  });

  it("never stand deeper than one step below the one before", () => {
    const list = [label("a", 0), label("b", 1), label("c", 2)];
    expect(settled(moved(list, 0, 1)).map(({ id, depth }) => [id, depth])).toEqual([["b", 0], ["a", 0], ["c", 1]]);
    expect(deepestAt(list, 0)).toBe(0);
    expect(deepestAt(list, 2)).toBe(2);
    expect(deepestAt(Array.from({ length: 9 }, (_, i) => label(`l${i}`, i)), 8)).toBe(4);
  });
});

describe("an id made from a name", () => {
  it("is one nobody has, and there is one for every name", () => {
    expect(freeId("Needs review!", [])).toBe("needs-review");
    expect(freeId("Needs review", ["needs-review", "needs-review-2"])).toBe("needs-review-3");
    expect(freeId("日本", ["new"])).toBe("new-2");
  });
});
