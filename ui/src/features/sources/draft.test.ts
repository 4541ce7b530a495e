import { describe, expect, it } from "vitest";
import { configOf, draftOf, errorsOf, keyOfField, newDraft, problemsOf } from "./draft";
import { joinWords, splitWords } from "./words";

describe("a command as one types it", () => {
  it.each([
    ["npx -y @acme/x ~/Notes", ["npx", "-y", "@acme/x", "~/Notes"]],
    ['run "two words" \'and more\'', ["run", "two words", "and more"]],
    ["a\\ b c", ["a b", "c"]],
    ['--name="Mara R" end', ["--name=Mara R", "end"]],
    ['open "never closed', ["open", '"never closed']],
    ["  ", []],
    ['x ""', ["x", ""]],
  ])("%j is %j", (line, words) => {
    expect(splitWords(line)).toEqual(words);
  });

  it("comes back as the same words", () => {
    for (const words of [["a", "b c", ""], ['say "hi"', "it's"], ["C:\\Program Files\\x.exe", "-y"]]) expect(splitWords(joinWords(words))).toEqual(words);
  });
});

describe("config.json", () => {
  it("comes out of the form as it went in", () => {
    const config = { id: "crm_1", slug: "crm", enabled: true, name: "CRM", type: "api", provider: "crm", icon: "🗃️", api: { baseUrl: "https://crm.example/", authType: "query", queryParam: "key", defaultHeaders: { a: "b" }, testEndpoint: { method: "POST", path: "ping", body: {} } } };
    expect(configOf(draftOf("api", config), config)).toEqual(config);
  });

  it("loses what belongs to another way of reaching the server", () => {
    const config = { name: "X", type: "mcp", provider: "x", mcp: { transport: "stdio", command: "npx", args: ["x"], env: {}, authType: "none" } };
    const draft = { ...draftOf("mcp", config), transport: "http" as const, url: "https://x.example/mcp", mcpAuth: "oauth" as const };
    expect(configOf(draft, config)).toMatchObject({ mcp: { transport: "http", url: "https://x.example/mcp", authType: "oauth" } });
    expect(JSON.stringify(configOf(draft, config))).not.toContain("npx");
  });

  it("keeps the account an API works with, and a folder's own format", () => {
    const gmail = { name: "Gmail", type: "api", provider: "google", api: { baseUrl: "https://gmail.googleapis.com/", authType: "bearer", googleService: "gmail" } };
    expect(draftOf("api", gmail).account).toBe("google");
    expect(configOf({ ...draftOf("api", gmail), name: "Mail" }, gmail)).toEqual({ ...gmail, name: "Mail" });
    const folder = { name: "F", type: "local", provider: "folder", local: { path: "~/F", format: "markdown" } };
    expect(configOf(draftOf("local", folder), folder)).toEqual(folder);
  });

  it("that does not say how a server is signed in lets it ask", () => {
    expect(draftOf("mcp", { name: "L", mcp: { url: "https://l.example" } }).mcpAuth).toBe("oauth");
  });

  it("of an old server without a transport is read as one at an address", () => {
    expect(draftOf("mcp", { name: "L", mcp: { url: "https://l.example" } })).toMatchObject({ transport: "http", url: "https://l.example" });
  });
});

describe("what is wrong", () => {
  it("is seen before it is sent", () => {
    expect(problemsOf({ ...newDraft("mcp"), name: "x", command: "y", env: "no equals sign" })).toHaveProperty("env");
    expect(problemsOf({ ...newDraft("api"), name: "x", baseUrl: "ftp://x.example" })).toHaveProperty("baseUrl");
    expect(problemsOf({ ...newDraft("api"), name: "x", baseUrl: "https://x.example", apiAuth: "header", headerName: "not good" })).toHaveProperty("headerName");
    expect(problemsOf({ ...newDraft("local"), name: "x", path: "C:\\Notes" })).toEqual({});
  });

  it("is put at every field the engine names, in details or in words", () => {
    expect(errorsOf({ code: "invalid", message: "config.json: mcp.url is missing; config.json: name is empty" })).toEqual({ url: "It is missing.", name: "It is empty." });
    expect(errorsOf({ code: "invalid", message: "“api.baseUrl”: is no address.", details: { field: "api.baseUrl" } })).toEqual({ baseUrl: "Is no address." });
    expect(errorsOf({ code: "internal", message: "the disk is full" })).toEqual({});
  });

  it.each([
    ["mcp.url", "url"],
    ["config/api/baseUrl", "baseUrl"],
    ["mcp.env.PGHOST", "env"],
    ["mcp.args[0]", "command"],
    ["workspace", null],
  ])("%s of the engine is %s of the form", (field, key) => {
    expect(keyOfField(field)).toBe(key);
  });
});
