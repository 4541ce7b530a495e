/** The events a plugin can hook, and what a handler is given and may answer. */

import type { PluginContext } from "./context.ts";
import type {
  AfterToolCall,
  AfterToolCallOutcome,
  AgentEnd,
  BeforeAgentStart,
  BeforeAgentStartOutcome,
  BeforeToolCall,
  BeforeToolCallOutcome,
  ConfigChange,
  GatewayStart,
  GatewayStop,
  HookName,
  MessageReceived,
  MessageReceivedOutcome,
  MessageSending,
  MessageSendingOutcome,
  MessageSent,
  OauthOpen,
  PlanSubmitted,
  SessionEnd,
  SessionStart,
} from "./generated.ts";

/**
 * Per event: what a handler is given, and what it may answer. `undefined` changes nothing, and so does a field that is
 * left out.
 *
 * - *Observe* events have no answer; their handlers run side by side, up to 30 seconds.
 * - *Transform* events run one after the other, 15 seconds each; a handler sees what the one before it made of the event.
 *   One that throws or is late is passed over.
 * - The *gate* `before_tool_call` runs the same way, and a handler that throws or is late blocks the call.
 */
export interface HookEvents {
  /** Observe: the engine takes messages now, and the plugins that start with it are up. A plugin that comes later does not hear it. */
  gateway_start: { event: GatewayStart; outcome: undefined };
  /** Observe: the engine drains and ends. */
  gateway_stop: { event: GatewayStop; outcome: undefined };
  /** Observe: settings have other values now. */
  config_change: { event: ConfigChange; outcome: undefined };
  /** Transform: a message was let in and goes to a session. `block` ends it, `text` rewrites it. */
  message_received: { event: MessageReceived; outcome: MessageReceivedOutcome };
  /** Observe: a session got its first turn in this process. */
  session_start: { event: SessionStart; outcome: undefined };
  /** Observe: a session was let go. */
  session_end: { event: SessionEnd; outcome: undefined };
  /** Transform: the model is about to be asked. Adds context, narrows the tools, chooses another model. */
  before_agent_start: { event: BeforeAgentStart; outcome: BeforeAgentStartOutcome };
  /** Gate: a tool is about to be called. `params` rewrites the arguments, `block` forbids it, `ask` asks the person. */
  before_tool_call: { event: BeforeToolCall; outcome: BeforeToolCallOutcome };
  /** Transform: a tool has answered. `result` is what the model sees instead. */
  after_tool_call: { event: AfterToolCall; outcome: AfterToolCallOutcome };
  /** Observe: the agent handed in a plan. Not sent by this version. */
  plan_submitted: { event: PlanSubmitted; outcome: undefined };
  /** Observe: a turn ended. */
  agent_end: { event: AgentEnd; outcome: undefined };
  /** Transform: a reply is about to be sent. `cancel` ends it, `text` rewrites it. */
  message_sending: { event: MessageSending; outcome: MessageSendingOutcome };
  /** Observe: the platform has the reply. */
  message_sent: { event: MessageSent; outcome: undefined };
  /** Observe: a person is asked to sign in at a provider. Not sent by this version. */
  oauth_open: { event: OauthOpen; outcome: undefined };
}

/**
 * Answers one event. May not keep the event: what it holds belongs to the people who wrote it. May not call the network
 * for longer than the person is willing to wait for an answer: a transform holds the message up.
 */
export type HookHandler<E extends HookName> = (
  event: HookEvents[E]["event"],
  ctx: PluginContext,
) => HookEvents[E]["outcome"] | void | Promise<HookEvents[E]["outcome"] | void>;

/** Where a handler stands in the order and how long it may take. */
export interface HookOptions {
  /** Higher runs first; default 0. Equal ones run in order of origin (bundled, global, workspace), then of plugin id. */
  priority?: number;
  /** Shorter than the event's own limit, in milliseconds. */
  timeoutMs?: number;
}
