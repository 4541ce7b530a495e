/** Plugins of the fake: one in each state a person can meet, and what each has besides its row. */
import type { GrantEvent, PluginChange, PluginFile, PluginGrant, PluginId, PluginSignature, PluginSigner, PluginSummary, PluginUsage, SecretState } from "@/generated/protocol";
import { DIGEST_CHANGE } from "./pluginChange";
import { daysAgo, hoursAgo, minutesAgo, START } from "./clock";
import { status } from "./sources";

type Row = Partial<PluginSummary> & Pick<PluginSummary, "id" | "name" | "description">;

export const NO_USAGE: PluginUsage = { memoryBytes: 0, cpuMsLastMinute: 0, timers: 0, callsInFlight: 0, sockets: 0, queueDepth: 0, requestsLastMinute: 0, logLinesDropped: 0, restarts: 0 };
export const EXTENSIONS = "~/.kata-agents/extensions";

const uses = (memoryBytes: number, usage: Partial<PluginUsage> = {}): PluginUsage => ({ ...NO_USAGE, memoryBytes, ...usage });

const plugin = (row: Row): PluginSummary => ({
  version: "0.1.0",
  origin: "bundled",
  workspace: null,
  path: `/usr/lib/kata-agents/plugins/${row.id}`,
  trust: "bundled",
  enabled: true,
  status: status({ kind: "running" }, "Loaded.", hoursAgo(26)),
  contributes: {},
  capabilities: [],
  generation: 1,
  usage: uses(412_000, { cpuMsLastMinute: 3, timers: 1 }),
  faults: [],
  client: null,
  ...row,
});

const global = (row: Row): PluginSummary => plugin({ origin: "global", path: `${EXTENSIONS}/${row.id}`, trust: "trusted", ...row });

export const PLUGINS: PluginSummary[] = [
  plugin({ id: "echo", name: "Echo", description: "The reference plugin: a tool, a hook and a command.", contributes: { tools: ["echo"], hooks: ["message_sending"], commands: ["echo"] }, capabilities: ["hooks:conversation"], usage: uses(318_000) }),
  plugin({ id: "telegram", name: "Telegram", description: "Messages by a bot: long polling, threads, typing, edits.", contributes: { channels: ["telegram"], tools: ["telegram_send", "telegram_react"] }, capabilities: ["net:api.telegram.org", "secret:botToken", "sessions:submit", "files:state"], usage: uses(684_000, { cpuMsLastMinute: 14, timers: 2, callsInFlight: 1, requestsLastMinute: 3 }) }),
  plugin({ id: "slack", name: "Slack", description: "Socket Mode: channels, threads, reactions.", contributes: { channels: ["slack"], routes: ["events"] }, capabilities: ["net:*.slack.com", "secret:appToken", "secret:botToken", "route:events"], usage: uses(902_000, { cpuMsLastMinute: 22, timers: 3, callsInFlight: 1, sockets: 1 }) }),
  global({ id: "calendar", name: "Calendar", description: "Looks up and proposes meetings.", trust: "untrusted", contributes: { tools: ["calendar_free", "calendar_book"], hooks: ["message_received"], commands: ["agenda"] }, capabilities: ["net:www.googleapis.com", "oauth:google:calendar", "secret:clientSecret", "hooks:conversation"], status: status({ kind: "needs_user", action: { kind: "trust" } }, "New: look at it before it runs.", minutesAgo(33), "untrusted"), enabled: false, generation: 0, usage: NO_USAGE }),
  global({ id: "digest", name: "Daily digest", description: "Writes a summary of the day and sends it where you want it.", version: "1.5.0", trust: "changed", contributes: { services: ["digest"], commands: ["digest"] }, capabilities: ["sessions:read", "net:hooks.example.net"], status: status({ kind: "needs_user", action: { kind: "trust" } }, "Its files have changed since you trusted them; version 1.4.2 goes on until the app ends.", minutesAgo(12), "changed") }),
  global({ id: "indexer", name: "Repository indexer", description: "Keeps the code search fresh.", contributes: { services: ["indexer"], tools: ["code_search"] }, capabilities: ["files:workspace:ro"], generation: 3, status: status({ kind: "quarantined", until: START + 8 * 60_000 }, "Five faults in ten minutes; the last was a timeout in index.ts:88.", minutesAgo(9), "timeout"), usage: { ...NO_USAGE, restarts: 5 }, faults: [
    { at: minutesAgo(9), kind: "timeout", message: "start did not return within 5 s", position: { file: "index.ts", line: 88, column: 14 } },
    { at: minutesAgo(11), kind: "memory", message: "heap limit of 32 MB reached", position: { file: "index.ts", line: 61, column: 9 } },
    { at: minutesAgo(14), kind: "throw", message: "TypeError: cannot read property 'path' of undefined", position: { file: "src/walk.ts", line: 23, column: 31 } },
    { at: minutesAgo(15), kind: "cpu", message: "5,000 ms of CPU in one minute, which is all it has", position: null },
  ] }),
  global({ id: "standup", name: "Stand-up", description: "Asks everybody what they did, and posts what they said.", version: "0.3.0-dev", trust: "development", contributes: { services: ["standup"], tools: ["standup_summary"], hooks: ["agent_end"], commands: ["standup", "standup-skip"] }, capabilities: ["sessions:submit", "files:state"], generation: 42, usage: uses(1_240_000, { cpuMsLastMinute: 180, timers: 4, queueDepth: 1 }) }),
  plugin({ id: "redact", name: "Redact", description: "Takes account numbers out of replies before they leave.", origin: "workspace", workspace: "acme", trust: "trusted", path: "~/.kata-agents/workspaces/acme/extensions/redact", version: "1.3.0", contributes: { hooks: ["message_sending", "after_tool_call", "before_tool_call"] }, capabilities: ["hooks:conversation", "hooks:gate"], generation: 7 }),
  plugin({ id: "thermometer", name: "Thermometer", description: "Reads the sensor in the hall.", origin: "gateway", trust: "token", path: "", contributes: { tools: ["temperature"], channels: ["hall-display"] }, generation: 2, usage: NO_USAGE, client: { name: "thermometer.py", token: "hall", scope: "plugin", since: hoursAgo(5) } }),
];

