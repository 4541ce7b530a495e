import type { HookHandler, KataPluginApi, PluginContext, Tool } from "@kata-agents/plugin-sdk";
import { expect, test } from "vitest";
import manifest from "../kata-plugin.json" with { type: "json" };
import echo from "../index.ts";

function load() {
  const tools: Tool<never>[] = [];
  const hooks: { event: string; handler: HookHandler<"message_received"> }[] = [];
  const commands: string[] = [];
  const api: KataPluginApi = {
    registerTool: (tool) => void tools.push(tool as Tool<never>),
    registerHook: (event, handler) => void hooks.push({ event, handler: handler as unknown as HookHandler<"message_received"> }),
    registerChannel: () => expect.fail("echo has no channel"),
    registerService: () => expect.fail("echo has no service"),
    registerCommand: (command) => void commands.push(command.name),
  };
  if (typeof echo !== "function") throw new Error("the default export is the register function");
  void echo(api);
  return { tools, hooks, commands };
}

test("what the module registers is what the manifest declares", () => {
  const { tools, hooks, commands } = load();
  expect(tools.map((t) => t.name)).toEqual(manifest.contributes.tools);
  expect(hooks.map((h) => h.event)).toEqual(manifest.contributes.hooks);
  expect(commands).toEqual(manifest.contributes.commands);
});

test("the tool gives its text back and is read-only", async () => {
  const tool = load().tools[0] as unknown as Tool<{ text: string }>;
  expect(tool.readOnly).toBe(true);
  expect(await tool.execute({ text: "hällo" }, {} as PluginContext)).toBe("hällo");
});

test("the hook logs the length, not the text, and changes nothing", async () => {
  const lines: string[] = [];
  const logger = { error: () => {}, warn: () => {}, info: (line: string) => void lines.push(line), debug: () => {} };
  const hook = load().hooks[0];
  const event = { session: "260201-swift-river", text: "secret words", sender: null, channel: null };
  expect(await hook?.handler(event, { logger } as unknown as PluginContext)).toBeUndefined();
  expect(lines).toEqual(["a message of 12 UTF-16 units goes to 260201-swift-river"]);
});
