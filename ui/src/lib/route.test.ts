import { describe, expect, it } from "vitest";
import { HOME, hashOf, parseRoute, type Route } from "./route";

describe("the address of a view", () => {
  const routes: Route[] = [
    HOME,
    { view: "sessions", filter: { by: "label", id: "a/b c" }, session: "261122-x" },
    { view: "sessions", filter: { by: "channels" }, session: null },
    { view: "sessions", filter: { by: "archived" }, session: "261122-x", message: "msg-7" },
    { view: "sessions", filter: { by: "status", id: "todo" }, session: "261122-x", message: "a/b" },
    { view: "waiting" },
    { view: "routing", part: "people" },
    { view: "hooks", event: "before_tool_call" },
    { view: "letters" },
    { view: "settings", section: "hygiene" },
    { view: "sources", source: "mcp:my-workspace:linear" },
    { view: "plugins", plugin: "echo" },
    { view: "traces", session: "261122-x", trace: null },
    { view: "traces", session: null, trace: "t-1" },
    { view: "settings", section: "gateway" },
  ];
  it.each(routes)("comes back as it went: %j", (route) => {
    expect(parseRoute(hashOf(route))).toEqual(route);
  });

  it("falls back to the sessions on nonsense", () => {
    for (const hash of ["", "#/nowhere", "#/sessions/%E0%A4%A", "#/settings/none"]) expect(parseRoute(hash).view).toMatch(/sessions|settings/);
  });
});
