/** The operations on plugins and their commands, answered from memory. */
import type { GrantAction, PluginDetail, PluginId, PluginSigner, PluginSummary } from "@/generated/protocol";
import { OperationError } from "../types";
import type { Table } from "./operations";
import { detailOfPlugin } from "./pluginDetail";
import { DROPPED, ROOTS } from "./pluginDiscovery";
import { EXTENSIONS, extraOf, hashOf, NO_USAGE } from "./plugins";
import { status } from "./sources";
import type { World } from "./world";

type PluginOperations = Pick<Table, Extract<keyof Table, `plugin.${string}` | `command.${string}`>>;

const refuse = (code: "invalid" | "conflict" | "not_found" | "forbidden" | "upstream", message: string, hint?: string, details?: unknown) => new OperationError({ code, message, ...(hint === undefined ? {} : { hint }), ...(details === undefined ? {} : { details }) });

function rowOf(world: World, id: PluginId): PluginSummary {
  const row = world.plugins.find((other) => other.id === id);
  if (row === undefined) throw refuse("not_found", `There is no plugin ${id}.`, "It may have been removed from its folder.");
  return row;
}

function change(world: World, id: PluginId, next: Partial<PluginSummary>): PluginSummary {
  const row = { ...rowOf(world, id), ...next };
  world.plugins = world.plugins.map((other) => (other.id === id ? row : other));
  world.publish({ topic: "plugin_changed", id });
  return row;
}

function note(world: World, id: PluginId, action: GrantAction, detail: string): void {
  const extra = world.extra(id);
  extra.history = [{ at: Date.now(), action, detail, hash: extra.hash }, ...extra.history];
}

const detail = (world: World, id: PluginId): PluginDetail => detailOfPlugin(world, rowOf(world, id));
const runs = (generation: number): Partial<PluginSummary> => ({ generation: generation + 1, status: status({ kind: "running" }, "Loaded.", Date.now()) });
const waits = (): Partial<PluginSummary> => ({ trust: "untrusted", enabled: false, usage: NO_USAGE, status: status({ kind: "needs_user", action: { kind: "trust" } }, "Nobody has looked at it yet.", Date.now(), "untrusted") });

function add(world: World, id: PluginId, row: Partial<PluginSummary>): void {
  const fresh: PluginSummary = {
    id, name: id, version: "0.1.0", description: "", origin: "global", workspace: null, path: `${EXTENSIONS}/${id}`, trust: "untrusted", enabled: false,
    status: status({ kind: "stopped" }, "", Date.now()), contributes: {}, capabilities: [], generation: 0, usage: NO_USAGE, faults: [], client: null, ...row,
  };
  world.plugins = [...world.plugins.filter((other) => other.id !== id), fresh];
  world.extras.set(id, extraOf(id));
  world.publish({ topic: "plugin_changed", id });
}

/** Remembered keys, with the plugins whose grants they carry. */
const signers = (world: World): PluginSigner[] => world.signers.map((signer) => ({ ...signer, plugins: [...world.extras].filter(([, extra]) => extra.grant?.signer === signer.keyId).map(([id]) => id) }));

function fieldError(settings: unknown): OperationError | null {
  const to = (settings as { to?: unknown }).to;
  if (typeof to === "string" && to.endsWith("@nowhere.example")) return refuse("invalid", `“to”: nobody answers at ${to}`, undefined, { field: "to" });
  return null;
}

