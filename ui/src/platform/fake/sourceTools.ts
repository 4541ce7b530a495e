/** Tools that the fake's sources bring, and what comes of trying one. */
import type { SourceSummary, SourceTool, ToolTried } from "@/generated/protocol";
import { OperationError } from "../types";
import type { World } from "./world";

type Properties = Record<string, object>;

const tool = (name: string, description: string, judged: "allow" | "ask" | "deny", properties: Properties = {}, required: string[] = []): SourceTool => ({
  info: { name, description, parameters: { type: "object", properties, required }, readOnly: judged === "allow", plugin: null },
  judged,
});

const TEXT = (title: string, description?: string) => ({ type: "string", title, ...(description === undefined ? {} : { description }) });

const MAIL: SourceTool[] = [
  tool("search_emails", "Finds mail by Gmail's own search words, newest first.", "allow", { query: TEXT("Search words", "As in Gmail's search field."), limit: { type: "integer", title: "At most", minimum: 1, maximum: 100, default: 20 } }, ["query"]),
  tool("read_email", "Reads one mail with its attachments' names.", "allow", { id: TEXT("Mail") }, ["id"]),
  tool("send_email", "Sends a mail.", "ask", { to: { type: "array", title: "To", items: { type: "string", format: "email" }, minItems: 1 }, subject: TEXT("Subject"), body: TEXT("Text") }, ["to", "subject", "body"]),
  tool("modify_labels", "Puts labels on a mail and takes others off.", "ask", { id: TEXT("Mail"), add: { type: "array", title: "Put on", items: { type: "string" } } }, ["id"]),
];

const LINEAR: SourceTool[] = [
  tool("mcp__linear__issue_list", "Lists issues of a team.", "allow", { team: TEXT("Team"), state: { type: "string", title: "State", enum: ["open", "closed"], default: "open" }, archived: { type: "boolean", title: "With archived ones", default: false } }, ["team"]),
  tool("mcp__linear__issue_create", "Makes an issue.", "ask", { title: TEXT("Title"), team: TEXT("Team"), labels: { type: "array", title: "Labels", items: { type: "string" } } }, ["title", "team"]),
  tool("mcp__linear__issue_delete", "Deletes an issue for good.", "deny", { id: TEXT("Issue") }, ["id"]),
  tool("mcp__linear__project_list", "Lists projects.", "allow"),
];

const TOOLS: Record<string, SourceTool[]> = {
  "channel:telegram": [tool("telegram_send", "Sends a message.", "ask", { text: TEXT("Text") }, ["text"]), tool("telegram_react", "Reacts to a message.", "allow", { emoji: TEXT("Emoji") }, ["emoji"])],
  "service:gmail": MAIL,
  "service:running": MAIL,
  "mcp:acme:linear": LINEAR,
  "api:acme:statuspage": [tool("mcp__statuspage__api_statuspage", "Asks the status page's API.", "ask", { method: { type: "string", title: "Method", enum: ["GET", "POST"], default: "GET" }, path: TEXT("Path"), params: { type: "object", title: "Parameters" } }, ["path"])],
  "local:acme:handbook": [tool("mcp__handbook__search", "Finds notes with these words.", "allow", { words: TEXT("Words") }, ["words"]), tool("mcp__handbook__read", "Reads a note.", "allow", { path: TEXT("Note") }, ["path"])],
};

const LIVE = new Set(["running", "degraded"]);

/** A source has tools while it runs. */
export const toolsOf = (row: SourceSummary): SourceTool[] => (LIVE.has(row.status.state.kind) ? (TOOLS[row.id] ?? []).map(({ info, judged }) => ({ info: { ...info, plugin: row.plugin, source: row.id }, judged })) : []);

export function tryTool(world: World, name: string, params: unknown): ToolTried {
  const found = world.sources.flatMap(toolsOf).find(({ info }) => info.name === name);
  if (found === undefined) throw new OperationError({ code: "not_found", message: `There is no tool ${name}.`, hint: "Its source may have stopped." });
  if (found.judged === "deny") throw new OperationError({ code: "forbidden", message: `A rule of this workspace refuses ${name}.`, hint: "Settings › Permissions says which rule." });
  const given = params as Record<string, unknown>;
  const { required } = found.info.parameters as { required: string[] };
  const missing = required.find((field) => given[field] === undefined || given[field] === "");
  if (missing !== undefined) throw new OperationError({ code: "invalid", message: `“${missing}”: is needed.`, details: { field: missing } });
  world.tried.push({ name, params });
  if (JSON.stringify(params).includes("nowhere")) return { ok: false, text: "The other side answers 404: there is nothing by that name.", tookMs: 212 };
  return { ok: true, text: JSON.stringify({ tool: name, asked: params, found: [{ id: "ENG-412", title: "Export hangs at 92 %" }, { id: "ENG-398", title: "Sign-in loops after a change of password" }] }, null, 2), tookMs: 184 };
}
