import { describe, expect, it } from "vitest";
import { type Command, commandOf, fitting, typedName } from "./commands";

const command = (name: string): Command => ({ name, description: "", plugin: "x", run: async () => "" });
const COMMANDS = ["standup", "standup-skip", "echo", "restand"].map(command);

describe("what is typed after a slash", () => {
  it("is a name only while it can become one", () => {
    expect(["/", "/sta", "/Sta", "/standup ", "hi /sta", "/a/b", "//"].map(typedName)).toEqual(["", "sta", "sta", null, null, null, null]);
  });

  it("offers those that begin so before those that only have it", () => {
    expect(fitting(COMMANDS, "stand").map(({ name }) => name)).toEqual(["standup", "standup-skip", "restand"]);
    expect(fitting(COMMANDS, "zzz")).toEqual([]);
  });

  it("is a command with its arguments, over several lines too", () => {
    expect(commandOf(COMMANDS, "/echo a\nb")).toMatchObject({ command: { name: "echo" }, args: "a\nb" });
    expect(commandOf(COMMANDS, " /Standup ")).toMatchObject({ command: { name: "standup" }, args: "" });
  });

  it("is only text where no command has that name", () => {
    for (const text of ['/tool echo {"text":"hi"}', "/nothing", "/", "see /echo", "/usr/bin/echo"]) expect(commandOf(COMMANDS, text)).toBeNull();
  });
});
