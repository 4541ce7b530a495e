import { expect, it } from "vitest";
import { source, status } from "@/platform/fake/sources";
import { countShows, matches } from "./filter";

const rows = [
  source({ id: "mcp:a:asleep", kind: "mcp", name: "Files", status: status({ kind: "stopped" }, "Starts when it is used.", 0, "sleeping") }),
  source({ id: "mcp:a:off", kind: "mcp", name: "Off", enabled: false, status: status({ kind: "stopped" }, "Switched off.", 0) }),
  source({ id: "mcp:a:backoff", kind: "mcp", name: "Away", status: status({ kind: "backoff", attempt: 1, until: 1 }, "", 0) }),
  source({ id: "mcp:a:degraded", kind: "mcp", name: "Half", plugin: "half-plugin", status: status({ kind: "degraded" }, "", 0) }),
  source({ id: "mcp:a:needs", kind: "mcp", name: "Needy", status: status({ kind: "needs_user", action: { kind: "relogin" } }, "", 0) }),
  source({ id: "mcp:a:failed", kind: "mcp", name: "Given up", status: status({ kind: "failed", recoverable: true }, "", 0) }),
];

it("a source stands in one group, and one that sleeps among those that run", () => {
  expect(countShows(rows)).toEqual({ all: 6, running: 2, off: 1, failing: 1, needs: 2 });
});

const found = (words: string) => rows.filter((row) => matches(row, "all", words)).map(({ name }) => name);

it("a source is found by its name, its plugin or its id", () => {
  expect([found("needy"), found("half-plugin"), found("mcp:a:off")]).toEqual([["Needy"], ["Half"], ["Off"]]);
});
