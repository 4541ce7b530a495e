/** Every operation of the table, answered from memory. */
import type { OperationName, SessionSummary } from "@/generated/protocol";
import { OperationError, type Params, type Result } from "../types";
import { APPROVAL_OPERATIONS, withdraw } from "./approvals";
import { CHANNEL_OPERATIONS } from "./channels";
import { DEVICE_OPERATIONS } from "./devices";
import { ELICITATION_OPERATIONS } from "./elicitations";
import { OAUTH_OPERATIONS } from "./oauth";
import { OBSERVE_OPERATIONS } from "./observe";
import { PERMISSION_OPERATIONS } from "./permissions";
import { PLAN_OPERATIONS } from "./plans";
import { PLUGIN_OPERATIONS } from "./pluginOperations";
import { DETECTED, TOOLS } from "./rest";
import { ROUTE_OPERATIONS } from "./routing";
import { FIRST_OPERATIONS } from "./firstSteps";
import { ATTENTION_OPERATIONS } from "./attention";
import { LIFE } from "./life";
import { message } from "./sessions";
import { SETTING_OPERATIONS } from "./settings";
import { detailOf } from "./sourceDetail";
import { SOURCE_OPERATIONS } from "./sourceOperations";
import { status } from "./sources";
import { playTurn } from "./turn";
import { UPDATE_OPERATIONS } from "./updates";
import { UPKEEP_OPERATIONS } from "./upkeep";
import { WORKSPACE_OPERATIONS } from "./workspaces";
import type { World } from "./world";

export type Table = { [K in OperationName]: (world: World, params: Params<K>) => Result<K> };

const missing = (what: string) => new OperationError({ code: "not_found", message: `There is no ${what}.` });
function submit(world: World, { id, text, attachments }: Params<"session.submit">): Result<"session.submit"> {
  const files = (attachments ?? []).map((file, i) => ({ id: `file-${i}-${file.name}`, kind: "file" as const, name: file.name, mime: file.mime ?? "text/plain", bytes: atob(file.data).length, missing: null }));
  const row = message("user", text, { attachments: files });
  const busy = world.session(id).state !== "idle";
  world.keep(id, row);
  const session = world.session(id);
  world.change(id, { lastMessageAt: Date.now(), preview: session.preview ?? text.slice(0, 150), messageCount: world.transcript(id).length });
  if (busy) world.say(id, { kind: "queued", depth: 1 });
  else void playTurn(world, id, text);
  return { message: row.id, trace: `tr-${row.id}` };
}

function list(world: World, params: Params<"session.list">): Result<"session.list"> {
  const words = params.search?.toLowerCase() ?? "";
  const matches = [...world.sessions.values()]
    .filter((row) => (row.archived ?? false) === (params.archived ?? false))
    .filter((row) => params.workspace == null || row.workspace === params.workspace)
    .filter((row) => params.channel == null || (row.channel !== null) === params.channel)
    .filter((row) => `${row.name ?? ""} ${row.preview ?? ""}`.toLowerCase().includes(words))
    .toSorted((a, b) => b.lastMessageAt - a.lastMessageAt);
  const offset = params.offset ?? 0;
  return { sessions: matches.slice(offset, offset + (params.limit ?? 200)), total: matches.length };
}

function create(world: World, params: Params<"session.create">): SessionSummary {
  const now = Date.now();
  const row: SessionSummary = {
    id: `261122-new-${now}`, workspace: params.workspace ?? "acme", name: params.name ?? null, preview: null, createdAt: now, lastMessageAt: now,
    flagged: false, status: "todo", labels: [], unread: false, mode: params.mode ?? "ask", model: params.model ?? null, channel: null,
    messageCount: 0, usage: {}, state: "idle",
  };
  world.sessions.set(row.id, row);
  world.transcripts.set(row.id, []);
  world.publish({ topic: "session_changed", session: row });
  return row;
}

