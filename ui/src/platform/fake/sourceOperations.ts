/** Sources of every kind, answered from memory. */
import { OperationError } from "../types";
import { detailOf, secretsIn } from "./sourceDetail";
import { addSource, documentOf, writeDocument } from "./sourceFiles";
import { toolsOf, tryTool } from "./sourceTools";
import { status } from "./sources";
import type { Table } from "./operations";

type SourceOperations = Pick<Table, Extract<keyof Table, `source.${string}`> | "tool.try">;

export const SOURCE_OPERATIONS: SourceOperations = {
  "source.list": (world) => world.sources,
  "source.get": (world, { id }) => detailOf(world, id),
  "source.enable": (world, { id, enabled, workspace }) => {
    if (workspace != null) return world.switchIn(id, workspace, enabled);
    return enabled ? world.bringUp(id) : world.changeSource(id, { enabled: false, status: status({ kind: "stopped" }, "Switched off.", Date.now()) });
  },
  "source.restart": (world, { id }) => world.bringUp(id),
  "source.configure": (world, { id, settings }) => {
    world.settings.set(id, settings);
    return detailOf(world, id);
  },
  "source.secret": (world, { id, name, value }) => {
    const row = world.source(id);
    world.secrets.set(id, secretsIn(world, row).map((secret) => (secret.name === name ? { name, set: value != null } : secret)));
    const { state } = row.status;
    if (value != null && state.kind === "needs_user" && state.action.kind === "configure") world.bringUp(id);
    return detailOf(world, id);
  },
  "source.add": (world, params) => detailOf(world, addSource(world, params).id),
  "source.remove": (world, { id }) => {
    const { kind, name } = world.source(id);
    if (kind === "channel" || kind === "service") throw new OperationError({ code: "conflict", message: `${name} belongs to a plugin.`, hint: "Switch it off, or take the plugin away." });
    world.sources = world.sources.filter((row) => row.id !== id);
    world.documents.delete(id);
    return {};
  },
  "source.test": (world, { id }) => {
    const { status: now } = world.source(id);
    const ok = now.state.kind === "running" || now.state.kind === "degraded";
    return { ok, latencyMs: ok ? 112 : 0, message: ok ? "It answers." : now.message };
  },
  "source.document": (world, { id }) => documentOf(world, id),
  "source.write": (world, params) => writeDocument(world, params),
  "source.tools": (world, { id }) => toolsOf(world.source(id)),
  "tool.try": (world, { name, params }) => tryTool(world, name, params),
};