/** What a plugin has besides its row. */
export interface PluginExtra {
  hash: string;
  files: PluginFile[];
  grant: PluginGrant | null;
  change: PluginChange | null;
  signature: PluginSignature;
  schema: unknown;
  settings: unknown;
  secrets: SecretState[];
  history: GrantEvent[];
}

export const SIGNERS: PluginSigner[] = [{ keyId: "0C55D0E7A4B8112F", key: "RWQvEbik59BVDAtQsQY1oDqyUhf9NEBSBL8nxQ+J9rtr/pwh3GicQoP0", rememberedAt: daysAgo(40), plugins: [] }];

export const hashOf = (seed: string): string => Array.from({ length: 64 }, (_, i) => "0123456789abcdef"[(seed.charCodeAt(i % seed.length) * (i + 7) + i * 5) % 16]).join("");

const file = (path: string, bytes: number): PluginFile => ({ path, bytes, sha256: hashOf(path + bytes) });

const granted = (at: number, capabilities: string[], more: Partial<PluginGrant> = {}): PluginGrant => ({ hash: hashOf("was"), version: "0.1.0", capabilities, development: false, grantedAt: at, signer: null, ...more });

export const extraOf = (id: string, more: Partial<PluginExtra> = {}): PluginExtra => ({
  hash: hashOf(id),
  files: [file("index.ts", 4_812), file("kata-plugin.json", 611)],
  grant: null,
  change: null,
  signature: { kind: "none" },
  schema: null,
  settings: {},
  secrets: [],
  history: [],
  ...more,
});

