import type { AfterToolCall, AfterToolCallOutcome, BeforeAgentStart, BeforeAgentStartOutcome, BeforeToolCall, BeforeToolCallOutcome, ChannelCapabilities, HookName, MessageReceived, MessageReceivedOutcome, MessageSending, MessageSendingOutcome, OutboundMessage, Receipt } from "./generated/contract.ts";
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
    run(params: never, context: CallContext & {
        session: string;
    }): Answer<string>;
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
    start?(begin: {
        cursor: string | null;
    }, context: CallContext): Answer<void>;
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
export declare function tool<Params>(definition: Omit<Tool, "run"> & {
    run(params: Params, context: CallContext & {
        session: string;
    }): Answer<string>;
}): Tool;
/** What is sent with `register`. */
export declare function registration(plugin: PluginDefinition): ExternalPlugin;
/** Runs a call. Rejects with whatever the plugin throws. */
export declare function run(plugin: PluginDefinition, kind: ExternalCall, raw: unknown, context: CallContext): Promise<unknown>;
/** What was thrown, for the wire. */
export declare function failure(thrown: unknown): WireError;
export {};
