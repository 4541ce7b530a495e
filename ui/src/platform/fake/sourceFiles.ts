/** Sources that are set up by files: their documents, adding and taking away, and asking the other side. */
import type { SourceDocument, SourceSummary } from "@/generated/protocol";
import { OperationError, type Params } from "../types";
import { source, status } from "./sources";
import type { World } from "./world";

type Fields = Record<string, unknown>;
const isRecord = (value: unknown): value is Fields => typeof value === "object" && value !== null && !Array.isArray(value);
const partOf = (config: Fields, type: string): Fields => (isRecord(config[type]) ? config[type] : {});

const CONFIGS: Record<string, Fields> = {
  "mcp:acme:linear": { name: "Linear", type: "mcp", provider: "linear", mcp: { transport: "http", url: "https://mcp.linear.app/mcp", authType: "oauth" } },
  "mcp:acme:postgres": { name: "Postgres (read only)", type: "mcp", provider: "postgres", mcp: { transport: "stdio", command: "npx", args: ["-y", "@acme/postgres-mcp", "--read-only"], env: { PGHOST: "db.staging.acme.example" }, authType: "none" } },
  "api:acme:statuspage": { name: "Status page", type: "api", provider: "statuspage", api: { baseUrl: "https://status.acme.example/api/", authType: "none", testEndpoint: { method: "GET", path: "status" } } },
  "api:acme:crm": { name: "Customer database", type: "api", provider: "crm", api: { baseUrl: "https://crm.acme.example/v2/", authType: "header", headerName: "x-api-key", testEndpoint: { method: "GET", path: "me" } } },
  "local:acme:handbook": { name: "Handbook", type: "local", provider: "obsidian", local: { path: "~/acme/handbook", format: "obsidian" } },
  "local:acme:archive": { name: "Old tickets", type: "local", provider: "folder", local: { path: "/mnt/archive/tickets" } },
};

const GUIDE = "# Linear\n\n## Guidelines\n\nAsk for one team at a time. Titles are short; what happened goes into the description.\n";

export function documentOf(world: World, id: string): SourceDocument {
  const row = world.source(id);
  const known = world.documents.get(id);
  if (known !== undefined) return known;
  const slug = id.split(":").at(-1) ?? id;
  if (row.kind === "channel" || row.kind === "service") throw new OperationError({ code: "conflict", message: `${row.name} comes from a plugin and has no files here.` });
  const linear = id === "mcp:acme:linear";
  return {
    path: `~/.kata-agents/workspaces/acme/sources/${slug}`,
    config: CONFIGS[id] ?? { name: row.name, type: row.kind },
    guide: linear ? GUIDE : null,
    permissions: linear ? { allowedMcpPatterns: [{ pattern: "list", comment: "reads" }] } : null,
    errors: id === "local:acme:archive" ? ["permissions.json: line 3: “allowedBashPattern” is no field; did you mean allowedBashPatterns?"] : [],
  };
}

const wrong = (field: string, message: string) => new OperationError({ code: "invalid", message: `“${field}”: ${message}`, details: { field } });

function check(config: unknown): Fields {
  if (!isRecord(config)) throw wrong("config", "must be an object.");
  if (typeof config.name !== "string" || config.name === "") throw wrong("name", "is needed.");
  if (config.type === "mcp") {
    const mcp = partOf(config, "mcp");
    if (mcp.transport === "stdio") {
      if (mcp.command === "") throw wrong("mcp.command", "is needed.");
      if (mcp.command === "no-such-program") throw wrong("mcp.command", "there is no program “no-such-program” in the path.");
    } else if (!URL.canParse(String(mcp.url))) throw wrong("mcp.url", "is no address.");
  }
  if (config.type === "api" && !URL.canParse(String(partOf(config, "api").baseUrl))) throw wrong("api.baseUrl", "is no address.");
  if (config.type === "local" && String(partOf(config, "local").path).includes("nowhere")) throw wrong("local.path", "there is no such folder.");
  return config;
}

export function addSource(world: World, { workspace, config, guide }: Params<"source.add">): SourceSummary {
  const fields = check(config);
  const name = String(fields.name);
  const kind = fields.type as "mcp" | "api" | "local";
  const slug = name.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-").replaceAll(/^-|-$/g, "");
  const home = workspace ?? "acme";
  const id = `${kind}:${home}:${slug}`;
  if (world.sources.some((row) => row.id === id)) throw wrong("name", `there is a source “${slug}” already.`);
  const part = partOf(fields, kind);
  const row = source({ id, kind, name, workspace: home, tagline: String(part.url ?? part.baseUrl ?? part.path ?? part.command ?? ""), icon: typeof fields.icon === "string" ? fields.icon : null, status: status({ kind: "starting" }, "Tried for the first time.", Date.now()) });
  world.sources = [...world.sources, row];
  world.documents.set(id, { path: `~/.kata-agents/workspaces/${home}/sources/${slug}`, config: fields, guide: guide ?? null, permissions: null, errors: [] });
  const secret = part.authType === "bearer" ? "token" : part.authType === "header" || part.authType === "query" ? "apiKey" : part.authType === "basic" ? "password" : null;
  if (secret !== null) {
    world.secrets.set(id, [{ name: secret, set: false }]);
    return world.changeSource(id, { status: status({ kind: "needs_user", action: { kind: "configure", field: secret } }, "The key is missing.", Date.now(), "missing_secret") });
  }
  // Such a server says that it wants a sign-in when it is asked.
  if (part.authType === "oauth" && String(part.url).includes("login")) return world.changeSource(id, { status: status({ kind: "needs_user", action: { kind: "relogin" } }, `“${name}” has to be signed in.`, Date.now(), "needs_auth") });
  return world.bringUp(id);
}

export function writeDocument(world: World, { id, config, guide, permissions }: Params<"source.write">): SourceDocument {
  const before = documentOf(world, id);
  if (config != null) check(config);
  if (isRecord(permissions) && Object.keys(permissions).some((key) => !/^(allowed|blocked)/.test(key))) throw wrong("permissions", `${Object.keys(permissions)[0] ?? ""} is no field.`);
  const after = { ...before, ...(config == null ? {} : { config }), ...(guide == null ? {} : { guide: guide === "" ? null : guide }), ...(permissions === undefined ? {} : { permissions, errors: [] }) };
  world.documents.set(id, after);
  const name = isRecord(after.config) && typeof after.config.name === "string" ? after.config.name : world.source(id).name;
  world.changeSource(id, { name });
  return after;
}