function setModel(world: World, params: Params<"model.set">): Result<"model.set"> {
  const { settings } = params;
  const label = settings.kind === "demo" ? "Demo (scripted)" : settings.model;
  const row = { settings, label, default: params.default, hasKey: params.apiKey != null || params.keyEnv != null, status: status({ kind: "running" }, "Not asked yet.", Date.now()) };
  const others = world.models.filter((other) => other.settings.id !== settings.id);
  world.models = [...others.map((other) => (params.default ? { ...other, default: false } : other)), row];
  world.publish({ topic: "model_changed", model: world.model() });
  return row;
}

export const OPERATIONS: Table = {
  ...LIFE,
  ...DEVICE_OPERATIONS,
  ...FIRST_OPERATIONS,
  ...ATTENTION_OPERATIONS,
  "system.status": (world) => world.system(),
  "system.shutdown": () => ({}),
  "log.tail": (world, { limit }) => detailOf(world, "channel:telegram").log.slice(-(limit ?? 200)),
  "notice.dismiss": (world, { id }) => {
    world.notices = world.notices.filter((notice) => notice.id !== id);
    world.publish({ topic: "attention_changed" });
    world.publish({ topic: "health_changed", health: world.health() });
    return {};
  },
  "session.list": list,
  "session.get": (world, { id, limit, before }) => {
    const whole = world.transcript(id);
    const end = before == null ? -1 : whole.findIndex((row) => row.id === before);
    const all = end === -1 ? whole : whole.slice(0, end);
    const messages = limit == null ? all : all.slice(-limit);
    return { summary: world.session(id), messages, earlier: all.length - messages.length, approvals: world.approvals.filter((each) => each.session === id), state: world.session(id).state };
  },
  "session.create": create,
  "session.submit": (world, params) => submit(world, params),
  "session.interrupt": (world, { id }) => {
    world.stops.add(id);
    withdraw(world, id);
    return {};
  },
  "session.resend": (world, { id }) => {
    const last = world.transcript(id).findLast((row) => row.kind === "user");
    if (last === undefined) throw missing("input to resend");
    void playTurn(world, id, "again");
    return { message: last.id, trace: `tr-${last.id}` };
  },
  "session.update": (world, { id, ...change }) => {
    const given = Object.fromEntries(Object.entries(change).filter(([, value]) => value != null));
    return world.change(id, given);
  },
  "model.list": (world) => world.models,
  "model.detect": () => DETECTED,
  "model.set": setModel,
  "model.remove": (world, { id }) => {
    world.models = world.models.filter((row) => row.settings.id !== id);
    world.publish({ topic: "model_changed", model: world.model() });
    return {};
  },
  "model.test": (world, { id }) => {
    const row = world.models.find((other) => other.settings.id === id);
    if (row === undefined) throw missing(`model ${id}`);
    return row;
  },
  ...APPROVAL_OPERATIONS,
  ...PLAN_OPERATIONS,
  ...CHANNEL_OPERATIONS,
  ...ELICITATION_OPERATIONS,
  ...OAUTH_OPERATIONS,
  ...OBSERVE_OPERATIONS,
  ...PERMISSION_OPERATIONS,
  ...PLUGIN_OPERATIONS,
  ...ROUTE_OPERATIONS,
  ...SETTING_OPERATIONS,
  ...SOURCE_OPERATIONS,
  ...UPDATE_OPERATIONS,
  ...UPKEEP_OPERATIONS,
  ...WORKSPACE_OPERATIONS,
  "tool.list": () => TOOLS,
  "pairing.list": (world) => world.pairing,
  "pairing.approve": (world, { code }) => {
    const request = world.pairing.find((row) => row.code === code);
    if (request === undefined) throw missing("request with that code");
    world.pairing = world.pairing.filter((row) => row !== request);
    world.publish({ topic: "pairing_changed" });
    return request;
  },
  "pairing.deny": (world, { code }) => {
    world.pairing = world.pairing.filter((row) => row.code !== code);
    world.publish({ topic: "pairing_changed" });
    return {};
  },
};
