import { load } from "@kata-agents/plugin-sdk/testing";
import { expect, test } from "vitest";
import manifest from "../kata-plugin.json" with { type: "json" };
import echo from "../index.ts";
import cases from "./contract.ts";

test("what the module registers is what the manifest declares", async () => {
  const { tools, hooks, commands, channels, services, routes } = await load(echo);
  expect(tools.map((t) => t.name)).toEqual(manifest.contributes.tools);
  expect(hooks.map((h) => h.event)).toEqual(manifest.contributes.hooks);
  expect(commands.map((c) => c.name)).toEqual(manifest.contributes.commands);
  expect([channels, services, routes]).toEqual([[], [], []]);
});

test("the tool is read-only", async () => {
  expect((await load(echo)).tool("echo").readOnly).toBe(true);
});

for (const one of cases) test(one.name, one.run);
