/** What `register(api)` is given. Everything registered is owned by the host and disposed by the host. */

import type { Channel } from "./channel.ts";
import type { PluginContext } from "./context.ts";
import type {
  AfterToolCall,
  AfterToolCallOutcome,
  AgentEnd,
  BeforeAgentStart,
  BeforeAgentStartOutcome,
  BeforeToolCall,
  BeforeToolCallOutcome,
  HookName,
  MessageReceived,
  MessageReceivedOutcome,
  MessageSending,
  MessageSendingOutcome,
  MessageSent,
  SessionStart,
} from "./generated.ts";

/** A JSON Schema (2020-12) object. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** What a tool gives back: text for the model, at most 256 KiB. A thrown error is an answer with `isError` too. */
export type ToolResult = string | { text: string; isError?: boolean };

/** A tool the model can call. `Args` is what `parameters` describes: the host checks arguments before it calls. */
export interface Tool<Args = unknown> {
  /** Unique among all tools; declared in the manifest's `contributes.tools`. */
  name: string;
  /** What it does and when to use it, for the model. */
  description: string;
  /** Schema of the arguments; an object. */
  parameters: JsonSchema;
  /** True only if it changes nothing anywhere; such a tool runs without asking in every mode. */
  readOnly?: boolean;
  execute(args: Args, ctx: PluginContext): ToolResult | Promise<ToolResult>;
}

/** Per event: what a handler is given, and what it may answer. `undefined` changes nothing. */
export interface HookEvents {
  message_received: { event: MessageReceived; outcome: MessageReceivedOutcome };
  before_agent_start: { event: BeforeAgentStart; outcome: BeforeAgentStartOutcome };
  before_tool_call: { event: BeforeToolCall; outcome: BeforeToolCallOutcome };
  after_tool_call: { event: AfterToolCall; outcome: AfterToolCallOutcome };
  message_sending: { event: MessageSending; outcome: MessageSendingOutcome };
  message_sent: { event: MessageSent; outcome: undefined };
  session_start: { event: SessionStart; outcome: undefined };
  agent_end: { event: AgentEnd; outcome: undefined };
}

/** Answers one event. A transform that throws or is late changes nothing; a gate that throws or is late blocks. */
export type HookHandler<E extends HookName> = (
  event: HookEvents[E]["event"],
  ctx: PluginContext,
) => HookEvents[E]["outcome"] | void | Promise<HookEvents[E]["outcome"] | void>;

/** Where a handler stands in the order and how long it may take. */
export interface HookOptions {
  /** Higher runs first; default 0. */
  priority?: number;
  /** Less than the event's own limit, in milliseconds. */
  timeoutMs?: number;
}

/** Work that runs as long as the plugin is up. */
export interface Service {
  /** Declared in the manifest's `contributes.services`. */
  id: string;
  /** Resolves when it is up. A throw is retried with a growing delay. */
  start(ctx: PluginContext): void | Promise<void>;
  /** Releases what `start` took. */
  stop?(ctx: PluginContext): void | Promise<void>;
}

/** A slash command in the chat, a verb in the CLI, an entry in the palette. */
export interface Command {
  /** Without the slash; declared in the manifest's `contributes.commands`. */
  name: string;
  description: string;
  /** `args` is everything after the name, untouched. What it returns is shown. */
  run(args: string, ctx: PluginContext): string | void | Promise<string | void>;
}

/** The door to the host. Valid during `register` only. */
export interface KataPluginApi {
  registerTool<Args = unknown>(tool: Tool<Args>): void;
  /** Reading message text (`message_*`, `before_agent_start`, `after_tool_call`) needs `hooks:conversation`, `before_tool_call` needs `hooks:gate`. */
  registerHook<E extends HookName>(event: E, handler: HookHandler<E>, options?: HookOptions): void;
  registerChannel(channel: Channel): void;
  registerService(service: Service): void;
  registerCommand(command: Command): void;
}

/** A plugin's default export. `register` runs exactly once per generation; it only registers, it starts nothing. */
export type PluginModule =
  | ((api: KataPluginApi) => void | Promise<void>)
  | { register(api: KataPluginApi): void | Promise<void>; dispose?(): void | Promise<void> };
