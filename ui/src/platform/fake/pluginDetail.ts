/** One plugin of the fake, whole. */
import type { CapabilityState, PluginDetail, PluginSummary, Registered } from "@/generated/protocol";
import type { World } from "./world";

const KINDS: Record<string, "observe" | "transform" | "gate"> = { message_received: "transform", message_sending: "transform", before_agent_start: "transform", after_tool_call: "transform", before_tool_call: "gate" };

function means(capability: string): string {
  const [kind = "", ...rest] = capability.split(":");
  const what = rest.join(":");
  const words: Record<string, string> = {
    net: `Talk to ${what} over the network`,
    secret: `Use the secret “${what}” that you gave it`,
    oauth: `Act for you at ${rest[0] ?? ""} (${rest.slice(1).join(":")})`,
    sessions: what === "read" ? "Read your sessions" : "Write into sessions as a person would",
    files: what === "state" ? "Keep files of its own" : what === "workspace:ro" ? "Read the files of the workspace" : "Read and change the files of the workspace",
    route: `Take requests at /hooks/…/${what}`,
    hooks: what === "gate" ? "Allow, change or stop what the agent does" : "Read and change what people and the agent write",
  };
  return words[kind] ?? capability;
}

const SENSITIVE = new Set(["hooks:conversation", "hooks:gate", "sessions:read", "files:workspace:rw"]);

function wanted(row: PluginSummary, granted: readonly string[]): CapabilityState[] {
  const all = [...row.capabilities, ...granted.filter((each) => !row.capabilities.includes(each))];
  return all.map((capability) => ({ capability, means: means(capability), declared: row.capabilities.includes(capability), granted: granted.includes(capability), sensitive: SENSITIVE.has(capability) }));
}

function registered(row: PluginSummary): Registered {
  const { tools = [], hooks = [], channels = [], services = [], commands = [], routes = [] } = row.status.state.kind === "running" || row.trust === "changed" ? row.contributes : {};
  return {
    tools: tools.map((name) => ({ name, description: `What ${name} does.`, parameters: { type: "object" }, readOnly: !/send|book|react/.test(name), plugin: row.id })),
    hooks: hooks.map((event, i) => ({ event, kind: KINDS[event] ?? "observe", priority: 10 - i * 10, position: 1 + (i % 2), of: 3, timeoutMs: i === 1 ? 5_000 : null })),
    channels: channels.map((id) => ({ id, label: row.name, capabilities: {} })),
    services,
    commands: commands.map((name) => ({ name, description: row.description, plugin: row.id })),
    routes: routes.map((path) => ({ path: `/hooks/${row.id}/${path}`, methods: ["POST"] })),
  };
}

/** A little life, so that the charts have something to draw. */
function breathe(row: PluginSummary): PluginSummary {
  if (row.usage.memoryBytes === 0) return row;
  const wave = Math.sin(Date.now() / 7_000 + row.id.length);
  const usage = { ...row.usage, memoryBytes: Math.round(row.usage.memoryBytes * (1 + 0.12 * wave)), cpuMsLastMinute: Math.max(0, Math.round(row.usage.cpuMsLastMinute * (1 + 0.5 * wave))) };
  return { ...row, usage };
}

export function detailOfPlugin(world: World, row: PluginSummary): PluginDetail {
  const extra = world.extra(row.id);
  return {
    summary: breathe(row),
    files: extra.files,
    hash: extra.hash,
    wanted: wanted(row, row.trust === "bundled" ? row.capabilities : (extra.grant?.capabilities ?? [])),
    grant: extra.grant,
    change: extra.change,
    signature: extra.signature,
    settingsSchema: extra.schema,
    settings: extra.settings,
    secrets: extra.secrets,
    registered: registered(row),
    limits: { memoryBytes: 33_554_432, cpuMsPerMinute: 5_000, timers: 256, callsInFlight: 64, sockets: 8, queue: 1_024, logLinesPerMinute: 600 },
    parts: world.sources.filter((source) => source.plugin === row.id),
    history: extra.history,
  };
}
