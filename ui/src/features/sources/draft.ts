/** What the forms for a source by files hold, and the way from `config.json` to it and back. */
import type { WireError } from "@/generated/protocol";
import { errorAtField, fieldOf, sentence } from "@/lib/sentence";
import { isRecord } from "./schema";
import { joinWords, splitWords } from "./words";

export type FileKind = "mcp" | "api" | "local";
export type Transport = "stdio" | "http" | "sse";
export type McpAuth = "none" | "bearer" | "oauth";
export type ApiAuth = "none" | "bearer" | "header" | "query" | "basic";

export interface Draft {
  kind: FileKind;
  name: string;
  icon: string;
  /** What the agent should know; only for a new source. */
  guide: string;
  transport: Transport;
  command: string;
  /** `NAME=value`, one a line. */
  env: string;
  url: string;
  mcpAuth: McpAuth;
  baseUrl: string;
  apiAuth: ApiAuth;
  /** Provider whose account it works with instead of a key, as the earlier app set it up; empty where there is none. */
  account: string;
  headerName: string;
  queryParam: string;
  testMethod: "GET" | "POST";
  testPath: string;
  path: string;
  format: "folder" | "obsidian";
}

export type DraftKey = keyof Draft;
export type DraftErrors = Partial<Record<DraftKey, string>>;

const EMPTY: Draft = {
  kind: "mcp", name: "", icon: "", guide: "", transport: "stdio", command: "", env: "", url: "", mcpAuth: "oauth",
  baseUrl: "", apiAuth: "none", account: "", headerName: "x-api-key", queryParam: "api_key", testMethod: "GET", testPath: "", path: "", format: "folder",
};

export const newDraft = (kind: FileKind): Draft => ({ ...EMPTY, kind });

const text = (value: unknown): string => (typeof value === "string" ? value : "");
const oneOf = <T extends string>(value: unknown, known: readonly T[], fallback: T): T => known.find((each) => each === value) ?? fallback;
const part = (config: Record<string, unknown>, name: string): Record<string, unknown> => (isRecord(config[name]) ? config[name] : {});

export function draftOf(kind: FileKind, config: unknown): Draft {
  const whole = isRecord(config) ? config : {};
  const mcp = part(whole, "mcp");
  const api = part(whole, "api");
  const local = part(whole, "local");
  const test = part(api, "testEndpoint");
  const env = isRecord(mcp.env) ? Object.entries(mcp.env).map(([name, value]) => `${name}=${text(value)}`) : [];
  return {
    ...newDraft(kind),
    name: text(whole.name),
    icon: text(whole.icon),
    transport: oneOf(mcp.transport, ["stdio", "http", "sse"], typeof mcp.command === "string" ? "stdio" : "http"),
    command: joinWords([text(mcp.command), ...(Array.isArray(mcp.args) ? mcp.args.map(text) : [])].filter((word, i) => i > 0 || word !== "")),
    env: env.join("\n"),
    url: text(mcp.url),
    // A server that says nothing is asked whether it wants a sign-in.
    mcpAuth: oneOf(mcp.authType, ["none", "bearer", "oauth"], "oauth"),
    baseUrl: text(api.baseUrl),
    apiAuth: oneOf(api.authType, ["none", "bearer", "header", "query", "basic"], "none"),
    account: ["googleService", "slackService", "microsoftService"].some((key) => key in api) ? text(whole.provider) : "",
    headerName: text(api.headerName) || EMPTY.headerName,
    queryParam: text(api.queryParam) || EMPTY.queryParam,
    testMethod: oneOf(test.method, ["GET", "POST"], "GET"),
    testPath: text(test.path),
    path: text(local.path),
    format: local.format === "obsidian" ? "obsidian" : "folder",
  };
}

/** The configuration; what the form does not know of `before` stays as it is. */
export function configOf(draft: Draft, before: unknown = {}): Record<string, unknown> {
  const whole = isRecord(before) ? before : {};
  const own = { ...part(whole, draft.kind), ...partOf(draft, part(whole, draft.kind)) };
  const kept = Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined));
  const { icon: _, ...rest } = whole;
  return { ...rest, name: draft.name.trim(), type: draft.kind, provider: whole.provider ?? providerOf(draft), ...(draft.icon.trim() === "" ? {} : { icon: draft.icon.trim() }), [draft.kind]: kept };
}

/** Which service it belongs to, in a word, as `config.json` wants one. */
function providerOf(draft: Draft): string {
  if (draft.kind === "local") return draft.format === "obsidian" ? "obsidian" : "folder";
  return draft.name.trim().toLowerCase().replaceAll(/[^a-z0-9]+/g, "-").replaceAll(/^-|-$/g, "") || "custom";
}

