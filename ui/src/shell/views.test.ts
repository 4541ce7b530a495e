import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { patiently } from "./views";

describe("a part of the window that does not come", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("is asked for again until the engine is back", async () => {
    let calls = 0;
    const load = async () => {
      calls += 1;
      if (calls < 4) throw new TypeError("Failed to fetch");
      return "view";
    };
    const loaded = patiently(load);
    await vi.advanceTimersByTimeAsync(6_000);
    await expect(loaded).resolves.toBe("view");
    expect(calls).toBe(4);
  });

  it("is given up after a while, with the reason", async () => {
    const loaded = patiently(async () => Promise.reject(new TypeError("Failed to fetch")), 3);
    const outcome = expect(loaded).rejects.toThrow("Failed to fetch");
    await vi.advanceTimersByTimeAsync(10_000);
    await outcome;
  });
});
