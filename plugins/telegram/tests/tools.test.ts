import { load, toolContract } from "@kata-agents/plugin-sdk/testing";
import { FakeHost } from "@kata-agents/plugin-sdk/testing";
import { expect, test } from "vitest";
import telegram from "../index.ts";

const tool = async (name: string) => {
  const found = (await load(telegram)).tools.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no tool ${name}`);
  return found;
};

for (const one of toolContract("list_telegram_conversations", () => tool("list_telegram_conversations"), { examples: [{ args: {}, gives: /No chat is known/ }] })) {
  test(one.name, one.run);
}

test("a message of the agent's own goes to a known chat, by name, and to no other", async () => {
  const host = new FakeHost();
  host.conversations = [{ account: "42", id: "-5", name: "Team", chatType: "group" }];
  const send = await tool("send_telegram_message");
  expect(await send.execute({ to: "Team", text: "hi", thread: "3" }, host.context())).toBe("The message to Team is on its way.");
  expect(host.directed).toEqual([{ channel: "telegram", to: "Team", text: "hi", thread: "3" }]);
  await expect(Promise.resolve(send.execute({ to: "Nobody", text: "hi" }, host.context()))).rejects.toThrow("not known");
  expect(await (await tool("list_telegram_conversations")).execute({}, host.context())).toBe("Team (group, id -5)");
});