export const PLUGIN_OPERATIONS: PluginOperations = {
  "plugin.list": (world) => world.plugins,
  "plugin.get": (world, { id }) => detail(world, id),
  "plugin.discovery": (world) => ({ roots: ROOTS, dropped: world.options.empty ? [] : DROPPED }),
  "plugin.reload": (world, { id }) => change(world, id, runs(rowOf(world, id).generation)),
  "plugin.enable": (world, { id, enabled }) => {
    const row = rowOf(world, id);
    if (enabled && row.trust === "untrusted") throw refuse("conflict", `${row.name} is not trusted yet.`, "Look at it and grant what it may do first.");
    note(world, id, enabled ? "enabled" : "disabled", "");
    return change(world, id, { enabled, ...(enabled ? runs(row.generation) : { status: status({ kind: "stopped" }, "Switched off.", Date.now()) }) });
  },
  "plugin.trust": (world, { id, hash, capabilities, development, rememberSigner }) => {
    const row = rowOf(world, id);
    const extra = world.extra(id);
    if (hash !== extra.hash) throw refuse("conflict", `The files of ${row.name} are others by now.`, "Look at them again.");
    if (extra.signature.kind === "invalid") throw refuse("conflict", `plugin “${id}” is not taken as it is: ${extra.signature.reason}`, "get it anew from its author");
    extra.grant = { hash, version: row.version, capabilities, development: development === true, grantedAt: Date.now(), signer: null };
    extra.change = null;
    if (rememberSigner === true && extra.signature.kind === "valid") extra.signature = { ...extra.signature, known: true };
    note(world, id, "granted", capabilities.length === 0 ? "no capabilities" : capabilities.join(", "));
    const trust = development === true ? "development" : "trusted";
    return change(world, id, row.enabled ? { trust, ...runs(row.generation) } : { trust, status: status({ kind: "stopped" }, "Trusted; switch it on when you want it.", Date.now()) });
  },
  "plugin.revoke": (world, { id, capability }) => {
    const extra = world.extra(id);
    if (extra.grant === null) throw refuse("conflict", `${rowOf(world, id).name} has no grant.`);
    if (capability == null) {
      extra.grant = null;
      extra.change = null;
      note(world, id, "revoked", "");
      return change(world, id, waits());
    }
    extra.grant = { ...extra.grant, capabilities: extra.grant.capabilities.filter((each) => each !== capability) };
    note(world, id, "capability_revoked", capability);
    return change(world, id, {});
  },
  "plugin.signers": signers,
  "plugin.forget_signer": (world, { keyId }) => {
    if (!signers(world).some((signer) => signer.keyId === keyId)) throw refuse("not_found", `no key “${keyId}” is remembered`, "“kata plugins signers” lists those that are");
    world.signers = world.signers.filter((signer) => signer.keyId !== keyId);
    for (const [id, extra] of world.extras) {
      if (extra.grant?.signer === keyId) {
        extra.grant = { ...extra.grant, signer: null };
        note(world, id, "signer_forgotten", `The key ${keyId} was forgotten`);
        world.publish({ topic: "plugin_changed", id });
      }
      if (extra.signature.kind === "valid" && extra.signature.keyId === keyId) extra.signature = { ...extra.signature, known: false };
    }
    return signers(world);
  },
  "plugin.install": (world, { path, replace }) => {
    const id = path.replace(/\/$/, "").split("/").at(-1)?.replace(/(-[\d.]+)?\.tgz$/, "") ?? "";
    if (!/^[a-z0-9-]+$/.test(id)) throw refuse("invalid", `${path} holds no plugin: there is no kata-plugin.json in it.`, "Choose the plugin's folder, or a .tgz that “kata plugins pack” made.");
    if (replace !== true && world.plugins.some((row) => row.id === id)) throw refuse("conflict", `A plugin “${id}” is installed already.`, "Replace it, or remove it first.", { installed: id });
    add(world, id, waits());
    note(world, id, "installed", `from ${path}`);
    return detail(world, id);
  },
  "plugin.uninstall": (world, { id }) => {
    if (rowOf(world, id).origin === "bundled") throw refuse("conflict", "A plugin that is shipped with the app cannot be removed.", "Switch it off instead.");
    world.plugins = world.plugins.filter((row) => row.id !== id);
    world.publish({ topic: "plugin_changed", id });
    return {};
  },
  "plugin.create": (world, { id, template, name }) => {
    if (!/^[a-z0-9-]+$/.test(id)) throw refuse("invalid", "“id”: only small letters, digits and hyphens", undefined, { field: "id" });
    if (world.plugins.some((row) => row.id === id)) throw refuse("conflict", `A plugin “${id}” is there already.`, "Choose another id.", { field: "id" });
    add(world, id, { name: name ?? id, description: `A new ${template}.`, trust: "development", enabled: true, ...runs(0) });
    world.extra(id).grant = { hash: hashOf(id), version: "0.1.0", capabilities: [], development: true, grantedAt: Date.now(), signer: null };
    return detail(world, id);
  },
  "plugin.configure": (world, { id, settings }) => {
    const wrong = fieldError(settings);
    if (wrong !== null) throw wrong;
    world.extra(id).settings = settings;
    world.publish({ topic: "plugin_changed", id });
    return detail(world, id);
  },
  "plugin.secret": (world, { id, name, value }) => {
    const extra = world.extra(id);
    extra.secrets = extra.secrets.map((secret) => (secret.name === name ? { name, set: value != null } : secret));
    return detail(world, id);
  },
  "plugin.inject": () => ({ answer: { outcome: "admitted" } }),
  "command.list": (world) => world.plugins.filter((row) => row.enabled).flatMap((row) => (row.contributes.commands ?? []).map((name) => ({ name, description: COMMANDS[name] ?? row.description, plugin: row.id }))),
  "command.run": (_world, { name, args }) => {
    if (COMMANDS[name] === undefined) throw refuse("not_found", `There is no command /${name}.`, "Type / to see those there are.");
    if (args === "fail") throw refuse("upstream", `/${name} failed: TypeError: args is not a list`, "The plugin's page shows where.");
    return { text: name === "echo" ? args : `**${name}** is done${args === "" ? "." : `: ${args}`}` };
  },
};

const COMMANDS: Record<string, string> = {
  echo: "Says it back.",
  agenda: "Shows the meetings of a day.",
  digest: "Writes the digest now.",
  standup: "Starts the stand-up now.",
  "standup-skip": "Leaves somebody out today.",
};
