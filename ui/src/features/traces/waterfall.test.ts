import { describe, expect, it } from "vitest";
import { TRACES, traceOf } from "@/platform/fake/rest";
import { bars, outcomeOf, patchLines } from "./waterfall";

describe("a waterfall", () => {
  it("keeps every bar visible and inside the frame, from microseconds to seconds", () => {
    for (const { left, width } of TRACES.flatMap((trace) => bars(trace).bars)) {
      expect(width).toBeGreaterThan(0.5);
      expect(left).toBeGreaterThanOrEqual(0);
      expect(left + width).toBeLessThanOrEqual(100.0001);
    }
  });

  it("names the worst that happened", () => {
    const trace = traceOf("t", "s", 0, "cli");
    expect(outcomeOf(trace)).toBe("changed");
    const [first, ...rest] = trace.steps;
    if (first === undefined) throw new Error("a trace has steps");
    expect(outcomeOf({ ...trace, steps: [{ ...first, outcome: "error" }, ...rest] })).toBe("error");
  });

  it("reads a patch and drops what is none", () => {
    expect(patchLines([{ op: "remove", path: "/a" }, null, { op: 1 }, "x"])).toEqual([{ op: "remove", path: "/a", value: undefined }]);
    expect(patchLines({ op: "remove" })).toEqual([]);
  });
});
