import { describe, expect, it } from "vitest";
import type { RunState, Status } from "@/generated/protocol";
import { mendOf, statusWords } from "./status";

const NOW = 1_000_000;
const words = (state: RunState, message = "") => statusWords({ state, code: "", message, since: 0 } satisfies Status, NOW);

describe("a state in words", () => {
  const rows: [RunState, string, string][] = [
    [{ kind: "stopped" }, "idle", "Off"],
    [{ kind: "starting" }, "busy", "Starting"],
    [{ kind: "connecting" }, "busy", "Connecting"],
    [{ kind: "running" }, "good", "Running"],
    [{ kind: "degraded" }, "warn", "Running, with a problem"],
    [{ kind: "backoff", attempt: 2, until: NOW + 42_000 }, "warn", "Tries again in 42 s"],
    [{ kind: "backoff", attempt: 2, until: NOW - 1 }, "warn", "Trying again"],
    [{ kind: "needs_user", action: { kind: "relogin" } }, "warn", "Needs signing in"],
    [{ kind: "failed", recoverable: false }, "bad", "Failed"],
    [{ kind: "quarantined", until: NOW + 480_000 }, "bad", "Held back for 8 min"],
    [{ kind: "stopping" }, "busy", "Stopping"],
  ];
  it.each(rows)("%j is %s: %s", (state, tone, label) => {
    expect(words(state)).toMatchObject({ tone, label });
  });

  it("says of one that starts when it is used that it is asleep, not off", () => {
    expect(statusWords({ state: { kind: "stopped" }, code: "sleeping", message: "Starts when it is used.", since: 0 }, NOW)).toEqual({ tone: "idle", label: "Asleep", sentence: "Starts when it is used." });
  });

  it("carries the engine's own sentence", () => {
    expect(words({ kind: "running" }, "Connected.").sentence).toBe("Connected.");
    expect(words({ kind: "running" }, "nobody is signed in at google").sentence).toBe("Nobody is signed in at google.");
  });
});

describe("what mends a state", () => {
  it("names the thing it mends", () => {
    expect(mendOf({ kind: "needs_user", action: { kind: "relogin" } }, "Google")?.label).toBe("Reconnect Google");
    expect(mendOf({ kind: "needs_user", action: { kind: "configure", field: "botToken" } }, "Telegram")?.label).toBe("Fill in bot token");
  });

  it("offers a restart only where a restart can help", () => {
    expect(mendOf({ kind: "failed", recoverable: true }, "X")).toEqual({ kind: "restart", label: "Restart X" });
    expect(mendOf({ kind: "failed", recoverable: false }, "X")).toEqual({ kind: "log", label: "See the log" });
    expect(mendOf({ kind: "running" }, "X")).toBeNull();
  });
});
