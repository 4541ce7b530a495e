/** A plugin as its author writes it, and how the gateway's calls reach it. */
import { SendFailed } from "./errors.ts";
import type {
  AfterToolCall,
  AfterToolCallOutcome,
  BeforeAgentStart,
  BeforeAgentStartOutcome,
  BeforeToolCall,
  BeforeToolCallOutcome,
  ChannelCapabilities,
  HookName,
  MessageReceived,
  MessageReceivedOutcome,
  MessageSending,
  MessageSendingOutcome,
  OutboundMessage,
  Receipt,
} from "./generated/contract.ts";
import type { ExternalCall, ExternalPlugin, WireError } from "./generated/protocol.ts";

/** What goes with every call. */
export interface CallContext {
  /** Aborted when nobody waits for the answer any longer, and when the connection ends. */
  readonly signal: AbortSignal;
  /** Milliseconds until the call is given up. */
  readonly deadlineMs: number;
}

type Answer<T> = T | Promise<T>;

export interface Tool {
  /** For the model. */
  description: string;
  /** JSON Schema of the arguments; the gateway has checked them when `run` is called. */
  parameters: object;
  /** It changes nothing anywhere: allowed in mode `safe`. */
  readOnly?: boolean;
  /** 30,000 when absent, at most 600,000. */
  timeoutMs?: number;
  /** What it returns, or the message of what it throws, is what the model reads. */
  run(params: never, context: CallContext & { session: string }): Answer<string>;
}

/** Events whose answers change something; the others are observed. */
interface Changing {
  message_received: [MessageReceived, MessageReceivedOutcome];
  before_agent_start: [BeforeAgentStart, BeforeAgentStartOutcome];
  before_tool_call: [BeforeToolCall, BeforeToolCallOutcome];
  after_tool_call: [AfterToolCall, AfterToolCallOutcome];
  message_sending: [MessageSending, MessageSendingOutcome];
}

export interface Hook<Input, Outcome> {
  /** Higher is asked first. */
  priority?: number;
  /** Where it is less than the event's own limit. */
  timeoutMs?: number;
  /** Nothing changes nothing. */
  run(event: Input, context: CallContext): Answer<Partial<Outcome> | null | undefined | void>;
}

export type Hooks = {
  [Event in HookName]?: Event extends keyof Changing ? Hook<Changing[Event][0], Changing[Event][1]> : Hook<Record<string, unknown>, never>;
};

export interface Channel {
  name: string;
  capabilities?: Partial<ChannelCapabilities>;
  /** Called when the channel may begin; `cursor` is what was reported last. */
  start?(begin: { cursor: string | null }, context: CallContext): Answer<void>;
  stop?(context: CallContext): Answer<void>;
  /** Sends a reply. Throw {@link SendFailed} where you know how it failed. */
  send(message: OutboundMessage, context: CallContext): Answer<Receipt>;
}

export interface PluginDefinition {
  /** `[a-z0-9-]+`; no other plugin may have it. */
  id: string;
  name: string;
  version: string;
  description?: string;
  tools?: Record<string, Tool>;
  hooks?: Hooks;
  channels?: Record<string, Channel>;
}

/** Arguments of a tool, typed: `tool<{ city: string }>({ … })`. */
export function tool<Params>(definition: Omit<Tool, "run"> & { run(params: Params, context: CallContext & { session: string }): Answer<string> }): Tool {
  return definition as Tool;
}

/** What is sent with `register`. */
export function registration(plugin: PluginDefinition): ExternalPlugin {
  const tools = Object.entries(plugin.tools ?? {}).map(([name, each]) => ({
    name,
    description: each.description,
    parameters: each.parameters,
    readOnly: each.readOnly ?? false,
    timeoutMs: each.timeoutMs ?? null,
  }));
  const hooks = Object.entries(plugin.hooks ?? {}).flatMap(([event, hook]) =>
    hook === undefined ? [] : [{ event: event as HookName, priority: hook.priority ?? 0, timeoutMs: hook.timeoutMs ?? null }],
  );
  const channels = Object.entries(plugin.channels ?? {}).map(([id, each]) => ({
    id,
    name: each.name,
    capabilities: (each.capabilities ?? null) as ChannelCapabilities | null,
  }));
  const { id, name, version, description = "" } = plugin;
  return { id, name, version, description, tools, hooks, channels };
}

interface Params {
  name?: string;
  params?: unknown;
  session?: string;
  event?: string;
  input?: unknown;
  channel?: string;
  message?: unknown;
  cursor?: string | null;
}

/** Runs a call. Rejects with whatever the plugin throws. */
export async function run(plugin: PluginDefinition, kind: ExternalCall, raw: unknown, context: CallContext): Promise<unknown> {
  const params = raw as Params;
  switch (kind) {
    case "tool": {
      const found = plugin.tools?.[params.name ?? ""];
      if (found === undefined) throw new Error(`there is no tool “${params.name}”`);
      return { text: await found.run(params.params as never, { ...context, session: params.session ?? "" }) };
    }
    case "hook": {
      // The table of hooks is typed by event; which one this is, is known only here.
      const hooks = plugin.hooks as Record<string, Hook<unknown, unknown> | undefined> | undefined;
      return (await hooks?.[params.event ?? ""]?.run(params.input, context)) ?? null;
    }
    case "send":
      return channel(plugin, params).send(params.message as OutboundMessage, context);
    case "start":
      await channel(plugin, params).start?.({ cursor: params.cursor ?? null }, context);
      return null;
    case "stop":
      await channel(plugin, params).stop?.(context);
      return null;
  }
}

function channel(plugin: PluginDefinition, params: Params): Channel {
  const found = plugin.channels?.[params.channel ?? ""];
  if (found === undefined) throw new Error(`there is no channel “${params.channel}”`);
  return found;
}

/** What was thrown, for the wire. */
export function failure(thrown: unknown): WireError {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  if (thrown instanceof SendFailed) {
    const details = { code: thrown.code, certain: thrown.certain, retryAfterMs: thrown.retryAfterMs };
    return { code: "upstream", message, hint: null, details };
  }
  return { code: "upstream", message, hint: null, details: null };
}
