import { expect, it } from "vitest";
import { toolName } from "./tools";

it.each([
  ["mcp__linear__issue_create", "issue_create", "linear"],
  ["mcp__my-files__read__all", "read__all", "my-files"],
  ["mcp__broken", "mcp__broken", null],
  ["bash", "bash", null],
])("the tool %s reads as %s of %s", (name, tool, source) => {
  expect(toolName(name)).toEqual({ tool, source });
});