export const DIGEST_SCHEMA = {
  type: "object",
  required: ["sendAt", "to"],
  properties: {
    sendAt: { type: "string", title: "Time of day", description: "As 24-hour time.", pattern: "^([01]\\d|2[0-3]):[0-5]\\d$", default: "08:00" },
    to: { type: "string", title: "Send to", format: "email" },
    webhook: { type: "string", title: "Also post to", description: "Left empty, nothing is posted.", format: "uri" },
    style: { type: "string", title: "Style", enum: ["short", "full"], default: "short" },
    maxItems: { type: "integer", title: "Items at most", minimum: 1, maximum: 100, default: 20 },
    weekends: { type: "boolean", title: "On weekends too", default: false },
    skip: { type: "array", title: "Leave out", description: "Words; a session with one of them in its title is left out.", items: { type: "string", minLength: 2 }, maxItems: 5 },
    quiet: {
      type: "object",
      title: "Quiet hours",
      description: "Nothing is sent between these times.",
      required: ["from"],
      properties: { from: { type: "integer", title: "From", minimum: 0, maximum: 23 }, until: { type: "integer", title: "Until", minimum: 0, maximum: 23 } },
    },
  },
};

const event = (at: number, action: GrantEvent["action"], detail: string, hash: string | null = null): GrantEvent => ({ at, action, detail, hash });

export function pluginExtras(): Map<PluginId, PluginExtra> {
  return new Map<PluginId, PluginExtra>([
    ["calendar", extraOf("calendar", {
      files: [file("LICENSE", 1_071), file("index.ts", 9_240), file("kata-plugin.json", 934), file("kata-plugin.json.minisig", 312), file("src/agenda.ts", 3_377), file("src/google.ts", 12_904)],
      signature: { kind: "valid", keyId: "7F3A90C2D11E5B64", known: false, comment: "calendar 2.0.1, by the Example Calendar project" },
      history: [event(minutesAgo(33), "installed", "from ~/Downloads/calendar-0.1.0.tgz", hashOf("calendar"))],
    })],
    ["digest", extraOf("digest", {
      grant: granted(daysAgo(21), ["sessions:read"], { version: "1.4.2" }),
      change: DIGEST_CHANGE,
      files: [file("index.ts", 5_733), file("kata-plugin.json", 702), file("logo.png", 8_911), file("send.ts", 1_208)],
      schema: DIGEST_SCHEMA,
      settings: { sendAt: "08:00", to: "team@acme.example", skip: ["private"] },
      secrets: [{ name: "webhookToken", set: false }],
      history: [event(minutesAgo(12), "changed", "4 files differ; asks for net:hooks.example.net as well", hashOf("digest")), event(daysAgo(21), "granted", "sessions:read", hashOf("was")), event(daysAgo(21), "installed", "from ~/src/digest")],
    })],
    ["indexer", extraOf("indexer", {
      files: [file("index.ts", 3_930), file("kata-plugin.json", 480), file("src/walk.ts", 2_044)],
      grant: granted(daysAgo(9), ["files:workspace:ro"]),
      history: [event(daysAgo(9), "enabled", ""), event(daysAgo(9), "granted", "files:workspace:ro", hashOf("indexer"))],
    })],
    ["standup", extraOf("standup", {
      grant: granted(daysAgo(2), ["sessions:submit", "files:state"], { development: true, version: "0.3.0-dev" }),
      signature: { kind: "invalid", reason: "kata-plugin.json.minisig is not of these files" },
      history: [event(daysAgo(2), "granted", "sessions:submit, files:state, in development mode", hashOf("standup"))],
    })],
    ["redact", extraOf("redact", {
      grant: granted(daysAgo(40), ["hooks:conversation"], { signer: "0C55D0E7A4B8112F", version: "1.2.0" }),
      signature: { kind: "valid", keyId: "0C55D0E7A4B8112F", known: true, comment: "redact 1.3.0" },
      history: [
        event(daysAgo(3), "capability_revoked", "hooks:gate"),
        event(daysAgo(5), "carried_over", "1.2.0 → 1.3.0 by the remembered key 0C55D0E7A4B8112F", hashOf("redact")),
        event(daysAgo(40), "granted", "hooks:conversation, hooks:gate", hashOf("was")),
      ],
    })],
    ["telegram", extraOf("telegram", { secrets: [{ name: "botToken", set: true }] })],
  ]);
}