function partOf(draft: Draft, before: Record<string, unknown>): Record<string, unknown> {
  switch (draft.kind) {
    case "mcp": {
      if (draft.transport !== "stdio") return { transport: draft.transport, url: draft.url.trim(), authType: draft.mcpAuth, command: undefined, args: undefined, env: undefined };
      const [command = "", ...args] = splitWords(draft.command);
      const env = Object.fromEntries(envLines(draft.env).map((line) => [line.slice(0, line.indexOf("=")).trim(), line.slice(line.indexOf("=") + 1)]));
      return { transport: "stdio", command, args, env, authType: "none", url: undefined };
    }
    case "api": {
      const path = draft.testPath.trim();
      const test = { ...part(before, "testEndpoint"), method: draft.testMethod, path };
      return {
        baseUrl: draft.baseUrl.trim(),
        authType: draft.account === "" ? draft.apiAuth : before.authType,
        headerName: draft.apiAuth === "header" ? draft.headerName.trim() : undefined,
        queryParam: draft.apiAuth === "query" ? draft.queryParam.trim() : undefined,
        testEndpoint: path === "" ? undefined : test,
      };
    }
    case "local":
      return { path: draft.path.trim(), format: draft.format === "obsidian" ? "obsidian" : before.format === "obsidian" ? undefined : before.format };
  }
}

const envLines = (env: string): string[] => env.split("\n").filter((line) => line.trim() !== "");

/** What the window sees by itself; the engine says the rest. */
export function problemsOf(draft: Draft): DraftErrors {
  const errors: DraftErrors = {};
  if (draft.name.trim() === "") errors.name = "It needs a name.";
  if (draft.kind === "mcp" && draft.transport === "stdio") {
    if (splitWords(draft.command).length === 0) errors.command = "What is to be started?";
    const wrong = envLines(draft.env).find((line) => !/^\s*[A-Za-z_][A-Za-z0-9_]*\s*=/.test(line));
    if (wrong !== undefined) errors.env = `“${wrong}” is not of the form NAME=value.`;
  }
  if (draft.kind === "mcp" && draft.transport !== "stdio") errors.url = addressProblem(draft.url);
  if (draft.kind === "api") {
    errors.baseUrl = addressProblem(draft.baseUrl);
    if (draft.apiAuth === "header" && !/^[A-Za-z0-9-]+$/.test(draft.headerName.trim())) errors.headerName = "A header's name has letters, digits and hyphens only.";
    if (draft.apiAuth === "query" && draft.queryParam.trim() === "") errors.queryParam = "Which parameter carries the key?";
  }
  if (draft.kind === "local" && !/^([/~]|[A-Za-z]:[\\/])/.test(draft.path.trim())) errors.path = "A whole path, from / or ~.";
  return Object.fromEntries(Object.entries(errors).filter(([, error]) => error !== undefined));
}

function addressProblem(address: string): string | undefined {
  const given = address.trim();
  if (given === "") return "Where is it?";
  return URL.canParse(given) && /^https?:/i.test(given) ? undefined : "This is not an address; it begins with https:// or http://.";
}

/** Every field an error is about: by its details, else as the engine writes it, `config.json: mcp.url is missing`. */
export function errorsOf(wire: WireError): DraftErrors {
  const key = keyOfField(fieldOf(wire));
  if (key !== null) return { [key]: errorAtField(wire) };
  const found = [...wire.message.matchAll(/config\.json: ([\w.[\]]+) ([^;\n]+)/g)].flatMap(([, field = "", what = ""]) => {
    const at = keyOfField(field);
    return at === null ? [] : [[at, sentence(`it ${what}`)] as const];
  });
  return Object.fromEntries(found);
}

/** A field of `config.json` as the engine names it (`mcp.url`, `config/api/baseUrl`), as the form has it. */
export function keyOfField(field: string): DraftKey | null {
  const path = field.replaceAll("/", ".").replace(/^config\./, "");
  const KEYS: Record<string, DraftKey> = {
    name: "name", slug: "name", icon: "icon", guide: "guide",
    "mcp.transport": "transport", "mcp.command": "command", "mcp.args": "command", "mcp.env": "env", "mcp.url": "url", "mcp.authType": "mcpAuth",
    "api.baseUrl": "baseUrl", "api.authType": "apiAuth", "api.headerName": "headerName", "api.queryParam": "queryParam", "api.testEndpoint": "testPath", "api.testEndpoint.path": "testPath", "api.testEndpoint.method": "testPath",
    "local.path": "path", "local.format": "format",
  };
  // The nearest one above that the form has: `mcp.env.PGHOST` belongs to the environment.
  const parts = path.split(/[.[]/);
  for (let n = parts.length; n > 0; n -= 1) {
    const key = KEYS[parts.slice(0, n).join(".")];
    if (key !== undefined) return key;
  }
  return null;
}
