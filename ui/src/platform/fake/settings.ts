/** The settings of the fake: the rules the engine has, refused in its words. */
import type { SettingRule, SettingValue } from "@/generated/protocol";
import { OperationError } from "../types";
import type { Table } from "./operations";
import type { World } from "./world";

const rule = (kind: SettingRule["kind"], fallback: SettingRule["default"], doc: string, restart = false): SettingRule => ({ kind, default: fallback, restart, doc });
const changed = (path: string, made: SettingRule): SettingValue => ({ path, value: made.default, from: "default", rule: made });
const FILE = "settings.json";

/** What the start of the program decides, whatever the file says. */
const STARTED_WITH = new Map([["gateway.port", { value: 18_791, from: "the start's option or KATA_PORT" }]]);

const ROWS: SettingValue[] = [
  changed("gateway.hosts", rule({ kind: "list", most: 16 }, [], "Names other than this machine's own under which the gateway may be asked, for a tunnel.", true)),
  changed("gateway.port", rule({ kind: "number", min: 1, max: 65_535 }, 18_790, "Port the gateway tries first.", true)),
  { path: "home", value: "/home/mara/.kata-agents", from: "KATA_CONFIG_DIR, or the default" },
  { path: "hygiene.deleteArchivedAfterDays", value: 365, from: FILE },
  changed("models.default", rule({ kind: "text", most: 64 }, null, "Model of new sessions, by its id in `kata models list`.")),
  { path: "models.providers", value: [{ id: "anthropic", kind: "anthropic", model: "claude-sonnet-4-5" }], from: FILE },
  changed("notifications.attention", rule({ kind: "bool" }, true, "Tell when something needs you: a call that waits, a channel that must be signed in.")),
  changed("notifications.channels", rule({ kind: "bool" }, true, "Tell when a channel does not come back.")),
  changed("notifications.text", rule({ kind: "bool" }, false, "Say in notifications what was written. Anybody who sees the screen reads it.")),
  changed("notifications.turns", rule({ kind: "bool" }, true, "Tell when a chat is done while you do not look.")),
  { path: "routing.workspace", value: null, from: "default" },
  { path: "sources.channel:telegram.enabled", value: true, from: FILE },
];

/** Values that stand in the file from the beginning. */
export const WRITTEN: readonly (readonly [string, unknown])[] = [
  ["gateway.hosts", ["kata.tail1234.ts.net"]],
  ["models.default", "anthropic"],
];

function settings(world: World): SettingValue[] {
  return ROWS.map((row) => {
    const started = world.options.portGiven === true ? STARTED_WITH.get(row.path) : undefined;
    if (started !== undefined) return { ...row, ...started };
    return world.settingsFile.has(row.path) ? { ...row, value: world.settingsFile.get(row.path) ?? null, from: FILE } : row;
  });
}

const text = (each: unknown, most: number): boolean => typeof each === "string" && each.trim() !== "" && each.length <= most;

function wanted({ kind }: SettingRule, value: unknown): string | null {
  switch (kind.kind) {
    case "bool":
      return typeof value === "boolean" ? null : "true or false";
    case "number":
      return typeof value === "number" && Number.isInteger(value) && value >= kind.min && value <= kind.max ? null : `a whole number from ${kind.min} to ${kind.max}`;
    case "text":
      return text(value, kind.most) ? null : `a text of 1 to ${kind.most} characters`;
    case "list":
      return Array.isArray(value) && value.length <= kind.most && value.every((each) => text(each, 256)) ? null : `a list of at most ${kind.most} texts`;
  }
}

function set(world: World, path: string, value: unknown): SettingValue {
  const row = settings(world).find((each) => each.path === path);
  if (row?.rule == null) throw new OperationError({ code: "invalid", message: `“path”: “${path}” is no setting that is changed here`, hint: "`kata settings list` marks those that can be changed", details: { field: "path" } });
  const must = value === null ? null : wanted(row.rule, value);
  if (must !== null) throw new OperationError({ code: "invalid", message: `“${path}” must be ${must}, not ${JSON.stringify(value)}`, hint: row.rule.doc, details: { field: path } });
  if (path === "models.default" && value !== null && !world.models.some(({ settings: { id } }) => id === value)) throw new OperationError({ code: "not_found", message: `there is no model “${String(value)}”`, hint: "`kata models list` shows those there are" });
  if (value === null) world.settingsFile.delete(path);
  else world.settingsFile.set(path, value);
  world.publish({ topic: "workspaces_changed" });
  return settings(world).find((each) => each.path === path) ?? row;
}

export const SETTING_OPERATIONS: Pick<Table, "settings.list" | "settings.set"> = {
  "settings.list": settings,
  "settings.set": (world, { path, value }) => set(world, path, value),
};
